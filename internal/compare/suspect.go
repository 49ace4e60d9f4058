package compare

import "math"

// maxLabels is the maximum number of label sets kept for details.
const maxLabels = 100_000

// suspect is a sample that differed on the last read.
type suspect struct {
	family    uint32
	order     int // position in the exposition of the side that has it
	labels    string
	repairs   uint32 // bit set of the repairs that match
	now, last state
}

// state is the values of both sides, as bits, so that NaN equals itself.
type state struct {
	values [2]uint64 // of the first occurrence
	counts [2]uint16
}

func (s *state) value(side int) float64 { return math.Float64frombits(s.values[side]) }

func (s *state) equal() bool {
	return s.counts[0] == s.counts[1] && same(s.value(0), s.value(1))
}

func (s *state) kind() Kind {
	switch {
	case s.counts[1] == 0:
		return Missing
	case s.counts[0] == 0:
		return Extra
	case s.counts[0] != s.counts[1]:
		return Repeated
	default:
		return Different
	}
}

// note records a sample of a side.
func (x *comparer) note(v *suspect, s *sample, side int) {
	if v.now.counts[side]++; v.now.counts[side] > 1 {
		return
	}
	v.now.values[side] = math.Float64bits(s.value)
	v.repairs |= x.matching(s)
	v.order = x.samples
	if v.labels == "" && x.kept < maxLabels {
		v.labels = string(s.labels)
		x.kept++
	}
}
