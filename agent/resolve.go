package agent

import (
	"math"
	"slices"

	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/sink"
)

// This file holds how samples become series, checks and parts of totals.

// makeParts makes everything that rules and aggregates say of a sample.
func (d *draft) makeParts(s *sample) {
	f := &d.resource.families[s.family]
	for _, r := range f.rules {
		d.startPoint(s)
		if r.states != nil {
			d.makeStates(f, r, s)
		} else {
			d.makeSeries(f, r, nil)
		}
	}
	for _, t := range f.totals {
		d.startPoint(s)
		d.makePart(t)
	}
}

// startPoint makes the point one that nothing was done to.
func (d *draft) startPoint(s *sample) {
	d.point.Reset(s.value, d.namesOf(s), d.valuesOf(s))
}

// makeTracked makes what the Tracker says of an object.
func (d *draft) makeTracked(o kind.Object) {
	if d.tracker != nil {
		d.tracker.put(d.resource, o, d.emit)
	}
}

// addTracked makes what a sample of the Tracker becomes.
func (d *draft) addTracked(t naming.Tracked) {
	f, ok := d.resource.tracked[t.Family]
	if !ok {
		return
	}
	d.moving = append(d.moving, t.Value)
	for _, rule := range f.rules {
		d.point.Reset(0, d.resource.identity, d.identity)
		d.makeSeries(f, rule, t.Value)
	}
}

// makeStates makes the series of all states of a rule.
func (d *draft) makeStates(f *family, r *rule, s *sample) {
	o := r.plan(f, r.states.label)
	for _, value := range r.states.values {
		d.startPoint(s)
		d.point.Value = 0
		if d.inState(r.states, s, value) {
			d.point.Value = 1
		}
		shown := value
		if v, ok := o.values[value]; ok {
			shown = v
		}
		d.point.Set(o.key, shown)
		d.makeSeries(f, r, nil)
	}
}

// inState reports whether a sample that states come from, and that agrees with s in
// what both have beside the state, has a value.
func (d *draft) inState(x *states, s *sample, value string) bool {
	names, values := d.namesOf(s), d.valuesOf(s)
	for _, family := range x.from {
		samples := d.of(family)
		for i := range samples {
			if samples[i].value == 1 && d.agrees(&samples[i], names, values, x.label, value) {
				return true
			}
		}
	}
	return false
}

func (d *draft) agrees(s *sample, names, values []string, state, value string) bool {
	found := false
	theirs := d.valuesOf(s)
	for i, name := range d.namesOf(s) {
		if name == state {
			if theirs[i] != value {
				return false
			}
			found = true
		} else if at := slices.Index(names, name); at >= 0 && values[at] != theirs[i] {
			return false
		}
	}
	return found
}

// makeSeries makes the series and the check that a rule makes of the point.
func (d *draft) makeSeries(f *family, r *rule, moving *naming.Moving) {
	p := &d.point
	if r.unless >= 0 && len(d.of(r.unless)) > 0 || r.isTime && !isTime(p.Value) || !r.admits(p) || r.adjust != nil && !r.adjust(p) {
		return
	}
	x := draftSeries{value: p.Value, age: r.value == naming.Age}
	if r.value == naming.One {
		x.value = 1
	}
	if moving != nil {
		x.moving, x.value = true, float64(len(d.moving)-1)
	}
	var name *sink.Metric // of the check
	if r.metric != nil {
		x.metric = d.nameBy(r.metric)
	}
	if r.check != nil {
		name = d.nameBy(r.check.name)
	}
	if x.metric == nil && name == nil {
		return // a block is made only for what is sent
	}
	d.takeTags(f, r)
	x.variant = d.variant(f.mapping)
	x.tags = span{from: len(d.tags)}
	d.tags = append(d.tags, d.picked...)
	x.tags.to = len(d.tags)
	if name != nil && d.sent.add(name, x.variant, d.picked) {
		d.makeCheck(r.check, name, &x)
	}
	if x.metric != nil && d.sent.add(x.metric, x.variant, d.picked) {
		x.start = d.start(r)
		d.series = append(d.series, x)
	}
}

// nameBy returns the metric of the point; nil: it makes none.
func (d *draft) nameBy(n *namer) *sink.Metric {
	m, err := n.metric(&d.point, &d.scratch)
	if err != nil {
		d.full = err
	}
	return m
}

// maxStarts is how many times an object may have from which counters count. More
// than one is odd.
const maxStarts = 255

// start returns where in starts stands since when a counter counts.
func (d *draft) start(r *rule) int {
	at := d.of(r.start)
	if len(at) == 0 || !isTime(at[0].value) {
		return 0
	}
	ms := int64(at[0].value * 1000)
	i := slices.Index(d.starts, ms)
	switch {
	case i >= 0:
	case len(d.starts) < maxStarts:
		i = len(d.starts)
		d.starts = append(d.starts, ms)
	}
	return i + 1
}

