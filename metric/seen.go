package metric

import (
	"hash/maphash"
	"slices"
)

// seen remembers the samples of one family of one object, so that no duplicate series
// is emitted. Up to scanned samples are compared linearly; more are looked up by hash.
// Its memory is reused for all families.
type seen struct {
	series []series
	values []string // values of all series, concatenated
	names  []string // likewise for names of series with their own names
	seed   maphash.Seed
	index  []int32 // open addressing: index in series plus one; 0: free
}

// series is the labels of a sample without the identity labels.
type series struct{ names, values []string }

const (
	scanned = 16
	// maxSeen bounds the number of series for which memory is kept.
	maxSeen = 4096
)

func (s *seen) reset() {
	if cap(s.series) > maxSeen {
		*s = seen{seed: s.seed}
	}
	s.series, s.values, s.names, s.index = s.series[:0], s.values[:0], s.names[:0], s.index[:0]
}

// add adds a series and reports whether it is new. The names are copied if they are
// dynamic; otherwise they must not change.
func (s *seen) add(names, values []string, dynamic bool) bool {
	fresh, slot := s.look(names, values)
	if !fresh {
		return false
	}
	if dynamic {
		s.names = append(s.names, names...)
		names = s.names[len(s.names)-len(names):]
	}
	s.values = append(s.values, values...)
	s.series = append(s.series, series{names, s.values[len(s.values)-len(values):]})
	switch n := len(s.series); {
	case n <= scanned:
	case 2*n > len(s.index):
		s.grow()
	default:
		s.index[slot] = int32(n)
	}
	return true
}

// look reports whether a series is new, and its slot in the index.
func (s *seen) look(names, values []string) (fresh bool, slot int) {
	if len(s.index) == 0 {
		for i := range s.series {
			if s.series[i].equal(names, values) {
				return false, 0
			}
		}
		return true, 0
	}
	mask := len(s.index) - 1
	for slot = int(s.hash(values)) & mask; s.index[slot] != 0; slot = (slot + 1) & mask {
		if s.series[s.index[slot]-1].equal(names, values) {
			return false, slot
		}
	}
	return true, slot
}

// grow makes the index at least four times as large as the number of series.
func (s *seen) grow() {
	if s.seed == (maphash.Seed{}) {
		s.seed = maphash.MakeSeed()
	}
	size := 4 * scanned
	for size < 4*len(s.series) {
		size *= 2
	}
	s.index = slices.Grow(s.index[:0], size)[:size]
	clear(s.index)
	for i := range s.series {
		slot := int(s.hash(s.series[i].values)) & (size - 1)
		for s.index[slot] != 0 {
			slot = (slot + 1) & (size - 1)
		}
		s.index[slot] = int32(i + 1)
	}
}

func (s *seen) hash(values []string) (h uint32) {
	for _, v := range values {
		h = h*31 + uint32(maphash.String(s.seed, v))
	}
	return h
}

// equal compares values from the end, where series of an object differ most.
func (s *series) equal(names, values []string) bool {
	if len(s.values) != len(values) || len(s.names) != len(names) {
		return false
	}
	for i, value := range slices.Backward(values) {
		if s.values[i] != value {
			return false
		}
	}
	return len(names) == 0 || &s.names[0] == &names[0] || slices.Equal(s.names, names)
}
