package sinks

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/kubestate/kubestate/internal/sinktest"
	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/sink/dogstatsd"
	"github.com/kubestate/kubestate/test/e2e/harness"
)

// statsdExporter is a running statsd_exporter, which parses DogStatsD tags and exposes
// the result as Prometheus metrics. It supports neither framed streams nor service
// checks.
type statsdExporter struct {
	*harness.Process
	udp     string // address
	socket  string // path, for datagrams
	metrics string // URL
}

// newStatsdExporter chooses the addresses of an exporter.
func newStatsdExporter(t *testing.T) *statsdExporter {
	t.Helper()
	return &statsdExporter{
		udp:     freeUDPAddress(t),
		socket:  filepath.Join(t.TempDir(), "statsd.sock"),
		metrics: fmt.Sprintf("http://127.0.0.1:%d/metrics", harness.FreePorts(t, 1)[0]),
	}
}

var buildStatsdExporter = sync.OnceValue(func() error {
	return harness.Build(os.Stderr, ".", "bin", "github.com/prometheus/statsd_exporter")
})

func (e *statsdExporter) start(t *testing.T) {
	t.Helper()
	if err := buildStatsdExporter(); err != nil {
		t.Fatal(err)
	}
	e.Process = harness.Start(t, "statsd_exporter", "bin/statsd_exporter",
		"--web.listen-address="+strings.TrimSuffix(strings.TrimPrefix(e.metrics, "http://"), "/metrics"),
		"--statsd.listen-udp="+e.udp, "--statsd.listen-tcp=", "--statsd.listen-unixgram="+e.socket)
	harness.Eventually(t, time.Minute, "statsd_exporter answers", func() error {
		_, err := e.scrape(t)
		return err
	})
}

// waitFor waits until the exporter exposes what is expected, and fails the test if it
// reports errors.
func (e *statsdExporter) waitFor(t *testing.T, expected map[string][]sent) {
	t.Helper()
	harness.Eventually(t, 30*time.Second, "statsd_exporter shows all series", func() error {
		families, err := e.scrape(t)
		if err != nil {
			return err
		}
		return errors.Join(exporterErrors(families), differences(families, expected))
	})
}

func freeUDPAddress(t *testing.T) string {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().String()
}

