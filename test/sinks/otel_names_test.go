package sinks

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/naming/otel"
	"github.com/kubestate/kubestate/internal/manifest"
	"github.com/kubestate/kubestate/internal/sinktest"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/sink/otlp"
)

const otelTestdata = "../../agent/naming/otel/testdata/"

// otelRun returns the run of the agent for one object of each kind, with the
// OpenTelemetry naming scheme.
func otelRun(t *testing.T, at time.Time) *sink.Run {
	t.Helper()
	a, err := agent.New(agent.Config{Scheme: otel.Scheme(), ClusterName: "prod", ClusterID: "cluster-1"})
	if err != nil {
		t.Fatal(err)
	}
	feeds := map[string]*agent.Feed{}
	for _, table := range a.Tables() {
		if feeds[table.Name], err = a.NewFeed(table.Name); err != nil {
			t.Fatal(err)
		}
		feeds[table.Name].Begin()
	}
	data, err := os.ReadFile(otelTestdata + "cluster.yaml")
	if err != nil {
		t.Fatal(err)
	}
	put := func(table *kind.Table, o kind.Object) { feeds[table.Name].Put(o) }
	if err := manifest.NewReader(a.Tables()).Read("cluster.yaml", data, put); err != nil {
		t.Fatal(err)
	}
	for _, f := range feeds {
		f.Commit()
	}
	return a.NewReader().Run(at)
}

// The agent's series for a cluster are sent to a real Collector. It must receive every
// metric of the conventions, with their instrument and unit, and every point with its
// resource.
func TestOTelNames(t *testing.T) {
	peer := startCollector(t, nil)
	now := time.Now()
	run := otelRun(t, now)
	sinktest.Send(t, otlpSink(t, otlp.Config{Connection: sink.Connection{URL: peer.http}}), run)

	// A request has the points of a resource by metric.
	if diff := cmp.Diff(unique(pointsOf(now, seriesOf(run), nil)), unique(peer.received(t))); diff != "" {
		t.Errorf("points (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(metricConventions(t), peer.metrics(t)); diff != "" {
		t.Errorf("metrics (-conventions +got):\n%s", diff)
	}
}

func seriesOf(run *sink.Run) (all []sink.Series) {
	for s := range run.Series {
		all = append(all, *s)
	}
	return all
}

// The same series are sent to the OTLP receiver of a real Prometheus, which rejects
// duplicate points.
func TestOTelNamesToPrometheus(t *testing.T) {
	server := startPrometheusWith(t, "otlp: {promote_all_resource_attributes: true, translation_strategy: NoTranslation}",
		"--web.enable-otlp-receiver")
	now := time.Now().Truncate(time.Millisecond)
	run := otelRun(t, now)
	s := otlpSink(t, otlp.Config{Connection: sink.Connection{URL: server.URL + "/api/v1/otlp/v1/metrics"}, Tags: []sink.Tag{{Key: "sent", Value: t.Name()}}})
	sinktest.Send(t, s, run)
	compare(t, "what Prometheus has", instant(t, server, now), otlpStateOf(seriesOf(run)))
	if got, want := s.Stats().Series, uint64(len(seriesOf(run))); got != want {
		t.Errorf("%d series accepted, want %d", got, want)
	}
	server.CheckLog(t)
}

// metricConventions returns instrument and unit of each metric in the conventions.
func metricConventions(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(otelTestdata + "semconv.txt")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); fields[0] != "#" {
			all[fields[0]] = fields[1] + " " + fields[2]
		}
	}
	return all
}

// metrics returns instrument and unit of each metric that the Collector received.
func (c *collector) metrics(t *testing.T) map[string]string {
	t.Helper()
	content, err := os.ReadFile(c.file)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for line := range strings.Lines(string(content)) {
		requests, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		for _, resource := range requests.ResourceMetrics().All() {
			for _, scope := range resource.ScopeMetrics().All() {
				for _, m := range scope.Metrics().All() {
					all[m.Name()] = instrument(m) + " " + m.Unit()
				}
			}
		}
	}
	return all
}

func instrument(m pmetric.Metric) string {
	switch {
	case m.Type() == pmetric.MetricTypeGauge:
		return "gauge"
	case m.Type() == pmetric.MetricTypeSum && !m.Sum().IsMonotonic() && m.Sum().AggregationTemporality() == pmetric.AggregationTemporalityCumulative:
		return "updowncounter"
	default:
		return fmt.Sprint("unexpected ", m.Type())
	}
}
