package kubestate_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/kind"
)

// serveMany returns a server with hundreds of ReplicaSets and Pods.
func serveMany(t *testing.T, c kubestate.Config) *httptest.Server {
	t.Helper()
	x := newExporter(t, c)
	var sets, pods []kind.Object
	for i := range 400 {
		sets, pods = append(sets, replicaSet(fmt.Sprint("rs-", i))), append(pods, pod(fmt.Sprint("p-", i)))
	}
	feed(t, x, "replicasets", sets...)
	feed(t, x, "pods", pods...)
	mux := http.NewServeMux()
	mux.Handle("/metrics", x)
	mux.Handle("/sd", x.Discovery("/metrics"))
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// TestSlicesAreComplete: every series is in exactly one slice, and slices differ in size by
// at most one block of objects.
func TestSlicesAreComplete(t *testing.T) {
	s := serveMany(t, kubestate.Config{})
	whole := request(t, http.MethodGet, s.URL+"/metrics", nil).body
	for _, n := range []int{1, 2, 5, 64} {
		var all []string
		least, most := len(whole), 0
		for i := range n {
			a := request(t, http.MethodGet, s.URL+"/metrics?slice="+strconv.Itoa(i+1)+"/"+strconv.Itoa(n), nil)
			if err := check(a.body, exposition.Text); a.status != http.StatusOK || err != nil {
				t.Fatalf("slice %d of %d: status %d, %v", i+1, n, a.status, err)
			}
			lines := samples(a.body)
			least, most = min(least, len(a.body)), max(most, len(a.body))
			all = append(all, lines...)
		}
		slices.Sort(all)
		if want := slices.Sorted(slices.Values(samples(whole))); !slices.Equal(all, want) {
			t.Errorf("%d slices have %d samples, the whole %d, or they differ", n, len(all), len(want))
		}
		if block := len(whole) * 128 / 400; n < 64 && most-least > block {
			t.Errorf("%d slices have %d to %d bytes", n, least, most)
		}
	}
}

func TestBadSlices(t *testing.T) {
	s := serve(t)
	for _, query := range []string{
		"slice=", "slice=1", "slice=0/4", "slice=5/4", "slice=-1/4", "slice=1/0", "slice=1/10001", "slice=a/b", "slice=1/2/3",
		"slice=1/2&slice=2/2", "slice=1/99999999999999999999",
	} {
		a := request(t, http.MethodGet, s.URL+"/metrics?"+query, nil)
		if a.status != http.StatusBadRequest || !strings.Contains(a.body, "must be I/N with 1 ≤ I ≤ N ≤ 10000") {
			t.Errorf("%s: status %d, %q", query, a.status, a.body)
		}
	}
}

func TestEncodings(t *testing.T) {
	s := serveMany(t, kubestate.Config{})
	for _, accept := range []string{"text/plain", "application/openmetrics-text;version=1.0.0", protobufType} {
		var want string
		for _, encoding := range []string{"identity", "gzip", "zstd"} {
			a := request(t, http.MethodGet, s.URL+"/metrics", http.Header{"Accept": {accept}, "Accept-Encoding": {encoding}})
			if got := a.header.Get("Content-Encoding"); got != strings.TrimPrefix(encoding, "identity") {
				t.Errorf("%s: Content-Encoding %q, want %q", accept, got, encoding)
			}
			if got := a.header.Get("Content-Length"); accept != protobufType && got != strconv.Itoa(len(a.body)) {
				t.Errorf("%s %s: Content-Length %s of %d bytes", accept, encoding, got, len(a.body))
			}
			body := decode(t, encoding, a.body)
			if encoding == "identity" {
				want = body
			}
			if body != want || len(body) < 300_000 {
				t.Errorf("%s %s: %d bytes, without encoding %d", accept, encoding, len(body), len(want))
			}
		}
	}
}

const protobufType = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"

func decode(t *testing.T, encoding, body string) string {
	t.Helper()
	var r io.Reader = strings.NewReader(body)
	var err error
	switch encoding {
	case "gzip":
		r, err = gzip.NewReader(r)
	case "zstd":
		r, err = zstd.NewReader(r)
	}
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestDisableCompression(t *testing.T) {
	s := serveMany(t, kubestate.Config{DisableCompression: true})
	a := request(t, http.MethodGet, s.URL+"/metrics", http.Header{"Accept-Encoding": {"gzip, zstd"}})
	if got := a.header.Get("Content-Encoding"); got != "" || !strings.HasPrefix(a.body, "# HELP ") {
		t.Errorf("Content-Encoding %q", got)
	}
}
