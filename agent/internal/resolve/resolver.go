package resolve

import (
	"errors"
	"slices"

	"github.com/kubestate/kubestate/agent/internal/compile"
	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/internal/join"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
	"github.com/kubestate/kubestate/sink"
)

// Resolver turns objects of one resource into drafts, one at a time.
type Resolver struct {
	resource *compile.Resource
	track    func(kind.Object, func(naming.Tracked)) // nil: the Tracker does not see the objects
	emitter  *metric.Emitter
	emit     func(naming.Tracked) // addTracked

	samples samples
	draft   Draft
	fixed   []sink.Tag // of everything
	sent    seriesSet
	full    error // there are too many metrics

	// Of the sample at hand:
	point   naming.Point
	picked  []sink.Tag // tags of the series
	shared  []ownLabel // labels of its block
	scratch []byte

	baseMapping *compile.Mapping // of baseTags; nil: none yet
	baseTags    []sink.Tag
}

// New returns a Resolver for objects of a resource. Track passes an object to the
// Tracker; nil: it does not see them.
func New(r *compile.Resource, track func(kind.Object, func(naming.Tracked))) *Resolver {
	x := &Resolver{resource: r, track: track, draft: Draft{resource: r}}
	x.emitter, x.emit = metric.NewEmitter(&x.samples), x.addTracked
	return x
}

// Resolve returns the draft of an object, which is valid until the next call; fixed are the
// tags of all series. The error lists what could not be computed or named; the draft has
// the rest.
func (x *Resolver) Resolve(o kind.Object, fixed []sink.Tag) (*Draft, error) {
	x.samples.reset()
	x.draft.reset()
	x.sent.reset()
	x.fixed, x.baseMapping, x.full = fixed, nil, nil
	err := x.resource.Table.Collect(o, x.emitter)
	x.samples.index(len(x.resource.Families))
	x.addLabels(o)
	for i := range x.samples.list {
		s := &x.samples.list[i]
		names, values := x.samples.labels(s)
		x.addSample(s, names, values)
	}
	if x.track != nil {
		x.track(o, x.emit)
	}
	x.draft.sort()
	if x.full != nil {
		err = errors.Join(err, x.full)
	}
	return &x.draft, err
}

// addLabels adds what all blocks of the object have: its identity, and what it
// provides to itself. It collects what the object provides to others on the way.
func (x *Resolver) addLabels(o kind.Object) {
	r, d := x.resource, &x.draft
	for i, value := range x.samples.identity {
		d.addLabel(r.Identity[i], value)
	}
	if r.UID {
		d.addLabel(compile.UIDLabel, string(o.GetUID()))
	}
	d.IDs = len(d.Names)
	for i := range x.samples.list {
		s := &x.samples.list[i]
		if source := r.Families[s.family].Source; source != nil && s.value == 1 {
			x.addProvided(source, s)
		}
	}
	// The families of a resource may be in another order than the joins, whose order
	// decides where two joins name an owner.
	slices.SortStableFunc(d.Provided, func(a, b Provided) int { return a.Source.Number - b.Source.Number })
	for i := range d.Provided {
		if g := &d.Provided[i]; g.Source.Reflexive {
			for _, l := range d.LabelsOf(g) {
				d.addLabel(l.Name, l.Value)
			}
		}
	}
}

// addProvided adds what a sample provides to others.
func (x *Resolver) addProvided(source *compile.Join, s *sample) {
	d := &x.draft
	names, values := x.samples.labels(s)
	g := Provided{Source: source, Key: span{from: len(d.text)}, labels: span{from: len(d.providedLabels)}}
	for _, m := range source.Match {
		i := slices.Index(names, m)
		if i < 0 {
			d.text = d.text[:g.Key.from]
			return
		}
		d.text = AppendKey(d.text, values[i])
	}
	for i, name := range names {
		if as, ok := source.Name(name, values[i]); ok {
			d.providedLabels = append(d.providedLabels, join.Label{Name: as, Value: values[i]})
		}
	}
	g.Key.to, g.labels.to = len(d.text), len(d.providedLabels)
	if g.labels.to > g.labels.from {
		d.Provided = append(d.Provided, g)
	}
}

// addSample adds everything that rules and aggregations make of a sample.
func (x *Resolver) addSample(s *sample, names, values []string) {
	f := &x.resource.Families[s.family]
	for _, r := range f.Rules {
		if r.States != nil {
			x.addStates(f, r, names, values)
			continue
		}
		x.point.Reset(s.value, names, values)
		x.addSeries(f, r, nil)
	}
	for _, t := range f.Aggregations {
		x.point.Reset(s.value, names, values)
		x.addPart(t)
	}
}

// addTracked adds the series of a sample from the Tracker.
func (x *Resolver) addTracked(t naming.Tracked) {
	f, ok := x.resource.Tracked[t.Family]
	if !ok {
		return
	}
	x.draft.Moving = append(x.draft.Moving, t.Value)
	for _, r := range f.Rules {
		x.point.Reset(0, x.resource.Identity, x.samples.identity)
		x.addSeries(f, r, t.Value)
	}
}

// addStates adds the series of all states of a rule.
func (x *Resolver) addStates(f *compile.Family, r *compile.Rule, names, values []string) {
	for _, state := range r.States.States {
		x.point.Reset(metric.Float(x.samples.inState(r.States, names, values, state.Name)), names, values)
		x.point.Set(r.States.Key, state.Shown)
		x.addSeries(f, r, nil)
	}
}

// addSeries adds the series and the check that a rule makes of the point.
func (x *Resolver) addSeries(f *compile.Family, r *compile.Rule, moving *naming.Moving) {
	p := &x.point
	if r.Unless >= 0 && len(x.samples.of(r.Unless)) > 0 || r.IsTime && !isTime(p.Value) || !r.Admits(p) || r.Adjust != nil && !r.Adjust(p) {
		return
	}
	m, check, err := r.Names(p, &x.scratch)
	if err != nil {
		x.full = err
	}
	if m == nil && check == nil {
		return // a block is made only for what is sent
	}
	s := Series{Metric: m, Value: p.Value, Age: r.Value == naming.Age}
	if r.Value == naming.One {
		s.Value = 1
	}
	if moving != nil {
		s.Moving, s.Value = true, float64(len(x.draft.Moving)-1)
	}
	x.takeTags(f, r)
	s.Variant = x.draft.variant(f.Mapping, x.shared)
	s.Tags = x.draft.addTags(x.picked)
	if check != nil && x.sent.add(check, s.Variant, x.picked) {
		x.draft.addCheck(r.Check, check, &s, p)
	}
	if m != nil && x.sent.add(m, s.Variant, x.picked) {
		if at := x.samples.of(r.Start); len(at) > 0 && isTime(at[0].value) {
			s.Start = x.draft.start(at[0].value)
		}
		x.draft.Series = append(x.draft.Series, s)
	}
}
