package agent

import (
	"errors"
	"slices"
	"sync/atomic"

	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
	"github.com/kubestate/kubestate/sink"
)

// draft is what is made of one object, in memory that is reused for the next. Its
// strings are those of the object: what is kept of them is copied, and that only
// where it differs from what was kept before. It is a metric.Sink.
type draft struct {
	resource *resource
	tracker  *tracker // nil: it does not see the objects
	fixed    *atomic.Pointer[[]sink.Tag]
	emitter  *metric.Emitter
	emit     func(naming.Tracked) // addTracked

	identity []string
	samples  []sample
	first    []int // of each family: its first sample; then the number of samples
	names    []string
	values   []string

	baseNames   []string
	baseValues  []string
	baseMapping *mapping // of baseTags; nil: none yet
	baseTags    []sink.Tag
	ids         int
	gifts       []draftGift
	given       []label
	variants    []variant
	own         []ownLabel
	series      []draftSeries
	tags        []sink.Tag
	starts      []int64
	moving      []*naming.Moving
	checks      []draftCheck
	parts       []draftPart
	sent        seriesSet
	full        error // there are too many metrics
	text        []byte
	scratch     []byte
	point       naming.Point
	picked      []sink.Tag // of the sample at hand
	shared      []ownLabel // likewise
}

// sample is where the parts of a sample stand in a draft.
type sample struct {
	family  int
	names   []string // those of the schema; nil: in draft.names
	nameAt  int
	valueAt int
	n       int // labels
	value   float64
}

// span is a part of a slice of a draft.
type span struct{ from, to int }

type draftGift struct {
	source *joinSource
	key    span // of text
	labels span // of given
}

type draftSeries struct {
	metric  *sink.Metric
	tags    span
	value   float64
	variant int
	start   int // index in starts, and 1; 0: none
	age     bool
	moving  bool
}

type draftCheck struct {
	name    *sink.Metric
	status  sink.Status
	message span // of text
	tags    span
	variant int
	due     float64
}

type draftPart struct {
	total  *aggregate
	metric *sink.Metric
	key    span // of text, as own
	own    span
	word   uint64
}

func newDraft(r *resource, t *tracker, fixed *atomic.Pointer[[]sink.Tag]) *draft {
	d := &draft{resource: r, tracker: t, fixed: fixed}
	d.emitter, d.emit = metric.NewEmitter(d), d.addTracked
	return d
}

// Begin starts an object.
func (d *draft) Begin(_ *metric.Schema, identity []string) {
	d.identity = append(d.identity[:0], identity...)
}

// Sample notes a sample. Its strings stay as they are until the next Begin.
func (d *draft) Sample(s *metric.Sample) {
	x := sample{family: s.Family, valueAt: len(d.values), n: len(s.Values), value: s.Value}
	if s.Dynamic {
		x.nameAt = len(d.names)
		d.names = append(d.names, s.Names...)
	} else {
		x.names = s.Names
	}
	d.values = append(d.values, s.Values...)
	d.samples = append(d.samples, x)
}

func (d *draft) reset() {
	d.identity, d.samples, d.first = d.identity[:0], d.samples[:0], d.first[:0]
	d.names, d.values = d.names[:0], d.values[:0]
	d.baseNames, d.baseValues, d.gifts, d.given = d.baseNames[:0], d.baseValues[:0], d.gifts[:0], d.given[:0]
	d.variants, d.own, d.series, d.tags = d.variants[:0], d.own[:0], d.series[:0], d.tags[:0]
	d.starts, d.moving, d.checks, d.parts = d.starts[:0], d.moving[:0], d.checks[:0], d.parts[:0]
	d.text, d.baseMapping, d.full = d.text[:0], nil, nil
	d.sent.reset()
}

// make resolves an object as far as that depends on nothing else. An error says
// what could not be collected or named; the rest is there.
func (d *draft) make(o kind.Object) error {
	d.reset()
	err := d.resource.table.Collect(o, d.emitter)
	d.index()
	d.makeBase(o)
	for i := range d.samples {
		d.makeParts(&d.samples[i])
	}
	d.makeTracked(o)
	if len(d.variants) > 1 {
		slices.SortStableFunc(d.series, func(a, b draftSeries) int { return a.variant - b.variant })
	}
	if d.full != nil {
		err = errors.Join(err, d.full)
	}
	return err
}

// index notes where the samples of each family begin.
func (d *draft) index() {
	i := 0
	for f := range d.resource.families {
		for i < len(d.samples) && d.samples[i].family < f {
			i++
		}
		d.first = append(d.first, i)
	}
	d.first = append(d.first, len(d.samples))
}

// of returns the samples of a family; none of -1.
func (d *draft) of(family int) []sample {
	if family < 0 {
		return nil
	}
	return d.samples[d.first[family]:d.first[family+1]]
}

func (d *draft) namesOf(s *sample) []string {
	if s.names != nil {
		return s.names
	}
	return d.names[s.nameAt : s.nameAt+s.n]
}

func (d *draft) valuesOf(s *sample) []string { return d.values[s.valueAt : s.valueAt+s.n] }

// makeBase gathers what all blocks of the object have: its identity, and what it
// gives itself.
func (d *draft) makeBase(o kind.Object) {
	r := d.resource
	for i, value := range d.identity {
		d.addBase(r.identity[i], value)
	}
	if r.uid {
		d.addBase(uidLabel, string(o.GetUID()))
	}
	d.ids = len(d.baseNames)
	for i := range d.samples {
		s := &d.samples[i]
		if source := r.families[s.family].source; source != nil && s.value == 1 {
			d.give(source, s)
		}
	}
	// Families of a resource need not stand in the order of joins, which decides
	// where two joins name an owner.
	slices.SortStableFunc(d.gifts, func(a, b draftGift) int { return a.source.number - b.source.number })
	for _, g := range d.gifts {
		if g.source.reflexive {
			for _, l := range d.given[g.labels.from:g.labels.to] {
				d.addBase(l.Name, l.Value)
			}
		}
	}
}

func (d *draft) addBase(name, value string) {
	d.baseNames, d.baseValues = append(d.baseNames, name), append(d.baseValues, value)
}

// give notes what a sample gives others.
func (d *draft) give(source *joinSource, s *sample) {
	names, values := d.namesOf(s), d.valuesOf(s)
	g := draftGift{source: source, key: span{from: len(d.text)}, labels: span{from: len(d.given)}}
	for _, m := range source.match {
		i := slices.Index(names, m)
		if i < 0 {
			d.text = d.text[:g.key.from]
			return
		}
		d.text = appendKey(d.text, values[i])
	}
	for i, name := range names {
		if as, ok := source.name(name, values[i]); ok {
			d.given = append(d.given, label{Name: as, Value: values[i]})
		}
	}
	g.key.to, g.labels.to = len(d.text), len(d.given)
	if g.labels.to > g.labels.from {
		d.gifts = append(d.gifts, g)
	}
}
