package kindtest

import (
	"slices"
	"strings"
	"testing"

	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// A Sample is a metric.Sample that stays valid.
type Sample struct {
	Family        string
	Names, Values []string
	Value         float64
}

// A Recorder is a sink that keeps everything it receives.
type Recorder struct {
	Samples []Sample
}

// Begin does nothing: the samples say which object they are of.
func (r *Recorder) Begin(*metric.Schema, []string) {}

// Sample keeps a copy of s.
func (r *Recorder) Sample(s *metric.Sample) {
	values := make([]string, len(s.Values))
	for i, v := range s.Values {
		values[i] = strings.Clone(v)
	}
	r.Samples = append(r.Samples, Sample{s.Desc.Name, slices.Clone(s.Names), values, s.Value})
}

// Record returns the samples of an object.
func Record(t testing.TB, table *kind.Table, o kind.Object) []Sample {
	t.Helper()
	var r Recorder
	if err := table.Collect(o, metric.NewEmitter(&r)); err != nil {
		t.Error(err)
	}
	return r.Samples
}
