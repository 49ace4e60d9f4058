package naming

import (
	"math"
	"sync/atomic"

	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/sink"
)

// A Point is a sample on its way to becoming a series or part of an aggregation: what
// the functions of a naming scheme see of it. It and its strings are valid only
// during the call.
type Point struct {
	Value float64
	// Order says which sample an aggregation takes that keeps the latest; less than 2⁶¹.
	Order int64

	names, values []string
	tags          []sink.Tag
	dropped       uint64 // labels that become no tags, by index
}

// Reset makes p a sample with these labels, to which nothing was done. It keeps the
// slices, and allocates nothing.
func (p *Point) Reset(value float64, names, values []string) {
	*p = Point{Value: value, names: names, values: values, tags: p.tags[:0]}
}

// Label returns the value of a label, own or of the object; empty where there is
// none.
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

// Labels returns the labels of the sample, which are not to be changed.
func (p *Point) Labels() (names, values []string) { return p.names, p.values }

// Drop keeps a label that is the sample's own from becoming a tag.
func (p *Point) Drop(label string) {
	for i, n := range p.names {
		if n == label && i < 64 {
			p.dropped |= 1 << i
		}
	}
}

// Dropped reports whether the label of an index in Labels was dropped.
func (p *Point) Dropped(i int) bool { return i < 64 && p.dropped&(1<<i) != 0 }

// Set adds a tag. No join sees it, and its key is not mapped.
func (p *Point) Set(key, value string) { p.tags = append(p.tags, sink.Tag{Key: key, Value: value}) }

// Tags returns the tags that Set added, in their order, until the next Reset.
func (p *Point) Tags() []sink.Tag { return p.tags }

// A Tracker sees objects themselves, for values that depend on what they were
// before. Its methods are called one at a time.
type Tracker interface {
	// Extend returns a planned table with rows for the families that Put emits of its
	// objects. The rows emit nothing themselves; they say which fields Put reads
	// (kind.Row.Reading). The same table: its objects are not shown to Put.
	Extend(t *kind.Table) (*kind.Table, error)
	// Put says that an object of a resource was added or changed, and emits what is
	// to be said of it.
	Put(resource string, o kind.Object, emit func(Tracked))
	// Delete says that an object is gone.
	Delete(resource, namespace, name string)
}

// Tracked is a sample that a Tracker emits: no own labels, and a value that may
// change without the object.
type Tracked struct {
	Family string
	Value  *Moving
}

// Moving is a number that its holder may change while others read it.
type Moving struct{ bits atomic.Uint64 }

// Set changes the number.
func (m *Moving) Set(v float64) { m.bits.Store(math.Float64bits(v)) }

// Get returns the number.
func (m *Moving) Get() float64 { return math.Float64frombits(m.bits.Load()) }
