package naming

import (
	"math"
	"sync/atomic"

	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/sink"
)

// A Point is a sample before it becomes a series or part of an aggregation, as functions
// of a naming scheme see it. It and its strings are valid only during the call.
type Point struct {
	Value float64
	// Order ranks samples for Latest, which takes the highest; less than 2⁶¹.
	Order int64

	names, values []string
	tags          []sink.Tag
	dropped       uint64 // bit set of the indexes of labels that do not become tags
}

// Reset makes p an unmodified sample with these labels. It retains the slices, and allocates
// nothing.
func (p *Point) Reset(value float64, names, values []string) {
	*p = Point{Value: value, names: names, values: values, tags: p.tags[:0]}
}

// Label returns the value of a label of the sample or its object; empty if there is none.
func (p *Point) Label(name string) string {
	v, _ := p.Lookup(name)
	return v
}

// Lookup returns the value of a label, and whether the sample has it.
func (p *Point) Lookup(name string) (string, bool) {
	for i, n := range p.names {
		if n == name {
			return p.values[i], true
		}
	}
	return "", false
}

// Labels returns the labels of the sample. The caller must not modify them.
func (p *Point) Labels() (names, values []string) { return p.names, p.values }

// Drop keeps one of the sample's own labels from becoming a tag.
func (p *Point) Drop(label string) {
	for i, n := range p.names {
		if n == label && i < 64 {
			p.dropped |= 1 << i
		}
	}
}

// Dropped reports whether the label at index i of Labels was dropped.
func (p *Point) Dropped(i int) bool { return i < 64 && p.dropped&(1<<i) != 0 }

// Set adds a tag. Joins do not see it, and its key is not mapped.
func (p *Point) Set(key, value string) { p.tags = append(p.tags, sink.Tag{Key: key, Value: value}) }

// Tags returns the tags that Set added, in order. They are valid until the next Reset.
func (p *Point) Tags() []sink.Tag { return p.tags }

// A Tracker sees the objects themselves, for values that depend on their history. Calls of
// its methods are serialized.
type Tracker interface {
	// Extend returns a planned table with rows for the families that Put emits for its
	// objects. The rows emit nothing themselves; they declare the fields that Put reads
	// (kind.Row.Reading). If it returns t itself, Put does not get the table's objects.
	Extend(t *kind.Table) (*kind.Table, error)
	// Put is called when an object of a resource is added or changed, and emits its samples.
	Put(resource string, o kind.Object, emit func(Tracked))
	// Delete is called when an object is deleted.
	Delete(resource, namespace, name string)
}

// Tracked is a sample that a Tracker emits. It has no labels of its own, and its value may
// change while the object does not.
type Tracked struct {
	Family string
	Value  *Moving
}

// Moving is a number that is safe for concurrent use.
type Moving struct{ bits atomic.Uint64 }

// Set changes the number.
func (m *Moving) Set(v float64) { m.bits.Store(math.Float64bits(v)) }

// Get returns the number.
func (m *Moving) Get() float64 { return math.Float64frombits(m.bits.Load()) }
