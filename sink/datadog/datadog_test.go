package datadog

import (
	"encoding/pem"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate/sink"
)

var _ sink.Sink = (*Sink)(nil)

var someSeries = []sink.Series{
	{Metric: &sink.Metric{Name: "one"}, Block: &sink.Block{Tags: tags("a=1")}, Value: 1},
	{Metric: &sink.Metric{Name: "two"}, Block: &sink.Block{Tags: tags("a=2"), Host: "h"}, Value: 2},
}

func TestSend(t *testing.T) {
	receiver := newTestReceiver(t, nil)
	s := newTestSink(t, Config{}, receiver.URL+"/")
	r := runOf(0, someSeries)
	send(t, s, r)
	if key := receiver.accepted[0].key; key != testKey {
		t.Errorf("the key is %q", key)
	}
	if diff := cmp.Diff(linesOf(r), receiver.lines()); diff != "" {
		t.Errorf("series (-want +got):\n%s", diff)
	}
	r = runOf(15, someSeries[:1])
	r.Ended = each(someSeries[1:])
	send(t, s, r)
	if diff := cmp.Diff(linesOf(r), receiver.lines()); diff != "" {
		t.Errorf("series when one has ended (-want +got):\n%s", diff)
	}
	send(t, s, runOf(30, nil))
	if got := receiver.lines(); got != nil {
		t.Errorf("an empty run sends %v", got)
	}
	if got := s.Stats(); got.Series != 3 || got.Payloads != 2 || got.Bytes == 0 {
		t.Errorf("stats %+v", got)
	}
}

func TestChecks(t *testing.T) {
	receiver := newTestReceiver(t, nil)
	s := newTestSink(t, Config{Tags: tags("env=prod")}, receiver.URL)
	block := &sink.Block{Host: "node-1", Tags: tags("node=node-1"), Resource: tags("r=1")}
	send(t, s, runOf(0, someSeries[:1],
		sink.Check{Name: "kubernetes_state.node.ready", Status: sink.Critical, Message: "disk \"full\"\xff", Block: block, Tags: tags("c=d")},
		sink.Check{Name: "kubernetes_state.job.complete", Block: &sink.Block{}},
	))
	want := append(linesOf(runOf(0, []sink.Series{{Metric: someSeries[0].Metric, Block: &sink.Block{Tags: tags("env=prod", "a=1")}, Value: 1}})),
		`{"check":"kubernetes_state.node.ready","host_name":"node-1","timestamp":1700000000,"status":2,"message":"disk \"full\"\ufffd",`+
			`"tags":["env:prod","node:node-1","r:1","c:d"]}`,
		`{"check":"kubernetes_state.job.complete","host_name":"","timestamp":1700000000,"status":0,"message":"","tags":["env:prod"]}`)
	if diff := cmp.Diff(want, receiver.lines()); diff != "" {
		t.Errorf("checks (-want +got):\n%s", diff)
	}
	if got := s.Stats(); got.Series != 3 || got.Payloads != 2 {
		t.Errorf("stats %+v", got)
	}
}