func (e *statsdExporter) scrape(t *testing.T) (map[string]*dto.MetricFamily, error) {
	r, err := harness.Get(t.Context(), e.metrics)
	if err != nil {
		return nil, err
	}
	if r.Status != http.StatusOK {
		return nil, fmt.Errorf("status %d: %s", r.Status, r.Body)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	return parser.TextToMetricFamilies(strings.NewReader(r.Body))
}

// exporterErrors returns the errors that the exporter counted.
func exporterErrors(families map[string]*dto.MetricFamily) error {
	var errs []error
	for _, name := range []string{"statsd_exporter_sample_errors_total", "statsd_exporter_tag_errors_total", "statsd_exporter_events_error_total"} {
		for _, m := range families[name].GetMetric() {
			if v := m.GetCounter().GetValue(); v > 0 {
				errs = append(errs, fmt.Errorf("%s %v is %g", name, m.GetLabel(), v))
			}
		}
	}
	return errors.Join(errs...)
}

// sent is a series that the exporter should expose.
type sent struct {
	labels map[string]string
	value  float64
}

// dogstatsdPods yield a few thousand series.
const dogstatsdPods = 400

// dogstatsdSeries returns ten series for each Pod, and the families that they should
// become. added is added to the values.
func dogstatsdSeries(pods int, added float64) (run *sink.Run, n int, expected map[string][]sent) {
	var all []*sink.Series
	expected = map[string][]sent{}
	values := []float64{0, 1, -2.5, 0.1, 1501569018.25, 1e21, 1.5e-7, math.MaxFloat64, 1 << 53}
	texts := []struct{ sent, shown string }{
		{"plain", "plain"}, {"registry.example.com:5000/a:1.4@sha256", "registry.example.com:5000/a:1.4@sha256"},
		{"one,two|three\nfour", "one_two_three_four"}, {"日本 🙂", "日本 🙂"}, {`"quoted" \`, `"quoted" \`}, {"a#b=c", "a#b=c"},
		{"\xff", "\uFFFD"},
	}
	var metrics []*sink.Metric
	for i := range 10 {
		metrics = append(metrics, &sink.Metric{Name: fmt.Sprint("kubernetes_state.pod.family_", i)})
	}
	for i := range pods {
		block := &sink.Block{Tags: []sink.Tag{{Key: "kube_namespace", Value: "shop"}, {Key: "pod_name", Value: fmt.Sprint("pod-", i)}}}
		labels := map[string]string{"env": "prod", "kube_namespace": "shop", "pod_name": fmt.Sprint("pod-", i)}
		if i%2 == 0 {
			block.Host = fmt.Sprint("node-", i%7)
			labels["host"] = block.Host
		}
		for j, metric := range metrics {
			text, value := texts[(i+j)%len(texts)], values[(i*j)%len(values)]+added
			s := &sink.Series{Metric: metric, Block: block, Value: value}
			own := maps.Clone(labels)
			if j > 0 {
				s.Tags = []sink.Tag{{Key: "image", Value: text.sent}}
				own["image"] = text.shown
			}
			all = append(all, s)
			name := strings.ReplaceAll(metric.Name, ".", "_")
			expected[name] = append(expected[name], sent{own, value})
		}
	}
	return &sink.Run{Series: slices.Values(all), Checks: func(func(*sink.Check) bool) {}}, len(all), expected
}

// differences compares what was sent with what is exposed.
func differences(families map[string]*dto.MetricFamily, expected map[string][]sent) error {
	var errs []error
	for name, series := range expected {
		shown := map[string]float64{}
		for _, m := range families[name].GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			shown[fmt.Sprint(labels)] = m.GetGauge().GetValue()
		}
		for _, s := range series {
			if v, ok := shown[fmt.Sprint(s.labels)]; !ok || v != s.value {
				errs = append(errs, fmt.Errorf("%s%v is %g, want %g (there: %t)", name, s.labels, v, s.value, ok))
			}
		}
		if len(shown) != len(series) {
			errs = append(errs, fmt.Errorf("%s has %d series, want %d", name, len(shown), len(series)))
		}
	}
	if len(errs) > 5 {
		errs = append(errs[:5], fmt.Errorf("and %d more", len(errs)-5))
	}
	return errors.Join(errs...)
}

// statsd_exporter exposes every series with its labels and value, and reports no
// errors.
func TestDogStatsD(t *testing.T) {
	for _, transport := range []string{"udp", "unix"} {
		t.Run(transport, func(t *testing.T) {
			e := newStatsdExporter(t)
			e.start(t)
			config, pods := dogstatsd.Config{Address: "unix://" + e.socket}, dogstatsdPods
			if transport == "udp" {
				config.Address, pods = "udp://"+e.udp, 60 // so that nothing is lost: a socket buffer holds them all
			}
			s := dogstatsdSink(t, config)
			run, n, expected := dogstatsdSeries(pods, 0)
			sinktest.Send(t, s, run)
			closeSink(t, s)
			e.waitFor(t, expected)
			if stats := s.Stats(); stats.Series != uint64(n) || stats.Dropped != 0 || stats.Buffered != 0 {
				t.Errorf("stats %+v of %d series", stats, n)
			}
		})
	}
}

func dogstatsdSink(t *testing.T, c dogstatsd.Config) *dogstatsd.Sink {
	t.Helper()
	// The exporter does not accept empty tags.
	c.Tags, c.AgentHost = []sink.Tag{{Key: "env", Value: "prod"}}, true
	s, err := dogstatsd.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Nothing is lost while the exporter is down or stopped.
func TestDogStatsDOutage(t *testing.T) {
	e := newStatsdExporter(t)
	s := dogstatsdSink(t, dogstatsd.Config{Address: "unix://" + e.socket, Timeout: 100 * time.Millisecond})
	run, first, expected := dogstatsdSeries(dogstatsdPods, 0)
	sinktest.CheckError(t, sinktest.Try(t, s, run), "receiver unavailable; buffered packets: ")
	if stats := s.Stats(); stats.Series != 0 || stats.Buffered == 0 {
		t.Errorf("stats %+v without exporter", stats)
	}
	e.start(t)
	e.waitFor(t, expected)

	e.Signal(syscall.SIGSTOP)
	for range 10 {
		// Large enough that no value is negative, which the exporter would subtract.
		run, second, changed := dogstatsdSeries(dogstatsdPods, 3)
		sinktest.CheckError(t, sinktest.Try(t, s, run), "buffered packets: ")
		expected, first = changed, first+second
	}
	if stats := s.Stats(); stats.Buffered == 0 {
		t.Errorf("stats %+v with a stopped exporter", stats)
	}
	e.Signal(syscall.SIGCONT)
	closeSink(t, s)
	e.waitFor(t, expected)
	if stats := s.Stats(); stats.Series != uint64(first) || stats.Dropped != 0 || stats.Buffered != 0 {
		t.Errorf("stats %+v of %d series", stats, first)
	}
}
