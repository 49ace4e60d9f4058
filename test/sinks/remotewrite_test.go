package sinks

import (
	"context"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate/internal/sinktest"
	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/sink/remotewrite"
	"github.com/kubestate/kubestate/test/e2e/harness"
	"github.com/kubestate/kubestate/test/prometheus"
)

// remoteWriteSink returns a Sink that writes to Prometheus, with the test's name in the
// label sent.
func remoteWriteSink(t *testing.T, server *prometheus.Server, c remotewrite.Config) *remotewrite.Sink {
	t.Helper()
	c.URL = server.URL + "/api/v1/write"
	c.Tags = append(c.Tags, sink.Tag{Key: "sent", Value: t.Name()})
	s, err := remotewrite.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeSink(t, s) })
	return s
}

func closeSink(t *testing.T, s sink.Sink) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		t.Errorf("close: %v", err)
	}
}

// stateOf returns the state of series in Prometheus, if nothing is joined and only dots
// are renamed.
func stateOf(series []sink.Series) state {
	want := state{}
	for _, s := range series {
		labels := map[string]string{}
		for _, tags := range [][]sink.Tag{{{Key: "host", Value: s.Block.Host}}, s.Block.Resource, s.Block.Tags, s.Tags, {{Key: "__name__", Value: s.Metric.Name}}} {
			for _, tag := range tags {
				labels[underscores(tag.Key)] = tag.Value
			}
		}
		labels["__name__"] = underscores(s.Metric.Name)
		for name, value := range labels {
			if value == "" {
				delete(labels, name)
			}
		}
		want[labelText(labels)] = s.Value
	}
	return want
}

func underscores(name string) string {
	changed := []byte(name)
	for i, c := range changed {
		if c == '.' {
			changed[i] = '_'
		}
	}
	return string(changed)
}

var (
	phase    = &sink.Metric{Name: "kube_pod_status_phase", Type: sink.Gauge, Help: "The phase of a pod."}
	restarts = &sink.Metric{Name: "kubernetes_state.container.restarts", Type: sink.Counter, Help: "How often it was restarted.", Unit: "{restart}"}
	memory   = &sink.Metric{Name: "k8s.container.memory_limit", Type: sink.UpDown, Unit: "By"}
)

// podSeries returns the series of some Pods: every shape of tags, and special values.
func podSeries(pods int, start time.Time) []sink.Series {
	values := []float64{0, 1, -1.5, math.Inf(1), math.Inf(-1), math.NaN(), math.MaxFloat64, math.SmallestNonzeroFloat64}
	var series []sink.Series
	for i := range pods {
		block := &sink.Block{
			Host:     fmt.Sprintf("node-%d", i%3),
			Resource: []sink.Tag{{Key: "k8s.pod.uid", Value: fmt.Sprintf("uid-%d", i)}, {Key: "team", Value: "resource"}},
			Tags: []sink.Tag{
				{Key: "Zone", Value: "upper case sorts first"}, {Key: "empty", Value: ""},
				{Key: "pod_name", Value: fmt.Sprintf("pod-%d", i)}, {Key: "quoted", Value: "\" \\ \n é 日本"}, {Key: "team", Value: "block"},
			},
		}
		for _, p := range []string{"Pending", "Running", "Failed"} {
			series = append(series, sink.Series{Metric: phase, Block: block, Tags: []sink.Tag{{Key: "phase", Value: p}}, Value: values[(len(series))%len(values)]})
		}
		for _, container := range []string{"app", "sidecar"} {
			series = append(series, sink.Series{
				Metric: restarts, Block: block, Value: float64(i), Start: start.UnixMilli(),
				Tags: []sink.Tag{{Key: "container", Value: container}, {Key: "team", Value: "own"}},
			})
		}
		series = append(series, sink.Series{Metric: memory, Block: block, Value: float64(i) * 1e9})
	}
	return series
}

func runOf(at time.Time, series, ended []sink.Series, checks ...sink.Check) *sink.Run {
	r := sinktest.Run(0, series, ended, checks...)
	r.Time = at
	return r
}

// hang suspends a process while runs are sent, which must be buffered, and resumes it
// until sink is closed.
func hang(t *testing.T, process interface{ Signal(s os.Signal) }, s sink.Sink, runs ...*sink.Run) {
	t.Helper()
	process.Signal(syscall.SIGSTOP)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	for _, r := range runs {
		_ = s.Send(ctx, r) // the error may report the deadline
	}
	if got := s.Stats(); got.Buffered == 0 || got.Dropped != 0 || got.Rejected != 0 {
		t.Errorf("stats %+v: nothing buffered, or something lost", got)
	}
	process.Signal(syscall.SIGCONT)
	closeSink(t, s)
}

