package series

import (
	"fmt"
	"github.com/kubestate/kubestate/agent/naming"
	"math"
	"testing"
)

// BenchmarkAccumulator changes one of many different values.
func BenchmarkAccumulator(b *testing.B) {
	for _, op := range []naming.Op{naming.Sum, naming.Max} {
		for _, n := range []int{100, 100_000} {
			b.Run(fmt.Sprintf("%s/values=%d", op, n), func(b *testing.B) {
				var x accumulator
				word := func(i int) uint64 { return math.Float64bits(float64(i * 7919 % n)) } // all, in no order
				for i := range n {
					x.add(op, word(i))
				}
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					x.remove(op, word(i%n))
					x.add(op, word(i%n))
				}
			})
		}
	}
}
