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
	published chan struct{} // closed when a Feed is complete for the first time; then there is another one
	joins     joins
	groups    []*groups // as program.groupings
	maker     blockMaker
	keep      *keeper
	key       []byte
	dirty     []*tagged         // blocks or totals to be made anew, and some that were
	dirtyMax  int               // the length of dirty at which it is cleared up
	given     map[*entry][]gift // of objects that give others anything, which few do
	gifts     []pending         // of the object at hand
	shaped    []series          // likewise
	twins     twins

	objects, series int
}

// entry is what is kept of an object.
type entry struct {
	tagged
	read  uint32 // the number of the full read that met it last
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
	labels []join.Label // memory of the draft
}

// update brings the entry of an object up to date with what was made of that.
func (s *state) update(e *entry, k objectName, d *draft) {
	s.updateGifts(e, k, d)
	s.updateParts(e, d)
	blocks, changed := s.updateBlocks(e, d)
	s.updateSeries(e, d, blocks, changed)
}

// updateGifts gives others what the object gives now, and takes what it does not
// give any more.
func (s *state) updateGifts(e *entry, k objectName, d *draft) {
	s.gifts = s.gifts[:0]
	for i := range d.gifts {
		if g := &d.gifts[i]; g.source.index >= 0 {
			s.collectGift(d, g)
		}
	}
	given := s.given[e]
	for _, old := range given {
		if !slices.ContainsFunc(s.gifts, func(p pending) bool { return p.gift == old }) {
			s.take(k, old)
		}
	}
	for _, p := range s.gifts {
		s.give(k, p)
	}
	switch {
	case slices.EqualFunc(given, s.gifts, func(g gift, p pending) bool { return g == p.gift }):
	case len(s.gifts) == 0:
		delete(s.given, e)
	default:
		given = make([]gift, len(s.gifts))
		for i, p := range s.gifts {
			given[i] = p.gift
		}
		s.given[e] = given
	}
}

// collectGift adds to the pending gifts. What several samples of an object give
// under one key is one gift.
func (s *state) collectGift(d *draft, g *draftGift) {
	at := gift{s.joins.indexes[g.source.index].index.Leaf(d.textOf(g.key)), g.source.number}
	labels := d.labelsOf(g)
	for i := range s.gifts {
		if p := &s.gifts[i]; p.gift == at {
			p.labels = append(p.labels, labels...)
			return
		}
	}
	s.gifts = append(s.gifts, pending{at, labels})
}

func (s *state) give(k objectName, p pending) {
	if slices.Equal(p.leaf.Of(p.join, k.source()), p.labels) {
		return
	}
	k = s.keep.keepName(k)
	labels := make([]join.Label, len(p.labels))
	for i, l := range p.labels {
		labels[i] = join.Label{Name: l.Name, Value: s.keep.words.keep(l.Value)}
	}
	if p.leaf.Give(join.Gift{Join: p.join, Source: k.source(), Labels: labels}) {
		p.leaf.Dependents(s.markDirty)
	}
}

func (s *state) take(k objectName, g gift) {
	if g.leaf.Take(g.join, k.source()) {
		g.leaf.Dependents(s.markDirty)
	}
}

func (k objectName) source() join.Source {
	return join.Source{Namespace: k.namespace, Name: k.name}
}

// updateParts makes the object count in totals with what it is now.
func (s *state) updateParts(e *entry, d *draft) {
	same := slices.EqualFunc(e.parts, d.parts, func(p part, n draftPart) bool {
		return p.word == n.word && p.cell == s.findCell(d, &n)
	})
	if same {
		return
	}
	parts := make([]part, len(d.parts))
	for i := range d.parts {
		n := &d.parts[i]
		parts[i] = part{s.cellOf(d, n), n.word}
		s.add(parts[i], e.home.published)
	}
	old := e.parts
	e.parts = parts
	for _, p := range old {
		s.remove(p, e.home.published)
	}
}

// updateBlocks returns the blocks of an object as they should be, and reports whether
// any changed.
func (s *state) updateBlocks(e *entry, d *draft) (blocks []*sink.Block, changed bool) {
	same := e.names != nil && int(e.ids) == d.ids && slices.Equal(e.values, d.values) && slices.Equal(*e.names, d.names) &&
		sameVariants(*e.variants, d.variants)
	if len(d.variants) == 0 {
		same = e.names == nil
	}
	if same {
		return e.blocks(), false // dirty ones are made anew before a run
	}
	s.joins.forget(&e.tagged, &s.key)
	s.keepLabels(e, d)
	s.joins.depend(&e.tagged, &s.key)
	return s.maker.remake(&e.tagged)
}

// keepLabels copies the labels of which blocks are made.
func (s *state) keepLabels(e *entry, d *draft) {
	if len(d.variants) == 0 {
		e.names, e.values, e.variants, e.ids = nil, nil, nil, 0
		return
	}
	values := make([]string, len(d.values))
	for i, value := range d.values {
		switch {
		case i < len(e.values) && e.values[i] == value:
			values[i] = e.values[i]
		case d.names[i] == uidLabel: // no other object has it
			values[i] = strings.Clone(value)
		default:
			values[i] = s.keep.words.keep(value)
		}
	}
	e.names, e.values, e.ids = s.keep.keepNames(d.names), values, uint16(d.ids)
	e.variants = s.keep.keepVariants(d.variants)
}

