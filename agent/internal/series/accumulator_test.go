package series

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kubestate/kubestate/agent/internal/compile"
	"github.com/kubestate/kubestate/agent/naming"
)

// After values are added and removed in any order, the aggregate is that of the remaining
// values, with exact sums.
func TestAccumulator(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	type sample struct {
		value float64
		order int64
	}
	word := func(op naming.Op, s sample) uint64 {
		if op == naming.Latest {
			status := []naming.Status{naming.OK, naming.Warning, naming.Critical}[int(s.value)]
			compiled, _ := naming.SinkStatus(status)
			return compile.LatestWord(s.order, compiled)
		}
		return math.Float64bits(s.value)
	}
	for _, op := range []naming.Op{naming.Sum, naming.Count, naming.Min, naming.Max, naming.Latest} {
		var x accumulator
		var left []sample
		for range 4_000 {
			if len(left) > 0 && r.IntN(len(left)+200) < len(left) {
				i := r.IntN(len(left))
				x.remove(op, word(op, left[i]))
				left = slices.Delete(left, i, i+1)
			} else {
				// From tiny to huge, so that naive addition would lose precision.
				s := sample{value: (r.Float64() - 0.3) * math.Pow(10, float64(r.IntN(16)))}
				if op == naming.Latest {
					s = sample{value: float64(r.IntN(3)), order: int64(r.IntN(20)) - 10}
				}
				x.add(op, word(op, s))
				left = append(left, s)
			}
			if len(left) == 0 {
				continue
			}
			exact := new(big.Float).SetPrec(400)
			least, greatest, latest := math.Inf(1), math.Inf(-1), left[0]
			for _, s := range left {
				exact.Add(exact, big.NewFloat(s.value))
				least, greatest = min(least, s.value), max(greatest, s.value)
				if s.order > latest.order || s.order == latest.order && s.value > latest.value {
					latest = s
				}
			}
			sum, _ := exact.Float64()
			want := map[naming.Op]float64{naming.Sum: sum, naming.Count: float64(len(left)), naming.Min: least, naming.Max: greatest, naming.Latest: latest.value}[op]
			if got := x.value(op); got != want {
				t.Fatalf("%s of %d values is %v, want %v", op, len(left), got, want)
			}
		}
	}
}

func TestSumsOfInfinities(t *testing.T) {
	var x accumulator
	inf := math.Inf(1)
	x.add(naming.Sum, math.Float64bits(1))
	x.add(naming.Sum, math.Float64bits(inf))
	if x.value(naming.Sum) != inf {
		t.Error("lost infinity")
	}
	x.add(naming.Sum, math.Float64bits(-inf))
	if !math.IsNaN(x.value(naming.Sum)) {
		t.Error("both infinities do not sum to NaN")
	}
	x.remove(naming.Sum, math.Float64bits(inf))
	if x.value(naming.Sum) != -inf {
		t.Error("removed the wrong infinity")
	}
	x.remove(naming.Sum, math.Float64bits(-inf))
	if x.value(naming.Sum) != 1 {
		t.Error("a removed infinity remains")
	}
}
