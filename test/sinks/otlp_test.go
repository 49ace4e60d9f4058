package sinks

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate/internal/sinktest"
	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/sink/otlp"
	"github.com/kubestate/kubestate/test/prometheus"
)

func otlpSink(t *testing.T, c otlp.Config) *otlp.Sink {
	t.Helper()
	c.Version = "1.2.3"
	s, err := otlp.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeSink(t, s) })
	return s
}

// otlpSeries returns series of Pods, and some with several values per key.
func otlpSeries(pods int, start time.Time) []sink.Series {
	several := &sink.Block{
		Resource: []sink.Tag{{Key: "k8s.pod.uid", Value: "several"}},
		Tags:     []sink.Tag{{Key: "a", Value: "1"}, {Key: "a", Value: "2"}, {Key: "b", Value: "3"}, {Key: "b", Value: "3"}},
	}
	long := strings.Repeat("long ", 50)
	return append(podSeries(pods, start),
		sink.Series{Metric: memory, Block: several, Value: 1, Tags: []sink.Tag{{Key: "c", Value: "x"}, {Key: "c", Value: long}}},
		sink.Series{Metric: memory, Block: several, Value: 2, Tags: []sink.Tag{{Key: "a", Value: "own"}, {Key: "long", Value: long}}},
	)
}

// attributesOf returns the attributes for tags. Later tags override earlier ones, and
// arrays are JSON.
func attributesOf(all ...[]sink.Tag) map[string]string {
	attributes := map[string]string{}
	for _, tags := range all {
		values := map[string][]string{}
		for _, tag := range tags {
			if !slices.Contains(values[tag.Key], tag.Value) {
				values[tag.Key] = append(values[tag.Key], tag.Value)
			}
		}
		for key, v := range values {
			attributes[key] = v[0]
			if len(v) > 1 {
				attributes[key] = fmt.Sprintf(`["%s"]`, strings.Join(v, `","`))
			}
		}
	}
	return attributes
}

// pointsOf returns what the Collector should receive of a run.
func pointsOf(at time.Time, series, ended []sink.Series) []string {
	var lines []string
	add := func(s sink.Series, value string, at time.Time) {
		kind, start := "gauge", time.Time{}
		switch s.Metric.Type {
		case sink.Counter:
			kind = "Cumulative sum, monotonic: true"
			if value != "ended" {
				start = time.UnixMilli(s.Start)
			}
		case sink.UpDown:
			kind = "Cumulative sum, monotonic: false"
		case sink.Gauge:
		}
		resource := attributesOf(s.Block.Resource)
		if s.Block.Host != "" {
			resource["host.name"] = s.Block.Host
		}
		lines = append(lines, pointLine(labelText(resource), s.Metric.Name, s.Metric.Help, s.Metric.Unit, kind,
			labelText(attributesOf(s.Block.Tags, s.Tags)), value, at, start))
	}
	for _, s := range ended {
		add(s, "ended", at.Add(-time.Millisecond))
	}
	for _, s := range series {
		add(s, fmt.Sprint(s.Value), at)
	}
	return lines
}

