package series

import (
	"github.com/kubestate/kubestate/agent/internal/compile"
	"github.com/kubestate/kubestate/agent/naming"
	"math"
)

// accumulator is the total of some values, which are words of parts. What was added can
// be removed again, in any order, and nothing remains of it.
type accumulator struct {
	n       int32 // how many values there are
	waiting int32 // how many do not count yet: parts of Feeds that were not read
	// The sum is hi + lo: twice the digits of a float64, so that what rounding loses
	// does not add up over years.
	hi, lo float64
	more   *rare // nil: nothing
}

// rare is what few totals need.
type rare struct {
	infinite [2]int  // how many values are -Inf and +Inf; they are in no sum
	ranking  ranking // for the least, the greatest and the latest
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

// sum adds v. Knuth's TwoSum says exactly what rounding loses; lo keeps it.
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

// value returns the total. There is at least one value.
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