func (d *draft) makeCheck(of *check, name *sink.Metric, x *draftSeries) {
	p := &d.point
	c := draftCheck{name: name, status: of.statusOf(p), tags: x.tags, variant: x.variant}
	if of.Due {
		c.due = p.Value
	}
	c.message.from = len(d.text)
	d.text = of.appendMessage(d.text, p)
	c.message.to = len(d.text)
	d.checks = append(d.checks, c)
}

// takeTags parts the own labels of the point into tags of its own and labels that
// bear on the whole block.
func (d *draft) takeTags(f *family, r *rule) {
	names, values := d.point.Labels()
	d.picked, d.shared = d.picked[:0], d.shared[:0]
	known := len(names) == f.ids+len(r.own)
	for i := f.ids; i < len(names); i++ {
		var o ownPlan
		if j := i - f.ids; known && names[i] == f.own[j] {
			o = r.own[j]
		} else {
			o = r.plan(f, names[i])
		}
		if d.point.Dropped(i) {
			o.key, o.shared = "", o.bound
		}
		shown, ok := o.values[values[i]]
		if !ok {
			shown = values[i]
		}
		switch {
		case o.shared:
			d.shared = append(d.shared, ownLabel{name: names[i], value: values[i], key: o.key, shown: shown})
		case o.key != "":
			d.picked = append(d.picked, sink.Tag{Key: o.key, Value: shown})
		}
	}
	d.picked = append(append(d.picked, r.set...), d.point.Tags()...)
	d.dropTwins(f)
}

// dropTwins sorts the own tags and takes away those that the block has too. Where
// only the block can know, because another object may bring the tag, it gets it.
func (d *draft) dropTwins(f *family) {
	d.useMapping(f.mapping)
	kept := d.picked[:0]
	for _, t := range inOrder(d.picked) {
		switch {
		case f.brought[t.Key]:
			d.shared = append(d.shared, ownLabel{key: t.Key, shown: t.Value})
		case !slices.Contains(d.baseTags, t):
			kept = append(kept, t)
		}
	}
	d.picked = kept
}

// useMapping notes the tags that all blocks of the object with a mapping have.
func (d *draft) useMapping(m *mapping) {
	if d.baseMapping == m {
		return
	}
	d.baseMapping, d.baseTags = m, append(d.baseTags[:0], *d.fixed.Load()...)
	for i, name := range d.baseNames {
		if key := m.key(name); key != "" && !m.isOwner(name) {
			d.baseTags = append(d.baseTags, sink.Tag{Key: key, Value: d.baseValues[i]})
		}
	}
}

// variant returns the number of the block that has the labels in shared.
func (d *draft) variant(m *mapping) int {
	for i, v := range slices.Backward(d.variants) {
		if v.mapping == m && slices.Equal(v.own, d.shared) {
			return i
		}
	}
	from := len(d.own)
	d.own = append(d.own, d.shared...)
	d.variants = append(d.variants, variant{mapping: m, own: d.own[from:len(d.own):len(d.own)]})
	return len(d.variants) - 1
}

// makePart makes what the point adds to a total.
func (d *draft) makePart(t *aggregate) {
	p := &d.point
	if t.unless >= 0 && len(d.of(t.unless)) > 0 || !t.admits(p) || t.adjust != nil && !t.adjust(p) {
		return
	}
	m := d.nameBy(t.name)
	if m == nil || t.op != naming.Count && math.IsNaN(p.Value) {
		return
	}
	part := draftPart{total: t, metric: m, word: math.Float64bits(p.Value)}
	if t.op == naming.Latest {
		part.word = latestWord(p, t.check)
	}
	part.key.from = len(d.text)
	for _, by := range t.grouping.by {
		d.text = appendKey(d.text, d.groupLabel(t, by))
	}
	part.key.to, part.own.from = len(d.text), len(d.text)
	for i := range t.grouping.own {
		d.text = appendKey(d.text, d.groupLabel(t, t.grouping.own[i].label))
	}
	part.own.to = len(d.text)
	d.parts = append(d.parts, part)
}

// groupLabel returns the value of a label that makes groups.
func (d *draft) groupLabel(t *aggregate, name string) string {
	p := &d.point
	if v, ok := p.Lookup(name); ok {
		return v
	}
	for _, t := range slices.Backward(p.Tags()) {
		if t.Key == name {
			return t.Value
		}
	}
	if t.joined {
		if i := slices.Index(d.baseNames[d.ids:], name); i >= 0 {
			return d.baseValues[d.ids+i]
		}
	}
	return ""
}
