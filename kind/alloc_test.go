package kind_test

import (
	"testing"

	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// counting is a minimal sink that counts samples and labels.
type counting struct{ samples, labels int }

func (c *counting) Begin(*metric.Schema, []string) {}

func (c *counting) Sample(s *metric.Sample) {
	c.samples++
	c.labels += len(s.Names)
}

func TestAllocs(t *testing.T) {
	for _, table := range kind.All() {
		planned, object := rich(t, table)
		sinks := map[string]metric.Sink{
			"structured": &counting{},
			"text":       exposition.NewWriter(planned.Schema()),
		}
		for name, sink := range sinks {
			t.Run(table.Name+"/"+name, func(t *testing.T) {
				e := metric.NewEmitter(sink)
				n := testing.AllocsPerRun(100, func() {
					if err := planned.Collect(object, e); err != nil {
						t.Fatal(err)
					}
				})
				if n != 0 {
					t.Errorf("%v allocations per object, want none", n)
				}
			})
		}
	}
}
