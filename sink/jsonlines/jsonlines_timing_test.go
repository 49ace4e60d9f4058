package jsonlines

import (
	"fmt"
	"testing"

	"github.com/kubestate/kubestate/sink"
)

// typical is a run of n series with 3 tags beside the 15 that the 20 series of an
// object share.
func typical(n int) *sink.Run {
	const perObject = 20
	metric := &sink.Metric{Name: "kubernetes_state.container.status_report.count.waiting"}
	blocks := make([]*sink.Block, (n+perObject-1)/perObject)
	for i := range blocks {
		blocks[i] = &sink.Block{Host: fmt.Sprint("node-", i%100, "-cluster")}
		for j := range 15 {
			blocks[i].Tags = append(blocks[i].Tags, sink.Tag{Key: fmt.Sprint("kube_tag_", j), Value: fmt.Sprint("value-of-", i)})
		}
	}
	own := tags("kube_container_name", "cart", "phase", "running", "reason", "crashloopbackoff")
	return &sink.Run{
		Series: func(yield func(*sink.Series) bool) {
			var s sink.Series
			for i := range n {
				s = sink.Series{Metric: metric, Block: blocks[i/perObject], Tags: own, Value: float64(i % 3)}
				if !yield(&s) {
					return
				}
			}
		},
		Checks: func(func(*sink.Check) bool) {},
	}
}

func BenchmarkSend(b *testing.B) {
	s, err := New(Config{Output: discard{}})
	if err != nil {
		b.Fatal(err)
	}
	const n = 10_000
	run := typical(n)
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Send(b.Context(), run); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/series")
}