// TestLimits has runs cut into requests.
func TestLimits(t *testing.T) {
	series := clusterSeries(20, 50)
	var checks []sink.Check
	for i := range series {
		checks = append(checks, sink.Check{Name: fmt.Sprint("check-", i), Block: series[i].Block})
	}
	tests := []struct {
		name                         string
		config                       Config
		points, size, compressed     int // of a request at most
		fewestRequests, mostRequests int
	}{
		{"default", Config{}, 1000, 5 << 20, 512_000, 2, 3},
		{"points", Config{MaxPoints: 300}, 300, 5 << 20, 512_000, 8, 8},
		{"size", Config{MaxBytes: 50_000}, 10_000, 600_000, 512_000, 15, 18},
		{"compressed", Config{MaxCompressed: 3_000}, 10_000, 5 << 20, 3_000, 10, 1000},
		{"room in the buffer", Config{MaxPoints: 10, Buffer: 10_000}, 10, 5 << 20, 512_000, 200, 200},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			receiver := newTestReceiver(t, nil)
			s := newTestSink(t, test.config, receiver.URL)
			send(t, s, runOf(0, series, checks...))
			for _, r := range receiver.accepted {
				if len(r.lines) > test.points || r.size > test.size || r.compressed > test.compressed {
					t.Errorf("a request to %s has %d points and %d bytes, %d compressed", r.path, len(r.lines), r.size, r.compressed)
				}
			}
			if n := len(receiver.accepted); n < test.fewestRequests || n > test.mostRequests {
				t.Errorf("%d requests, not %d to %d", n, test.fewestRequests, test.mostRequests)
			}
			got := receiver.lines()
			if diff := cmp.Diff(linesOf(runOf(0, series)), got[:min(len(series), len(got))]); diff != "" {
				t.Errorf("series (-want +got):\n%s", diff)
			}
			if len(got) != len(series)+len(checks) {
				t.Errorf("%d series and checks have arrived of %d", len(got), len(series)+len(checks))
			}
		})
	}
}

// TestLost has what cannot be sent. The rest is.
func TestLost(t *testing.T) {
	m, long := &sink.Metric{Name: "m"}, &sink.Block{}
	for i := range 5000 { // numbers, so that it cannot be compressed much
		long.Tags = append(long.Tags, sink.Tag{Key: fmt.Sprint(i), Value: fmt.Sprint(i * i * i)})
	}
	good := sink.Series{Metric: m, Block: &sink.Block{}, Value: 1}
	series := []sink.Series{
		good, {Metric: m, Block: good.Block, Value: math.NaN()}, {Metric: m, Block: good.Block, Value: math.Inf(1)},
		{Metric: m, Block: good.Block, Value: math.Inf(-1)}, {Metric: m, Block: long}, good,
	}
	checks := []sink.Check{{Name: "c", Block: long}, {Name: "c", Block: good.Block}}
	for name, config := range map[string]Config{"size": {MaxBytes: 10_000, MaxCompressed: 10_000}, "compressed": {MaxCompressed: 10_000}} {
		t.Run(name, func(t *testing.T) {
			receiver := newTestReceiver(t, nil)
			s := newTestSink(t, config, receiver.URL)
			err := s.Send(t.Context(), runOf(0, series, checks...))
			const want = "datadog: 5 series lost: 3 are NaN or infinite, 2 are larger than a request may be"
			if err == nil || err.Error() != want {
				t.Errorf("error %v, want %s", err, want)
			}
			if got := receiver.lines(); len(got) != 3 {
				t.Errorf("%d series and checks have arrived, not 3", len(got))
			}
			if got := s.Stats(); got.Series != 3 || got.Dropped != 5 {
				t.Errorf("stats %+v", got)
			}
		})
	}
}

// TestRequestTooLarge has a receiver that takes less than we were told.
func TestRequestTooLarge(t *testing.T) {
	series := clusterSeries(1, 35)
	const most = 4
	receiver := newTestReceiver(t, func(_ http.ResponseWriter, r request) int {
		if len(r.lines) > most || slices.ContainsFunc(r.lines, func(line string) bool { return strings.Contains(line, "metric_7{") }) {
			return http.StatusRequestEntityTooLarge
		}
		return 0
	})
	s := newTestSink(t, Config{}, receiver.URL)
	err := s.Send(t.Context(), runOf(0, series))
	if err == nil || !strings.Contains(err.Error(), "413") {
		t.Errorf("error %v", err)
	}
	want := linesOf(runOf(0, slices.Delete(slices.Clone(series), 7, 8)))
	if diff := cmp.Diff(want, receiver.lines()); diff != "" {
		t.Errorf("series (-want +got):\n%s", diff)
	}
	if got := s.Stats(); got.Series != 34 || got.Rejected != 1 {
		t.Errorf("stats %+v", got)
	}
}