// Two runs are sent to a real Collector, which must receive exactly these.
func TestOTLP(t *testing.T) {
	for _, secure := range []bool{false, true} {
		var c *certificate
		caFile := ""
		if secure {
			c = newCertificate(t)
			caFile = c.file
		}
		peer := startCollector(t, c)
		for name, config := range map[string]otlp.Config{
			"HTTP":                     {Connection: sink.Connection{URL: peer.http}},
			"HTTP without compression": {Connection: sink.Connection{URL: peer.http + "/v1/metrics"}, NoCompression: true},
			"gRPC":                     {Connection: sink.Connection{URL: peer.grpc}, Protocol: otlp.GRPC},
			"gRPC without compression": {Connection: sink.Connection{URL: peer.grpc}, Protocol: otlp.GRPC, NoCompression: true},
		} {
			t.Run(fmt.Sprintf("%s/TLS=%t", name, secure), func(t *testing.T) {
				if err := os.Truncate(peer.file, 0); err != nil {
					t.Fatal(err)
				}
				config.MaxSeries, config.MaxBytes, config.CAFile = 100, 50_000, caFile
				s := otlpSink(t, config)
				first := time.Now()
				second := first.Add(time.Second)
				series := otlpSeries(50, first.Add(-time.Minute))
				half := len(series) / 2
				sinktest.Send(t, s, runOf(first, series, nil))
				sinktest.Send(t, s, runOf(second, series[:half], series[half:]))
				want := append(pointsOf(first, series, nil), pointsOf(second, series[:half], series[half:])...)
				if diff := cmp.Diff(want, peer.received(t)); diff != "" {
					t.Errorf("points (-want +got):\n%s", diff)
				}
				if got := s.Stats(); got.Series != uint64(2*len(series)) || got.Payloads < 6 || got.Retries+got.Rejected+got.Dropped != 0 {
					t.Errorf("stats %+v", got)
				}
			})
		}
	}
}

// Requests of the default size are the largest that a gRPC server accepts by default;
// the error for larger ones says what to do.
func TestOTLPSize(t *testing.T) {
	peer := startCollector(t, nil)
	now := time.Now()
	series := otlpSeries(5000, now.Add(-time.Minute))
	s := otlpSink(t, otlp.Config{Connection: sink.Connection{URL: peer.grpc}, Protocol: otlp.GRPC, MaxSeries: 1 << 30})
	sinktest.Send(t, s, runOf(now, series, nil))
	if diff := cmp.Diff(pointsOf(now, series, nil), peer.received(t)); diff != "" {
		t.Errorf("points (-want +got):\n%s", diff)
	}
	if got := s.Stats(); got.Payloads < 2 {
		t.Errorf("stats %+v: everything fit into one request", got)
	}

	s = otlpSink(t, otlp.Config{Connection: sink.Connection{URL: peer.grpc}, Protocol: otlp.GRPC, MaxSeries: 1 << 30, MaxBytes: 8 << 20})
	err := s.Send(t.Context(), runOf(now, series, nil))
	if err == nil || !strings.Contains(err.Error(), "RESOURCE_EXHAUSTED") || !strings.Contains(err.Error(), "lower MaxBytes") {
		t.Errorf("error %v", err)
	}
	if got := s.Stats(); got.Rejected == 0 || got.Rejected+got.Series != uint64(len(series)) {
		t.Errorf("stats %+v of %d series", got, len(series))
	}
}

// The Collector is suspended for two runs. What it received before may be sent again.
func TestOTLPHang(t *testing.T) {
	for name, protocol := range map[string]otlp.Protocol{"HTTP": otlp.HTTP, "gRPC": otlp.GRPC} {
		t.Run(name, func(t *testing.T) {
			peer := startCollector(t, nil)
			config := otlp.Config{Connection: sink.Connection{URL: peer.http, Timeout: 300 * time.Millisecond}, Protocol: protocol, MaxSeries: 100}
			if protocol == otlp.GRPC {
				config.URL = peer.grpc
			}
			s := otlpSink(t, config)
			first := time.Now()
			second, third := first.Add(time.Second), first.Add(2*time.Second)
			series := otlpSeries(20, first.Add(-time.Minute))

			sinktest.Send(t, s, runOf(first, series, nil)) // opens a connection
			hang(t, peer, s, runOf(second, series, nil), runOf(third, series, nil))
			want := slices.Concat(pointsOf(first, series, nil), pointsOf(second, series, nil), pointsOf(third, series, nil))
			if diff := cmp.Diff(unique(want), unique(peer.received(t))); diff != "" {
				t.Errorf("points (-want +got):\n%s", diff)
			}
			if got := s.Stats(); got.Series != uint64(len(want)) || got.Dropped != 0 {
				t.Errorf("stats %+v, want %d series", got, len(want))
			}
		})
	}
}

func unique(lines []string) []string {
	slices.Sort(lines)
	return slices.Compact(lines)
}