// updateSeries publishes the series of an object where they, or its blocks, have
// changed.
func (s *state) updateSeries(e *entry, d *draft, blocks []*sink.Block, changed bool) {
	old := e.resolved()
	same := old != nil && d.sameSeries(old)
	switch {
	case same && !changed:
	case same:
		s.publish(&e.tagged, old.with(blocks))
	case len(d.series)+len(d.checks) == 0:
		s.publish(&e.tagged, nil)
	default:
		s.publish(&e.tagged, s.resolve(d, blocks, old))
	}
}

// with returns the same object with other blocks.
func (o *object) with(blocks []*sink.Block) *object {
	x := *o
	x.blocks = blocks
	return &x
}

// sameSeries reports whether an object has the series and checks of the draft.
func (d *draft) sameSeries(o *object) bool {
	return d.sameShape(o) && d.sameExtra(o.extra) &&
		slices.EqualFunc(o.values, d.series, func(v float64, n draftSeries) bool { return sameValue(v, n.value) })
}

// sameShape reports whether an object has the shape of the draft.
func (d *draft) sameShape(o *object) bool {
	return slices.EqualFunc(o.shape.series, d.series, func(s series, n draftSeries) bool {
		return s.metric == n.metric && int(s.block) == n.variant && int(s.start) == n.start && s.age == n.age && s.moving == n.moving &&
			slices.Equal(s.tags.get(), d.tagsOf(n.tags))
	})
}

func (d *draft) sameExtra(x *extra) bool {
	if x == nil {
		return len(d.starts)+len(d.moving)+len(d.checks) == 0
	}
	return slices.Equal(x.starts, d.starts) && slices.Equal(x.moving, d.moving) &&
		slices.EqualFunc(x.checks, d.checks, func(c checkResult, n draftCheck) bool {
			return c.name == n.name && c.status == n.status && int(c.block) == n.variant && c.due == n.due &&
				c.message == string(d.textOf(n.message)) && slices.Equal(c.tags.get(), d.tagsOf(n.tags))
		})
}

func sameValue(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

// resolve makes an object of the draft.
func (s *state) resolve(d *draft, blocks []*sink.Block, old *object) *object {
	o := &object{blocks: blocks, values: make([]float64, len(d.series))}
	for i, n := range d.series {
		o.values[i] = n.value
	}
	if old != nil && d.sameShape(old) {
		o.shape = old.shape
	} else {
		o.shape = s.shape(d)
	}
	if old != nil && d.sameExtra(old.extra) {
		o.extra = old.extra
	} else {
		o.extra = s.extra(d)
	}
	return o
}

func (s *state) shape(d *draft) *shape {
	s.shaped = s.shaped[:0]
	for _, n := range d.series {
		s.twins.note(n.metric, origin{resource: d.resource})
		s.shaped = append(s.shaped, series{
			metric: n.metric, tags: s.keep.keepTags(d.tagsOf(n.tags)),
			block: uint32(n.variant), start: uint8(n.start), age: n.age, moving: n.moving,
			twin: d.variants[n.variant].mapping.twins,
		})
	}
	return s.keep.keepShape(s.shaped)
}

func (s *state) extra(d *draft) *extra {
	if len(d.starts)+len(d.moving)+len(d.checks) == 0 {
		return nil
	}
	x := &extra{starts: clone(d.starts), moving: clone(d.moving)}
	for _, n := range d.checks {
		x.checks = append(x.checks, checkResult{
			name: n.name, status: n.status, message: string(d.textOf(n.message)),
			tags: s.keep.keepTags(d.tagsOf(n.tags)), block: uint32(n.variant), due: n.due,
		})
	}
	return x
}

// publish puts what is resolved where runs see it.
func (s *state) publish(t *tagged, o *object) {
	if old := t.resolved(); old != nil {
		s.series -= len(old.values)
	}
	if o != nil {
		s.series += len(o.values)
	}
	t.home.set(t.place, o)
}

// drop forgets something that has blocks.
func (s *state) drop(t *tagged) {
	t.gone = true
	s.joins.forget(t, &s.key)
	s.publish(t, nil)
	t.home.leave(t.place)
}

// forget makes an object one that never was.
func (s *state) forget(e *entry, k objectName) {
	for _, g := range s.given[e] {
		s.take(k, g)
	}
	delete(s.given, e)
	for _, p := range e.parts {
		s.remove(p, e.home.published)
	}
	s.drop(&e.tagged)
	s.objects--
}

func (s *state) markDirty(t *tagged) {
	if t.dirty || t.gone {
		return
	}
	if len(s.dirty) >= s.dirtyMax {
		s.clearUp()
	}
	t.dirty = true
	s.dirty = append(s.dirty, t)
}

// clearUp drops from dirty what is gone, was made anew or is there twice: where no
// runs are made, as in a replica that stands by, nothing else does.
func (s *state) clearUp() {
	s.dirty = slices.DeleteFunc(s.dirty, func(t *tagged) bool {
		drop := !t.dirty || t.gone
		t.dirty = false
		return drop
	})
	for _, t := range s.dirty {
		t.dirty = true
	}
	s.dirtyMax = 2*len(s.dirty) + minDirty
}

// minDirty is a length of dirty that is never too much.
const minDirty = 1024

// settle makes anew what is dirty, at most n of them, and reports whether none is
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
	blocks, changed := s.maker.remake(t)
	old := t.resolved()
	switch {
	case t.group() != nil:
		if g := t.group(); changed || old == nil || !g.shows(old) {
			s.publish(t, s.resolveGroup(g, blocks))
		}
	case changed && old != nil:
		s.publish(t, old.with(blocks))
	}
}