func TestKey(t *testing.T) {
	receiver := newTestReceiver(t, func(_ http.ResponseWriter, r request) int {
		return map[string]int{"bad-key": http.StatusForbidden}[r.key]
	})
	file := filepath.Join(t.TempDir(), "key")
	write(t, file, "bad-key")
	s := newTestSink(t, Config{KeyFile: file}, receiver.URL)
	err := s.Send(t.Context(), runOf(0, someSeries))
	if err == nil || !strings.Contains(err.Error(), "403") || !strings.Contains(err.Error(), "is the API key in "+file+" valid") {
		t.Errorf("error %v", err)
	}
	if strings.Contains(fmt.Sprint(err), "bad-key") {
		t.Errorf("the error tells the key: %v", err)
	}
	if got := s.Stats(); got.Rejected != 2 || got.Series != 0 || got.Retries != 0 {
		t.Errorf("stats %+v", got)
	}
	write(t, file, " good-key \n")
	send(t, s, runOf(0, someSeries))
	if got := receiver.accepted[0].key; got != "good-key" {
		t.Errorf("the key is %q after the file has changed", got)
	}
}

func TestCertificates(t *testing.T) {
	receiver := &testReceiver{t: t}
	server := httptest.NewTLSServer(receiver)
	t.Cleanup(server.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	write(t, ca, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	send(t, newTestSink(t, Config{CAFile: ca}, server.URL), runOf(0, someSeries))
	if got := receiver.lines(); len(got) != 2 {
		t.Errorf("%d series have arrived", len(got))
	}
	s := newTestSink(t, Config{Attempts: 1}, server.URL)
	if err := s.Send(t.Context(), runOf(0, someSeries)); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("error %v, want one about the certificate", err)
	}
}

// TestRedirect: whoever can redirect must not get the key.
func TestRedirect(t *testing.T) {
	receiver := newTestReceiver(t, nil)
	server := httptest.NewServer(http.RedirectHandler(receiver.URL+"/api/v2/series", http.StatusPermanentRedirect))
	t.Cleanup(server.Close)
	s := newTestSink(t, Config{}, server.URL)
	if err := s.Send(t.Context(), runOf(0, someSeries)); err == nil || !strings.Contains(err.Error(), "308") {
		t.Errorf("error %v", err)
	}
	if len(receiver.accepted) > 0 {
		t.Errorf("the redirect was followed")
	}
}

func TestConfig(t *testing.T) {
	tests := []struct {
		config Config
		want   []string
	}{
		{Config{}, []string{"KeyFile: must be the path of a file with the API key"}},
		{Config{KeyFile: "k", URL: "http://\x00/?token=hidden"}, []string{"URL: it cannot be parsed"}},
		{Config{KeyFile: "k", URL: "https://hidden@x/"}, []string{`URL of host "x": must not hold a user`}},
		{
			Config{URL: "ftp://x?token=hidden", MaxPoints: -1, MaxBytes: -2, MaxCompressed: -3, Buffer: -4, Timeout: -5, Attempts: -6, Client: &http.Client{}, CAFile: "x"},
			[]string{
				`scheme "ftp"`, "neither a query", "KeyFile", "MaxPoints -1", "MaxBytes -2", "MaxCompressed -3", "Buffer -4", "Timeout -5",
				"Attempts -6", `CAFile "x"`,
			},
		},
		{Config{KeyFile: "k", CAFile: "/nonexistent"}, []string{"read CAFile: open /nonexistent"}},
	}
	for _, test := range tests {
		_, err := New(test.config)
		if err == nil {
			t.Errorf("%+v: no error", test.config)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("error %q does not say %q", err, want)
			}
		}
		if strings.Contains(err.Error(), "hidden") {
			t.Errorf("error %q holds a secret", err)
		}
	}
}
