package agent

import (
	"errors"
	"slices"

	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/internal/join"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
	"github.com/kubestate/kubestate/sink"
)

// resolver turns objects of one resource into drafts, one at a time.
type resolver struct {
	resource *resource
	track    func(kind.Object, func(naming.Tracked)) // nil: the Tracker does not see the objects
	emitter  *metric.Emitter
	emit     func(naming.Tracked) // addTracked

	samples samples
	draft   draft
	fixed   []sink.Tag // of everything
	sent    seriesSet
	full    error // there are too many metrics

	// Of the sample at hand:
	point   naming.Point
	picked  []sink.Tag // tags of the series
	shared  []ownLabel // labels of its block
	scratch []byte

	baseMapping *mapping // of baseTags; nil: none yet
	baseTags    []sink.Tag
}

func newResolver(r *resource, track func(kind.Object, func(naming.Tracked))) *resolver {
	x := &resolver{resource: r, track: track, draft: draft{resource: r}}
	x.emitter, x.emit = metric.NewEmitter(&x.samples), x.addTracked
	return x
}

// resolve returns the draft of an object, which is valid until the next call; fixed are
// the tags of everything. The error says what could not be computed or named; the draft
// has the rest.
func (x *resolver) resolve(o kind.Object, fixed []sink.Tag) (*draft, error) {
	x.samples.reset()
	x.draft.reset()
	x.sent.reset()
	x.fixed, x.baseMapping, x.full = fixed, nil, nil
	err := x.resource.table.Collect(o, x.emitter)
	x.samples.index(len(x.resource.families))
	x.addLabels(o)
	for i := range x.samples.list {
		x.addSample(&x.samples.list[i])
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
func (x *resolver) addLabels(o kind.Object) {
	r, d := x.resource, &x.draft
	for i, value := range x.samples.identity {
		d.addLabel(r.identity[i], value)
	}
	if r.uid {
		d.addLabel(uidLabel, string(o.GetUID()))
	}
	d.ids = len(d.names)
	for i := range x.samples.list {
		s := &x.samples.list[i]
		if source := r.families[s.family].source; source != nil && s.value == 1 {
			x.addProvided(source, s)
		}
	}
	// The families of a resource may be in another order than the joins, whose order
	// decides where two joins name an owner.
	slices.SortStableFunc(d.provided, func(a, b draftProvided) int { return a.source.number - b.source.number })
	for i := range d.provided {
		if g := &d.provided[i]; g.source.reflexive {
			for _, l := range d.labelsOf(g) {
				d.addLabel(l.Name, l.Value)
			}
		}
	}
}

// addProvided adds what a sample provides to others.
func (x *resolver) addProvided(source *joinSource, s *sample) {
	d := &x.draft
	names, values := x.samples.labels(s)
	g := draftProvided{source: source, key: span{from: len(d.text)}, labels: span{from: len(d.given)}}
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
			d.given = append(d.given, join.Label{Name: as, Value: values[i]})
		}
	}
	g.key.to, g.labels.to = len(d.text), len(d.given)
	if g.labels.to > g.labels.from {
		d.provided = append(d.provided, g)
	}
}

// addSample adds everything that rules and aggregations make of a sample.
func (x *resolver) addSample(s *sample) {
	f := &x.resource.families[s.family]
	for _, r := range f.rules {
		x.startPoint(s)
		if r.states != nil {
			x.addStates(f, r, s)
		} else {
			x.addSeries(f, r, nil)
		}
	}
	for _, t := range f.totals {
		x.startPoint(s)
		x.addPart(t)
	}
}

// startPoint makes a sample the point that rules work on.
func (x *resolver) startPoint(s *sample) {
	names, values := x.samples.labels(s)
	x.point.Reset(s.value, names, values)
}

// addTracked adds the series of what the Tracker says.
func (x *resolver) addTracked(t naming.Tracked) {
	f, ok := x.resource.tracked[t.Family]
	if !ok {
		return
	}
	x.draft.moving = append(x.draft.moving, t.Value)
	for _, r := range f.rules {
		x.point.Reset(0, x.resource.identity, x.samples.identity)
		x.addSeries(f, r, t.Value)
	}
}

// addStates adds the series of all states of a rule.
func (x *resolver) addStates(f *family, r *rule, s *sample) {
	for _, state := range r.states.states {
		x.startPoint(s)
		x.point.Value = 0
		if x.samples.inState(r.states, s, state) {
			x.point.Value = 1
		}
		x.point.Set(r.states.key, r.states.shown(state))
		x.addSeries(f, r, nil)
	}
}

// addSeries adds the series and the check that a rule makes of the point.
func (x *resolver) addSeries(f *family, r *rule, moving *naming.Moving) {
	p := &x.point
	if r.unless >= 0 && len(x.samples.of(r.unless)) > 0 || r.isTime && !isTime(p.Value) || !r.admits(p) || r.adjust != nil && !r.adjust(p) {
		return
	}
	s := draftSeries{value: p.Value, age: r.value == naming.Age}
	if r.value == naming.One {
		s.value = 1
	}
	if moving != nil {
		s.moving, s.value = true, float64(len(x.draft.moving)-1)
	}
	var name *sink.Metric // of the check
	if r.metric != nil {
		s.metric = x.nameBy(r.metric)
	}
	if r.check != nil {
		name = x.nameBy(r.check.name)
	}
	if s.metric == nil && name == nil {
		return // a block is made only for what is sent
	}
	x.takeTags(f, r)
	s.variant = x.draft.variant(f.mapping, x.shared)
	s.tags = x.draft.addTags(x.picked)
	if name != nil && x.sent.add(name, s.variant, x.picked) {
		x.addCheck(r.check, name, &s)
	}
	if s.metric != nil && x.sent.add(s.metric, s.variant, x.picked) {
		if at := x.samples.of(r.start); len(at) > 0 && isTime(at[0].value) {
			s.start = x.draft.start(at[0].value)
		}
		x.draft.series = append(x.draft.series, s)
	}
}

// nameBy returns the metric of the point; nil: it makes none.
func (x *resolver) nameBy(n *namer) *sink.Metric {
	m, err := n.metric(&x.point, &x.scratch)
	if err != nil {
		x.full = err
	}
	return m
}

func (x *resolver) addCheck(of *check, name *sink.Metric, s *draftSeries) {
	p, d := &x.point, &x.draft
	c := draftCheck{name: name, status: of.statusOf(p), tags: s.tags, variant: s.variant}
	if of.Due {
		c.due = p.Value
	}
	c.message.from = len(d.text)
	d.text = of.appendMessage(d.text, p)
	c.message.to = len(d.text)
	d.checks = append(d.checks, c)
}
