package agent

import (
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/kubestate/kubestate/internal/join"
	"github.com/kubestate/kubestate/sink"
)

// state is what changes as objects do. Its methods are called with mu held.
type state struct {
	mu        sync.Mutex
	joins     joins
	groupings []*grouping
	maker     blockMaker
	words     words
	tags      *tagSets
	key       []byte
	dirty     []*tagged // blocks or totals to be made anew
	gifts     []pending // of the object at hand

	objects, series int
}

// entry is what is kept of an object.
type entry struct {
	tagged
	name  objectName
	read  uint32 // the number of the full read that met it last
	gifts []gift
	parts []part
}

type objectName struct{ namespace, name string }

// gift says where an object gives labels to others.
type gift struct {
	leaf *leaf
	join int
}

// pending is a gift that is to be given.
type pending struct {
	gift
	labels []label // memory of the draft
}

// update brings an entry up to date with what was made of its object.
func (s *state) update(e *entry, d *draft) {
	s.updateGifts(e, d)
	s.updateParts(e, d)
	blocks := s.updateBlocks(e, d)
	s.updateSeries(e, d, blocks)
}

// updateGifts gives others what the object gives now, and takes what it does not
// give any more.
func (s *state) updateGifts(e *entry, d *draft) {
	s.gifts = s.gifts[:0]
	for _, g := range d.gifts {
		if g.source.index != nil {
			s.collectGift(d, &g)
		}
	}
	for _, old := range e.gifts {
		if !slices.ContainsFunc(s.gifts, func(p pending) bool { return p.gift == old }) {
			s.take(e, old)
		}
	}
	for _, p := range s.gifts {
		s.give(e, p)
	}
	if !slices.EqualFunc(e.gifts, s.gifts, func(g gift, p pending) bool { return g == p.gift }) {
		e.gifts = make([]gift, len(s.gifts))
		for i, p := range s.gifts {
			e.gifts[i] = p.gift
		}
	}
}

// collectGift adds to the pending gifts. What several samples of an object give
// under one key is one gift.
func (s *state) collectGift(d *draft, g *draftGift) {
	at := gift{g.source.index.index.Leaf(d.text[g.key.from:g.key.to]), g.source.number}
	labels := d.given[g.labels.from:g.labels.to:g.labels.to]
	for i := range s.gifts {
		if p := &s.gifts[i]; p.gift == at {
			p.labels = append(p.labels, labels...)
			return
		}
	}
	s.gifts = append(s.gifts, pending{at, labels})
}

func (s *state) give(e *entry, p pending) {
	if slices.Equal(p.leaf.Of(p.join, e.source()), p.labels) {
		return
	}
	labels := make([]label, len(p.labels))
	for i, l := range p.labels {
		labels[i] = label{Name: l.Name, Value: s.words.keep(l.Value)}
	}
	if p.leaf.Give(join.Gift{Join: p.join, Source: e.source(), Labels: labels}) {
		p.leaf.Dependents(s.markDirty)
	}
}

func (s *state) take(e *entry, g gift) {
	if g.leaf.Take(g.join, e.source()) {
		g.leaf.Dependents(s.markDirty)
	}
}

func (e *entry) source() join.Source {
	return join.Source{Namespace: e.name.namespace, Name: e.name.name}
}

// updateParts makes the object count in totals with what it is now.
func (s *state) updateParts(e *entry, d *draft) {
	same := slices.EqualFunc(e.parts, d.parts, func(p part, n draftPart) bool {
		return p.value == n.value && p.order == n.order && p.cell == n.find(d.text[n.key.from:n.key.to])
	})
	if same {
		return
	}
	parts := make([]part, len(d.parts))
	for i := range d.parts {
		n := &d.parts[i]
		parts[i] = part{s.cellOf(n, d.text[n.key.from:n.key.to]), n.value, n.order}
		s.add(parts[i])
	}
	old := e.parts
	e.parts = parts
	for _, p := range old {
		s.remove(p)
	}
}

// updateBlocks brings the blocks of an object up to date, and tells whether any
// changed.
func (s *state) updateBlocks(e *entry, d *draft) bool {
	if len(d.variants) == 0 {
		return s.forgetBlocks(e)
	}
	same := e.ids == d.ids && slices.Equal(e.base, d.base) &&
		slices.EqualFunc(e.variants, d.variants, func(a, b variant) bool {
			return a.mapping == b.mapping && slices.Equal(a.own, b.own)
		})
	if !same {
		s.keepLabels(e, d)
		s.joins.depend(&e.tagged, &s.key)
	}
	if same && !e.dirty {
		return false
	}
	return s.maker.remake(&e.tagged)
}

// forgetBlocks makes an object one without series.
func (s *state) forgetBlocks(e *entry) bool {
	if len(e.variants) == 0 {
		return false
	}
	e.base, e.variants, e.blocks, e.ids = nil, nil, nil, 0
	s.joins.depend(&e.tagged, &s.key)
	return true
}

