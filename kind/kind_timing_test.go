package kind_test

import (
	"testing"

	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// BenchmarkCollect collects the rich object of every kind, as text and into a sink that
// discards it.
func BenchmarkCollect(b *testing.B) {
	for _, table := range kind.All() {
		planned, object := rich(b, table)
		b.Run(table.Name+"/structured", func(b *testing.B) {
			sink := &counting{}
			benchmarkCollect(b, planned, object, sink)
			b.ReportMetric(float64(sink.samples)/float64(b.N), "samples/op")
		})
		b.Run(table.Name+"/text", func(b *testing.B) {
			benchmarkCollect(b, planned, object, exposition.NewWriter(planned.Schema()))
		})
	}
}

func benchmarkCollect(b *testing.B, table *kind.Table, object kind.Object, sink metric.Sink) {
	e := metric.NewEmitter(sink)
	b.ReportAllocs()
	for b.Loop() {
		if err := table.Collect(object, e); err != nil {
			b.Fatal(err)
		}
	}
}
