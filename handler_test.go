package kubestate_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/kind"
)

const (
	textType        = "text/plain; version=0.0.4; charset=utf-8"
	openMetricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"
)

// TestParseSelectionVectors compares the parsing of parameters with that of
// kube-state-metrics.
func TestParseSelectionVectors(t *testing.T) {
	data, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Params []struct {
			Values   []string `json:"values"`
			Set      []string `json:"set"`
			NoFilter bool     `json:"nil_means_no_filter"`
		} `json:"resources_param"`
	}
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors.Params) == 0 {
		t.Fatal("no vectors")
	}
	for _, v := range vectors.Params {
		q := url.Values{}
		if v.Values != nil {
			q["resources"], q["exclude_resources"] = v.Values, v.Values
		}
		sel, err := kubestate.ParseSelection(q)
		if err != nil {
			t.Fatal(err)
		}
		for param, got := range map[string][]string{"resources": sel.Only, "exclude_resources": sel.Without} {
			if (got == nil) != v.NoFilter {
				t.Errorf("%s=%q: got %#v; no filter: want %t", param, v.Values, got, v.NoFilter)
			}
			slices.Sort(got)
			if !slices.Equal(got, v.Set) {
				t.Errorf("%s=%q: got %q, want %q", param, v.Values, got, v.Set)
			}
		}
	}
}

// serve returns a server of a ReplicaSet, a Namespace, and a Pod that is not
// synced yet.
func serve(t *testing.T) *httptest.Server {
	t.Helper()
	x := newExporter(t, kubestate.Config{Kinds: []*kind.Table{kind.ReplicaSets, kind.Namespaces, kind.Pods}})
	feed(t, x, "replicasets", replicaSet("a"))
	feed(t, x, "namespaces", namespace("shop"))
	f, err := x.NewFeed(kind.Pods.Resource)
	if err != nil {
		t.Fatal(err)
	}
	f.Begin()
	f.Put(pod("p"))
	s := httptest.NewServer(x)
	t.Cleanup(s.Close)
	return s
}

// answer is the response to a request.
type answer struct {
	status int
	header http.Header
	body   string
}

func request(t *testing.T, method, url string, header http.Header) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(body)}
}

func TestServeHTTPFormats(t *testing.T) {
	s := serve(t)
	for _, test := range []struct {
		accept, contentType string
		format              exposition.Format
	}{
		{"", textType, exposition.Text},
		{"text/plain", textType, exposition.Text},
		{"application/openmetrics-text;version=1.0.0", openMetricsType, exposition.OpenMetrics},
		{"application/openmetrics-text;version=1.0.0;q=0,*/*", textType, exposition.Text},
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			a := request(t, method, s.URL+"/metrics", http.Header{"Accept": {test.accept}})
			if a.status != http.StatusOK {
				t.Errorf("%s: status %d", method, a.status)
			}
			if got := a.header.Get("Content-Type"); got != test.contentType {
				t.Errorf("%s, Accept: %s: Content-Type %q, want %q", method, test.accept, got, test.contentType)
			}
			if got := a.header.Get("Vary"); got != "Accept, Accept-Encoding" {
				t.Errorf("%s: Vary: %q", method, got)
			}
			if method == http.MethodHead {
				if a.body != "" {
					t.Errorf("HEAD has a body: %.100q", a.body)
				}
				continue
			}
			if err := check(a.body, test.format); err != nil {
				t.Errorf("Accept: %s: %v", test.accept, err)
			}
			if !strings.Contains(a.body, "kube_replicaset_created") {
				t.Errorf("Accept: %s: no ReplicaSets in\n%s", test.accept, a.body)
			}
		}
	}
}

func TestServeHTTPSelection(t *testing.T) {
	s := serve(t)
	for query, want := range map[string][]string{
		"":                               {"kube_namespace_", "kube_replicaset_"}, // pods are not synced
		"?resources=namespaces":          {"kube_namespace_"},
		"?resources=pods,namespaces":     {"kube_namespace_"},
		"?resources=pods":                nil,
		"?resources=%20replicasets%20,":  {"kube_replicaset_"},
		"?exclude_resources=replicasets": {"kube_namespace_"},
		"?exclude_resources=":            {"kube_namespace_", "kube_replicaset_"},
		"?resources=":                    nil,
		"?resources=nothing":             nil,
		"?resources=a&resources=namespaces&exclude_resources=b,namespaces": nil,
		"?other=1": {"kube_namespace_", "kube_replicaset_"},
	} {
		a := request(t, http.MethodGet, s.URL+"/metrics"+query, http.Header{"Accept": {"application/openmetrics-text;version=1.0.0"}})
		if a.status != http.StatusOK {
			t.Errorf("%s: status %d", query, a.status)
		}
		if err := check(a.body, exposition.OpenMetrics); err != nil {
			t.Errorf("%s: %v", query, err)
		}
		var got []string
		for _, prefix := range []string{"kube_namespace_", "kube_pod_", "kube_replicaset_"} {
			if strings.Contains(a.body, "# HELP "+prefix) {
				got = append(got, prefix)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: families of %q, want %q", query, got, want)
		}
	}
}

// A selection that cannot be parsed must not select everything.
func TestServeHTTPRejects(t *testing.T) {
	x := newExporter(t, kubestate.Config{})
	for path, h := range map[string]http.Handler{"/metrics": x, "/sd": x.Discovery("/metrics")} {
		for method, code := range map[string]int{http.MethodGet: 400, http.MethodHead: 400, http.MethodPost: 405, http.MethodDelete: 405} {
			for _, query := range []string{"resources=%zz", "resources=pods&%=;;=", "slice=1;2"} {
				w := httptest.NewRecorder()
				r := httptest.NewRequest(method, path, nil)
				r.URL.RawQuery = query
				h.ServeHTTP(w, r)
				if w.Code != code {
					t.Errorf("%s %s?%s: status %d, want %d", method, path, query, w.Code, code)
				}
			}
		}
	}
}

// Responses are always complete: range and conditional requests are ignored.
func TestConditionalRequests(t *testing.T) {
	s := serve(t)
	whole := request(t, http.MethodGet, s.URL+"/metrics", nil)
	for name, value := range map[string]string{
		"If-None-Match": "*", "If-Match": `"x"`, "If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT",
		"If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT", "Range": "bytes=0-9", "Expect": "100-continue",
	} {
		if a := request(t, http.MethodGet, s.URL+"/metrics", http.Header{name: {value}}); a.status != http.StatusOK || a.body != whole.body {
			t.Errorf("%s: %s: status %d, %d bytes", name, value, a.status, len(a.body))
		}
	}
}

// deafWriter is the response to a client that has disconnected.
type deafWriter struct {
	header http.Header
	writes int
}

func (w *deafWriter) Header() http.Header { return w.header }
func (w *deafWriter) WriteHeader(int)     {}
func (w *deafWriter) Write([]byte) (int, error) {
	w.writes++
	return 0, errBrokenPipe
}

func TestServeHTTPStopsWhenTheClientDisconnects(t *testing.T) {
	x := newExporter(t, kubestate.Config{})
	var objects []kind.Object
	for i := range 500 {
		objects = append(objects, replicaSet(strings.Repeat("x", 100+i)))
	}
	feed(t, x, "replicasets", objects...)
	w := &deafWriter{header: http.Header{}}
	x.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.writes != 1 {
		t.Errorf("%d writes, want none after the first, which failed", w.writes)
	}
}
