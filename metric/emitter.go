package metric

import (
	"fmt"
	"slices"
	"strconv"
	"unsafe"
)

// Sample is one series of an object. It, its slices and its strings are valid only
// until the method of the Sink returns: a Sink that keeps a string has to clone it.
type Sample struct {
	Desc    *Desc
	Family  int      // index into Schema.Families
	Names   []string // names of identity labels first
	Values  []string // one per name
	Value   float64
	Dynamic bool // Names were made for this sample and may differ from Schema.LabelNames
}

// A Sink receives the samples of objects, one object after another. Samples are grouped
// by family, and families are in the order of the schema. identity has the values of
// the identity labels and is valid until the next Begin.
type Sink interface {
	Begin(s *Schema, identity []string)
	Sample(s *Sample)
}

// An Emitter passes the samples of an object to a Sink. Of samples of a family with
// equal labels only the first is passed on, so there are no duplicate series. An
// Emitter is reused for all objects and allocates nothing once its buffers have grown.
// It is not safe for concurrent use: use one per goroutine.
type Emitter struct {
	sink    Sink
	schema  *Schema
	ids     int      // number of identity labels
	values  []string // identity values, then those of the current sample
	names   []string // likewise, for samples with their own label names
	sample  Sample
	scratch []byte // text of the strings returned by Concat, Int and Lower
	derive  deriver
	seen    seen
	err     error // first error passed to Reject since Family
}

// NewEmitter returns an Emitter for sink.
func NewEmitter(sink Sink) *Emitter {
	return &Emitter{sink: sink}
}

// Begin starts an object, identified by the values of the identity labels.
func (e *Emitter) Begin(s *Schema, identity ...string) {
	if len(identity) != len(s.Identity) {
		panic("metric: " + s.Resource + ": wrong number of identity label values")
	}
	e.schema = s
	e.values = append(e.values[:0], identity...)
	e.ids = len(e.values)
	e.scratch = e.scratch[:0]
	e.sink.Begin(s, e.values)
}

// Family selects the family of the following samples.
func (e *Emitter) Family(i int) {
	e.sample.Family, e.sample.Desc = i, &e.schema.Families[i]
	e.values = e.values[:e.ids]
	e.names = append(e.names[:0], e.schema.names[i][:e.ids]...)
	e.seen.reset()
	e.err = nil
}

// Reject records that a sample of the current family is left out, and why: the object
// has a value that cannot be exposed. Other samples are still emitted.
func (e *Emitter) Reject(err error) {
	if e.err == nil {
		e.err = err
	}
}

// Rejected returns the first error passed to Reject since the last call of Family, or
// nil.
func (e *Emitter) Rejected() error { return e.err }

// Add emits one sample of the current family, unless one with the same labels was
// emitted. labels are the values of the family's own labels, all of them, in order;
// anything else is an error in the table and panics.
func (e *Emitter) Add(value float64, labels ...string) {
	names := e.schema.names[e.sample.Family]
	e.values = append(e.values[:e.ids], labels...)
	if len(e.values) != len(names) {
		panic("metric: " + e.sample.Desc.Name + ": wrong number of label values")
	}
	if e.seen.add(names[e.ids:], e.values[e.ids:], false) {
		e.sample.Names, e.sample.Values, e.sample.Value, e.sample.Dynamic = names, e.values, value, false
		e.sink.Sample(&e.sample)
	}
	e.values = e.values[:e.ids]
}

// Label adds a label to the next sample with its own label names; see AddLabeled. An
// invalid name is an error in the table and panics.
func (e *Emitter) Label(name, value string) {
	if !validLabel(name) {
		panic(fmt.Sprintf("metric: %s: invalid label %q: %s", e.sample.Desc.Name, name, labelRule))
	}
	e.label(name, value)
}

func (e *Emitter) label(name, value string) {
	e.names, e.values = append(e.names, name), append(e.values, value)
}

// AddLabeled emits one sample of the current family with the labels added by Label and
// LabelMap since the last one.
func (e *Emitter) AddLabeled(value float64) {
	if e.seen.add(e.names[e.ids:], e.values[e.ids:], true) {
		e.sample.Names, e.sample.Values, e.sample.Value, e.sample.Dynamic = e.names, e.values, value, true
		e.sink.Sample(&e.sample)
	}
	e.names, e.values = e.names[:e.ids], e.values[:e.ids]
}

// Concat returns the concatenation of the parts. The string is in the memory of the
// Emitter and valid until the next Begin.
func (e *Emitter) Concat(parts ...string) string {
	start := len(e.scratch)
	for _, p := range parts {
		e.scratch = append(e.scratch, p...)
	}
	return e.view(start)
}

// Int returns n as decimal digits. The string is in the memory of the Emitter and valid
// until the next Begin.
func (e *Emitter) Int(n int64) string {
	start := len(e.scratch)
	e.scratch = strconv.AppendInt(e.scratch, n, 10)
	return e.view(start)
}

// Lower returns s with the ASCII letters A to Z in lower case. The string is in the
// memory of the Emitter and valid until the next Begin.
func (e *Emitter) Lower(s string) string {
	start := len(e.scratch)
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		e.scratch = append(e.scratch, c)
	}
	return e.view(start)
}

// view returns scratch[start:] as a string, without copying. Those bytes do not change:
// later ones are appended after them or to a new array.
func (e *Emitter) view(start int) string {
	b := e.scratch[start:]
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// SortedKeys returns the sorted keys of m. The slice is valid until the next call of
// SortedKeys or LabelMap.
func SortedKeys[K ~string, V any](e *Emitter, m map[K]V) []string {
	keys := e.derive.keys[:0]
	for k := range m {
		keys = append(keys, string(k))
	}
	slices.Sort(keys)
	e.derive.keys = keys
	return keys
}