// keepLabels copies the labels of which blocks are made.
func (s *state) keepLabels(e *entry, d *draft) {
	base := make([]label, len(d.base))
	for i, l := range d.base {
		base[i] = label{Name: l.Name}
		switch {
		case i < len(e.base) && e.base[i].Value == l.Value:
			base[i].Value = e.base[i].Value
		case l.Value == e.name.name:
			base[i].Value = e.name.name
		case l.Name == uidLabel: // no other object has it
			base[i].Value = strings.Clone(l.Value)
		default:
			base[i].Value = s.words.keep(l.Value)
		}
	}
	e.base, e.ids = base, d.ids
	variants := make([]variant, len(d.variants))
	for i, v := range d.variants {
		variants[i] = variant{mapping: v.mapping, own: clone(v.own)}
		for j := range variants[i].own {
			o := &variants[i].own[j]
			o.name, o.value, o.shown = s.words.keep(o.name), s.words.keep(o.value), s.words.keep(o.shown)
		}
	}
	e.variants = variants
}

// updateSeries publishes the series of an object where they, or its blocks, have
// changed.
func (s *state) updateSeries(e *entry, d *draft, blocks bool) {
	old := e.home.objects[e.place]
	same := old != nil && d.sameSeries(old)
	switch {
	case same && !blocks:
	case same:
		o := *old
		o.blocks = e.blocks
		s.publish(&e.tagged, &o)
	case len(d.series)+len(d.checks) == 0:
		s.publish(&e.tagged, nil)
	default:
		s.publish(&e.tagged, s.resolve(e, d, old))
	}
}

// sameSeries tells whether an object has the series and checks of the draft.
func (d *draft) sameSeries(o *object) bool {
	return slices.Equal(o.starts, d.starts) && slices.Equal(o.moving, d.moving) &&
		slices.EqualFunc(o.series, d.series, func(s series, n draftSeries) bool {
			return s.is(n) && sameValue(s.value, n.value) && slices.Equal(s.tags.get(), d.tagsOf(n.tags))
		}) &&
		slices.EqualFunc(o.checks, d.checks, func(c checkResult, n draftCheck) bool {
			return c.name == n.name && c.status == n.status && int(c.block) == n.variant && c.due == n.due &&
				c.message == string(d.text[n.message.from:n.message.to]) && slices.Equal(c.tags.get(), d.tagsOf(n.tags))
		})
}

// is tells whether a series has all of another but value and tags.
func (s *series) is(n draftSeries) bool {
	return s.metric == n.metric && int(s.block) == n.variant && int(s.start) == n.start && s.age == n.age && s.moving == n.moving
}

func sameValue(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

func (d *draft) tagsOf(s span) []sink.Tag { return d.tags[s.from:s.to] }

// resolve makes an object of the draft.
func (s *state) resolve(e *entry, d *draft, old *object) *object {
	o := &object{blocks: e.blocks, starts: clone(d.starts), moving: clone(d.moving)}
	o.series = make([]series, len(d.series))
	for i, n := range d.series {
		tags := d.tagsOf(n.tags)
		x := series{metric: n.metric, value: n.value, block: uint32(n.variant), start: uint8(n.start), age: n.age, moving: n.moving}
		if old != nil && i < len(old.series) && slices.Equal(old.series[i].tags.get(), tags) {
			x.tags = old.series[i].tags
		} else {
			x.tags = s.tags.keep(tags)
		}
		o.series[i] = x
	}
	for _, n := range d.checks {
		o.checks = append(o.checks, checkResult{
			name: n.name, status: n.status, message: string(d.text[n.message.from:n.message.to]),
			tags: s.tags.keep(d.tagsOf(n.tags)), block: uint32(n.variant), due: n.due,
		})
	}
	return o
}

// publish puts what is resolved where runs see it.
func (s *state) publish(t *tagged, o *object) {
	if old := t.home.objects[t.place]; old != nil {
		s.series -= len(old.series)
	}
	if o != nil {
		s.series += len(o.series)
	}
	t.home.objects[t.place] = o
}

// drop forgets something that has blocks.
func (s *state) drop(t *tagged) {
	t.gone = true
	for _, l := range t.leaves {
		l.Forget(t)
	}
	s.publish(t, nil)
	t.home.leave(t.place)
}

// forget makes an object one that never was.
func (s *state) forget(e *entry) {
	for _, g := range e.gifts {
		s.take(e, g)
	}
	for _, p := range e.parts {
		s.remove(p)
	}
	s.drop(&e.tagged)
	s.objects--
}

func (s *state) markDirty(t *tagged) {
	if !t.dirty && !t.gone {
		t.dirty = true
		s.dirty = append(s.dirty, t)
	}
}

// settle makes anew what is dirty, at most n of them, and tells whether none is
// left.
func (s *state) settle(n int) bool {
	for range n {
		if len(s.dirty) == 0 {
			return true
		}
		t := s.dirty[len(s.dirty)-1]
		s.dirty = s.dirty[:len(s.dirty)-1]
		if t.dirty && !t.gone {
			s.remake(t)
		}
	}
	return len(s.dirty) == 0
}

func (s *state) remake(t *tagged) {
	changed := s.maker.remake(t)
	old := t.home.objects[t.place]
	switch {
	case t.group != nil:
		if o := t.group.resolve(); old == nil || changed || !slices.Equal(o.series, old.series) || !slices.Equal(o.checks, old.checks) {
			s.publish(t, o)
		}
	case changed && old != nil:
		o := *old
		o.blocks = t.blocks
		s.publish(t, &o)
	}
}
