package agent

import (
	"cmp"
	"math"
	"slices"
)

// total is the total of some values. What was added can be removed again, in any
// order, and nothing remains of it.
type total struct {
	n int // how many values there are
	// The sum is hi + lo: twice the digits of a float64, so that what rounding loses
	// does not add up over years.
	hi, lo    float64
	infinite  [2]int   // how many values are -Inf and +Inf; they are in no sum
	ascending []ranked // for the least, the greatest and the latest
}

// ranked is how often a value is there.
type ranked struct {
	order int64
	value float64
	n     int
}

func (t *total) add(op Op, value float64, order int64) {
	t.n++
	switch op {
	case Sum:
		t.sum(value, 1)
	case Min, Max, Latest:
		i, found := t.find(value, order)
		if !found {
			t.ascending = slices.Insert(t.ascending, i, ranked{order: order, value: value})
		}
		t.ascending[i].n++
	}
}

func (t *total) remove(op Op, value float64, order int64) {
	t.n--
	switch op {
	case Sum:
		t.sum(-value, -1)
	case Min, Max, Latest:
		i, _ := t.find(value, order)
		if t.ascending[i].n--; t.ascending[i].n == 0 {
			t.ascending = slices.Delete(t.ascending, i, i+1)
		}
	}
}

func (t *total) find(value float64, order int64) (int, bool) {
	return slices.BinarySearchFunc(t.ascending, ranked{order: order, value: value}, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.value, b.value))
	})
}

// sum adds v. Knuth's TwoSum says exactly what rounding loses; lo keeps it.
func (t *total) sum(v float64, n int) {
	if math.IsInf(v, 0) {
		// v has the sign of the value times n.
		if math.IsInf(v, n) {
			t.infinite[1] += n
		} else {
			t.infinite[0] += n
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
func (t *total) value(op Op) float64 {
	switch op {
	case Count:
		return float64(t.n)
	case Min:
		return t.ascending[0].value
	case Max, Latest:
		return t.ascending[len(t.ascending)-1].value
	case Sum:
	}
	switch {
	case t.infinite[0] > 0 && t.infinite[1] > 0:
		return math.NaN()
	case t.infinite[0] > 0:
		return math.Inf(-1)
	case t.infinite[1] > 0:
		return math.Inf(1)
	default:
		return t.hi + t.lo
	}
}
