package jsonlines

import (
	"testing"

	"github.com/kubestate/kubestate/internal/sinktest"
)

func BenchmarkSend(b *testing.B) {
	s, err := New(Config{Output: discard{}})
	if err != nil {
		b.Fatal(err)
	}
	const n = 10_000
	run := sinktest.Typical(n)
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Send(b.Context(), run); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/series")
}