// Two runs are sent to the OTLP receiver of a real Prometheus, and half of the series
// end between them.
func TestOTLPToPrometheus(t *testing.T) {
	server := startPrometheusWith(t, "otlp: {promote_all_resource_attributes: true, translation_strategy: NoTranslation}",
		"--web.enable-otlp-receiver")
	for _, compression := range []bool{true, false} {
		t.Run(fmt.Sprintf("compression=%t", compression), func(t *testing.T) {
			testPrometheusOTLP(t, server, !compression)
		})
	}
	server.CheckLog(t)
}

func testPrometheusOTLP(t *testing.T, server *prometheus.Server, noCompression bool) {
	s := otlpSink(t, otlp.Config{
		Connection: sink.Connection{URL: server.URL + "/api/v1/otlp/v1/metrics"}, MaxSeries: 100, NoCompression: noCompression,
		Tags: []sink.Tag{{Key: "sent", Value: t.Name()}},
	})
	first := time.Now().Truncate(time.Millisecond)
	second := first.Add(time.Second)
	series := otlpSeries(50, first.Add(-time.Minute))
	half := len(series) / 2
	sinktest.Send(t, s, runOf(first, series, nil))
	compare(t, "first run", instant(t, server, first), otlpStateOf(series))
	sinktest.Send(t, s, runOf(second, series[:half], series[half:]))
	compare(t, "after the second run, in which half have ended", instant(t, server, second), otlpStateOf(series[:half]))
	compare(t, "right after it", instant(t, server, second.Add(time.Millisecond)), otlpStateOf(series[:half]))
	compare(t, "still at the time of the first run", instant(t, server, first), otlpStateOf(series))
	if got, want := s.Stats().Series, uint64(2*len(series)); got != want {
		t.Errorf("%d series accepted, want %d", got, want)
	}
}

// A Pod is recreated under its name. Prometheus does not see UIDs: for it the series
// continues, and it must reject nothing, however the run is split into requests.
func TestOTLPMoved(t *testing.T) {
	server := startPrometheusWith(t, "otlp: {promote_resource_attributes: [k8s.pod.name], translation_strategy: NoTranslation}", "--web.enable-otlp-receiver")
	for i, maxSeries := range []int{1, 100} {
		s := otlpSink(t, otlp.Config{Connection: sink.Connection{URL: server.URL + "/api/v1/otlp/v1/metrics"}, MaxSeries: maxSeries, Tags: []sink.Tag{{Key: "sent", Value: t.Name()}}})
		now := time.Now().Truncate(time.Millisecond).Add(time.Duration(i) * time.Minute)
		of := func(uid string, value float64) []sink.Series {
			block := &sink.Block{Resource: []sink.Tag{{Key: "k8s.pod.name", Value: "db-0"}, {Key: "k8s.pod.uid", Value: uid}}}
			return []sink.Series{{Metric: &sink.Metric{Name: "up"}, Block: block, Value: value}, {Metric: &sink.Metric{Name: "other"}, Block: block, Value: value}}
		}
		sinktest.Send(t, s, runOf(now, of("1", 1), nil))
		sinktest.Send(t, s, runOf(now.Add(time.Second), of("2", 2), of("1", 1)))
		compare(t, "after the move", instant(t, server, now.Add(time.Second)), state{
			`{"__name__":"up","k8s.pod.name":"db-0"}`: 2, `{"__name__":"other","k8s.pod.name":"db-0"}`: 2,
		})
	}
	server.CheckLog(t)
}

// stateOf for a Prometheus that also turns resource attributes into labels.
func otlpStateOf(series []sink.Series) state {
	want := state{}
	for _, s := range series {
		labels := attributesOf([]sink.Tag{{Key: "host.name", Value: s.Block.Host}}, s.Block.Resource, s.Block.Tags, s.Tags)
		labels["__name__"] = s.Metric.Name
		maps.DeleteFunc(labels, func(_, value string) bool { return value == "" })
		want[labelText(labels)] = s.Value
	}
	return want
}
