package series

import (
	"math"

	"github.com/kubestate/kubestate/agent/internal/compile"
	"github.com/kubestate/kubestate/agent/naming"
)

// accumulator aggregates values, given as words of parts. Values can be removed in any
// order, and leave no rounding error behind.
type accumulator struct {
	n       int32 // number of values
	waiting int32 // of which do not count yet, because their Feed is not synced
	// The sum is hi + lo: twice the precision of a float64, so that rounding errors do not
	// accumulate over years.
	hi, lo float64
	more   *rare // nil if unused
}

// rare is what few aggregations need.
type rare struct {
	infinite [2]int  // numbers of -Inf and +Inf values, which are not in the sum
	ranking  ranking // for min, max and latest
}

func (t *accumulator) add(op naming.Op, word uint64) {
	t.n++
	switch op {
	case naming.Sum:
		t.sum(math.Float64frombits(word), 1)
	case naming.Min, naming.Max, naming.Latest:
		t.rest().ranking.add(op, word)
	}
}

func (t *accumulator) remove(op naming.Op, word uint64) {
	t.n--
	switch op {
	case naming.Sum:
		t.sum(-math.Float64frombits(word), -1)
	case naming.Min, naming.Max, naming.Latest:
		t.rest().ranking.remove(op, word)
	}
}

func (t *accumulator) rest() *rare {
	if t.more == nil {
		t.more = &rare{}
	}
	return t.more
}

// sum adds v. Knuth's TwoSum returns the exact rounding error, which lo keeps.
func (t *accumulator) sum(v float64, n int) {
	if math.IsInf(v, 0) {
		// v has the sign of the value times n.
		if math.IsInf(v, n) {
			t.rest().infinite[1] += n
		} else {
			t.rest().infinite[0] += n
		}
		return
	}
	s, lost := twoSum(t.hi, v)
	t.hi, t.lo = twoSum(s, t.lo+lost)
}

func twoSum(a, b float64) (sum, lost float64) {
	sum = a + b
	x := sum - a
	return sum, (a - (sum - x)) + (b - x)
}

// value returns the aggregate. There must be at least one value.
func (t *accumulator) value(op naming.Op) float64 {
	switch op {
	case naming.Count:
		return float64(t.n)
	case naming.Min:
		return math.Float64frombits(t.more.ranking.first())
	case naming.Max:
		return math.Float64frombits(t.more.ranking.last())
	case naming.Latest:
		return float64(compile.StatusOf(t.more.ranking.last()))
	case naming.Sum:
	}
	switch {
	case t.more == nil || t.more.infinite == [2]int{}:
		return t.hi + t.lo
	case t.more.infinite[1] == 0:
		return math.Inf(-1)
	case t.more.infinite[0] == 0:
		return math.Inf(1)
	default:
		return math.NaN()
	}
}