// Two runs are sent to a real Prometheus in every version, and queried.
func TestRemoteWrite(t *testing.T) {
	both, only1 := startPrometheus(t), startPrometheus(t, "--web.remote-write-receiver.accepted-protobuf-messages=prometheus.WriteRequest")
	tests := map[string]struct {
		server  *prometheus.Server
		version remotewrite.Version
		headers bool // only sent by version 2.0
	}{
		"version1":         {both, remotewrite.V1, false},
		"version2":         {both, remotewrite.V2, true},
		"auto":             {both, remotewrite.Auto, true},
		"autoWithVersion1": {only1, remotewrite.Auto, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var written written
			s := remoteWriteSink(t, test.server, remotewrite.Config{
				Version: test.version, MaxSeries: 100, MaxBytes: 50_000, Connection: sink.Connection{Client: &http.Client{Transport: &written}},
			})
			first := time.Now().Truncate(time.Millisecond)
			second := first.Add(time.Second)
			series := podSeries(50, first.Add(-time.Minute))
			half := len(series) / 2

			sinktest.Send(t, s, runOf(first, series, nil))
			compare(t, "first run", instant(t, test.server, first), stateOf(series))
			sinktest.Send(t, s, runOf(second, series[:half], series[half:]))
			compare(t, "after the second run, in which half have ended", instant(t, test.server, second), stateOf(series[:half]))
			compare(t, "right after it", instant(t, test.server, second.Add(time.Millisecond)), stateOf(series[:half]))
			compare(t, "still at the time of the first run", instant(t, test.server, first), stateOf(series))
			if got, want := s.Stats().Series, uint64(2*len(series)); got != want {
				t.Errorf("%d series accepted, want %d", got, want)
			}
			want := map[string]int{"Samples": 2 * len(series), "Histograms": 0, "Exemplars": 0}
			if !test.headers {
				want = map[string]int{}
			}
			if diff := cmp.Diff(want, written.counts()); diff != "" {
				t.Errorf("headers of Prometheus (-want +got):\n%s", diff)
			}
		})
	}
	both.CheckLog(t)
}

// written adds up the headers in which a receiver of version 2.0 reports what it wrote.
type written struct {
	mu  sync.Mutex
	sum map[string]int
}

func (w *written) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sum == nil {
		w.sum = map[string]int{}
	}
	for name, values := range response.Header {
		what, ok := strings.CutSuffix(strings.TrimPrefix(name, "X-Prometheus-Remote-Write-"), "-Written")
		if ok {
			n, err := strconv.Atoi(values[0])
			if err != nil {
				return nil, err
			}
			w.sum[what] += n
		}
	}
	return response, nil
}

func (w *written) counts() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.sum)
}

// Features of version 2.0 only: a Prometheus that exposes types and units as labels,
// and starts as samples.
func TestRemoteWrite2(t *testing.T) {
	server := startPrometheus(t, "--enable-feature=type-and-unit-labels,created-timestamp-zero-ingestion,metadata-wal-records")
	s := remoteWriteSink(t, server, remotewrite.Config{})
	now := time.Now().Truncate(time.Millisecond)
	start := now.Add(-time.Minute)
	sinktest.Send(t, s, runOf(now, podSeries(1, start), nil))

	want := map[string][2]string{
		"kube_pod_status_phase": {"gauge", ""}, "kubernetes_state_container_restarts": {"counter", ""}, "k8s_container_memory_limit": {"gauge", "bytes"},
	}
	for name, typeAndUnit := range want {
		found := query(t, server, "query", url.Values{"query": {name}, "time": {seconds(now)}})
		if len(found) == 0 {
			t.Errorf("no series %s", name)
		}
		for _, s := range found {
			if got := [2]string{s.Metric["__type__"], s.Metric["__unit__"]}; got != typeAndUnit {
				t.Errorf("%s: type and unit %q, want %q", name, got, typeAndUnit)
			}
		}
	}

	counters := query(t, server, "query", url.Values{"query": {"kubernetes_state_container_restarts[2m]"}, "time": {seconds(now)}})
	if len(counters) != 2 {
		t.Errorf("%d counters, want 2", len(counters))
	}
	for _, c := range counters {
		if len(c.Values) == 0 || number(t, c.Values[0][0]) != float64(start.UnixMilli())/1000 || c.Values[0][1] != "0" {
			t.Errorf("counter %v: samples %v, want a zero at its start %s first", c.Metric, c.Values, seconds(start))
		}
	}

	metrics, err := harness.Get(t.Context(), server.URL+"/metrics")
	if err != nil {
		t.Fatal(err)
	}
	const without = "prometheus_api_remote_write_without_metadata_appended_samples_total 0\n"
	if !strings.Contains(metrics.Body, "\n"+without) {
		t.Errorf("Prometheus does not report %q: metadata is missing", without)
	}
	server.CheckLog(t)
}

// Prometheus rejects some series: a second value for the same time.
func TestRemoteWritePartial(t *testing.T) {
	server := startPrometheus(t)
	s := remoteWriteSink(t, server, remotewrite.Config{Version: remotewrite.V2})
	now := time.Now().Truncate(time.Millisecond)
	series := podSeries(10, time.Time{})
	half := len(series) / 2
	sinktest.Send(t, s, runOf(now, series[:half], nil))
	want := stateOf(series)
	for i := range series[:half] {
		series[i].Value = 12345
	}
	if err := s.Send(t.Context(), runOf(now, series, nil)); err == nil {
		t.Error("no error")
	}
	if got := s.Stats(); got.Rejected != uint64(half) || got.Series != uint64(len(series)) {
		t.Errorf("stats %+v, want %d rejected and %d accepted", got, half, len(series))
	}
	compare(t, "after both runs", instant(t, server, now), want)
}

// Prometheus is suspended for a while.
func TestRemoteWriteHang(t *testing.T) {
	server := startPrometheus(t)
	s := remoteWriteSink(t, server, remotewrite.Config{MaxSeries: 100, Connection: sink.Connection{Timeout: 300 * time.Millisecond, Attempts: 100}})
	first := time.Now().Truncate(time.Millisecond)
	second := first.Add(time.Second)
	old, series := podSeries(20, time.Time{}), podSeries(60, time.Time{})

	hang(t, server, s, runOf(first, old, nil), runOf(second, series, nil))
	compare(t, "the run before", instant(t, server, first), stateOf(old))
	compare(t, "the last run", instant(t, server, second), stateOf(series))
	if got, want := s.Stats(), uint64(len(old)+len(series)); got.Series != want || got.Dropped != 0 {
		t.Errorf("stats %+v, want %d series", got, want)
	}
}
