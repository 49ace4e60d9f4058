package metric

import (
	"fmt"
	"slices"
	"strconv"
	"unsafe"
)

// Sample is one series of one object. It and its slices and strings are valid
// only until the Sink's method returns: a Sink that keeps a string clones it.
type Sample struct {
	Desc    *Desc
	Family  int      // index into Schema.Families
	Names   []string // identity label names first
	Values  []string // as many as Names
	Value   float64
	Dynamic bool // Names were made for this sample and may differ from Schema.LabelNames
}

// A Sink receives the samples of one object after another. The samples of one
// family arrive together and families arrive in the order of the schema.
// identity holds the values of the identity labels and is valid until the next
// Begin.
type Sink interface {
	Begin(s *Schema, identity []string)
	Sample(s *Sample)
}

// An Emitter hands the samples of an object to a Sink. Of samples of one family
// with equal labels only the first is handed on: no series occurs twice. An Emitter
// is reused from object to object, so that emitting allocates nothing once its
// buffers have grown. It is not safe for concurrent use: use one per goroutine.
type Emitter struct {
	sink    Sink
	schema  *Schema
	ids     int      // number of identity labels
	values  []string // identity values, then the current sample's own
	names   []string // likewise, for samples whose label names are their own
	sample  Sample
	scratch []byte // text of the strings that Concat, Int and Lower make
	derive  deriver
	seen    seen
	err     error // the first that was passed to Reject since Family
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

// Family says which family the following samples belong to.
func (e *Emitter) Family(i int) {
	e.sample.Family, e.sample.Desc = i, &e.schema.Families[i]
	e.values = e.values[:e.ids]
	e.names = append(e.names[:0], e.schema.names[i][:e.ids]...)
	e.seen.reset()
	e.err = nil
}

// Reject notes that a sample of the current family is left out, and why: the object
// has a value that cannot be shown. The other samples are emitted all the same.
func (e *Emitter) Reject(err error) {
	if e.err == nil {
		e.err = err
	}
}

// Rejected returns the first error that was passed to Reject since the last call
// of Family, nil if there was none.
func (e *Emitter) Rejected() error { return e.err }

// Add emits one sample of the current family unless one with the same labels was
// emitted. labels are the values of the
// family's own labels, all of them and in order; anything else is a mistake in
// the table and panics.
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

// Label adds a label to the next sample whose label names are its own; see
// AddLabeled. A name that no format could write is a mistake in the table and
// panics.
func (e *Emitter) Label(name, value string) {
	if !validLabel(name) {
		panic(fmt.Sprintf("metric: %s: %q is no label; %s", e.sample.Desc.Name, name, labelRule))
	}
	e.label(name, value)
}

func (e *Emitter) label(name, value string) {
	e.names, e.values = append(e.names, name), append(e.values, value)
}

// AddLabeled emits one sample of the current family with the labels that Label
// and LabelMap added since the last.
func (e *Emitter) AddLabeled(value float64) {
	if e.seen.add(e.names[e.ids:], e.values[e.ids:], true) {
		e.sample.Names, e.sample.Values, e.sample.Value, e.sample.Dynamic = e.names, e.values, value, true
		e.sink.Sample(&e.sample)
	}
	e.names, e.values = e.names[:e.ids], e.values[:e.ids]
}

// Concat returns the parts as one string. The string lives in memory of the
// Emitter and is valid until the next Begin.
func (e *Emitter) Concat(parts ...string) string {
	start := len(e.scratch)
	for _, p := range parts {
		e.scratch = append(e.scratch, p...)
	}
	return e.view(start)
}

// Int returns n as decimal digits. The string lives in memory of the Emitter
// and is valid until the next Begin.
func (e *Emitter) Int(n int64) string {
	start := len(e.scratch)
	e.scratch = strconv.AppendInt(e.scratch, n, 10)
	return e.view(start)
}

// Lower returns s with the ASCII letters A to Z in lower case. The string lives
// in memory of the Emitter and is valid until the next Begin.
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

// view returns scratch[start:] without a copy. Those bytes are written once:
// appending goes behind them or to a new array.
func (e *Emitter) view(start int) string {
	b := e.scratch[start:]
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// SortedKeys returns the keys of m in ascending order, in memory of the Emitter
// that is valid until the next call of SortedKeys or LabelMap.
func SortedKeys[K ~string, V any](e *Emitter, m map[K]V) []string {
	keys := e.derive.keys[:0]
	for k := range m {
		keys = append(keys, string(k))
	}
	slices.Sort(keys)
	e.derive.keys = keys
	return keys
}
