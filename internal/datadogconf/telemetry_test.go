package datadogconf

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate/agent/naming/datadog"
	"github.com/kubestate/kubestate/sink"
)

// memory is a sink that keeps what it is sent.
type memory struct {
	sink.Sink
	got []sink.Series
}

func (m *memory) Send(_ context.Context, r *sink.Run) error {
	for s := range r.Series {
		m.got = append(m.got, *s)
	}
	return nil
}

func TestTelemetry(t *testing.T) {
	var m memory
	tags := []sink.Tag{{Key: "z", Value: "1"}, {Key: "a", Value: "2"}}
	to := Telemetry(&m, datadog.Scheme(), func() []sink.Tag { return tags })
	block := &sink.Block{}
	var run []*sink.Series
	for _, name := range []string{"container.ready", "container.ready", "pod.count", "node.cpu_capacity", "node.cpu_capacity.total", "resourcequota.pods.limit", "deployment.rollout_duration"} {
		run = append(run, &sink.Series{Metric: &sink.Metric{Name: "kubernetes_state." + name}, Block: block, Value: 1})
	}
	if err := to.Send(t.Context(), &sink.Run{Series: slices.Values(run), Changes: true}); err != nil {
		t.Fatal(err)
	}
	if len(m.got) != len(run) {
		t.Errorf("%d series in a run of %d changes", len(m.got), len(run))
	}
	m.got = nil
	if err := to.Send(t.Context(), &sink.Run{Series: slices.Values(run)}); err != nil {
		t.Fatal(err)
	}
	if len(m.got) != len(run)+6 {
		t.Fatalf("%d series", len(m.got))
	}
	type series struct {
		Name, Resource string
		Value          float64
	}
	var got []series
	for _, s := range m.got[len(run):] {
		x := series{Name: s.Metric.Name, Value: s.Value}
		if len(s.Tags) > 0 {
			x.Resource = s.Tags[0].Value
		}
		got = append(got, x)
		if diff := cmp.Diff([]sink.Tag{{Key: "a", Value: "2"}, {Key: "z", Value: "1"}}, s.Block.Tags); diff != "" || s.Block.Host != "" {
			t.Errorf("block %+v", s.Block)
		}
	}
	const prefix = "kubernetes_state.telemetry."
	want := []series{
		{prefix + "metrics.count.total", "", 7},
		{prefix + "unknown_metrics.count", "", 0},
		{prefix + "metrics.count", "deployment", 1},
		{prefix + "metrics.count", "node", 2},
		{prefix + "metrics.count", "pod", 3},
		{prefix + "metrics.count", "resourcequota", 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
