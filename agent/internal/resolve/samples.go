package resolve

import (
	"slices"

	"github.com/kubestate/kubestate/agent/internal/compile"
	"github.com/kubestate/kubestate/metric"
)

// samples records the samples of one object, in memory that is reused for the next.
// It is a metric.Sink. Its strings are those of the object.
type samples struct {
	identity []string // values of the labels that identify the object
	list     []sample // ascending by family
	first    []int    // by family: index of its first sample; then the number of samples
	names    []string
	values   []string
}

// sample is one sample of an object.
type sample struct {
	family  int
	names   []string // of the schema; nil: in samples.names
	nameAt  int
	valueAt int
	n       int // labels
	value   float64
}

// Begin starts an object.
func (x *samples) Begin(_ *metric.Schema, identity []string) {
	x.identity = append(x.identity[:0], identity...)
}

// Sample records a sample. Its strings stay valid until the next Begin.
func (x *samples) Sample(s *metric.Sample) {
	r := sample{family: s.Family, valueAt: len(x.values), n: len(s.Values), value: s.Value}
	if s.Dynamic {
		r.nameAt = len(x.names)
		x.names = append(x.names, s.Names...)
	} else {
		r.names = s.Names
	}
	x.values = append(x.values, s.Values...)
	x.list = append(x.list, r)
}

func (x *samples) reset() {
	x.identity, x.list, x.first = x.identity[:0], x.list[:0], x.first[:0]
	x.names, x.values = x.names[:0], x.values[:0]
}

// index finds the first sample of each of n families.
func (x *samples) index(n int) {
	i := 0
	for f := range n {
		for i < len(x.list) && x.list[i].family < f {
			i++
		}
		x.first = append(x.first, i)
	}
	x.first = append(x.first, len(x.list))
}

// of returns the samples of a family; none of -1.
func (x *samples) of(family int) []sample {
	if family < 0 {
		return nil
	}
	return x.list[x.first[family]:x.first[family+1]]
}

// labels returns the labels of a sample, the identity first.
func (x *samples) labels(s *sample) (names, values []string) {
	names, values = s.names, x.values[s.valueAt:s.valueAt+s.n]
	if names == nil {
		names = x.names[s.nameAt : s.nameAt+s.n]
	}
	return names, values
}

// inState reports whether a sample of the families of a States rule has a state, and
// agrees with some labels in all others that both have.
func (x *samples) inState(of *compile.States, names, values []string, state string) bool {
	for _, family := range of.From {
		candidates := x.of(family)
		for i := range candidates {
			if candidates[i].value == 1 && x.agrees(&candidates[i], names, values, of.Label, state) {
				return true
			}
		}
	}
	return false
}

func (x *samples) agrees(s *sample, names, values []string, label, state string) bool {
	found := false
	theirNames, theirs := x.labels(s)
	for i, name := range theirNames {
		if name == label {
			if theirs[i] != state {
				return false
			}
			found = true
		} else if at := slices.Index(names, name); at >= 0 && values[at] != theirs[i] {
			return false
		}
	}
	return found
}
