package agent

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/kubestate/kubestate/internal/join"
	"github.com/kubestate/kubestate/sink"
)

// objects holds the objects of one source of a resource.
type objects struct {
	*upkeep
	groups   []*groups // as program.groupings
	resource *resource
	slots    slots
	entries  map[types.NamespacedName]*entry
	list     uint32 // the number of the current or last list
	// synced: a list was complete. Before, objects are neither shown nor counted.
	synced   bool
	provided map[*entry][]provision // few objects provide labels
	// Scratch:
	pending []pending
	shaped  []series
}

// entry is an object.
type entry struct {
	labeled
	list  uint32 // the number of the list that had it last
	parts []part
}

// provision is where an object provides labels to others.
type provision struct {
	leaf *leaf
	join int
}

// pending is what an object is about to provide.
type pending struct {
	provision
	labels []join.Label // of the draft
}

func newObjects(r *resource, u *upkeep, g []*groups) *objects {
	x := &objects{
		upkeep: u, groups: g, resource: r, entries: map[types.NamespacedName]*entry{}, provided: map[*entry][]provision{},
	}
	x.slots.resource, x.slots.rebuilt = r.table.Name, x.rebuilt
	return x
}

// begin starts a list.
func (x *objects) begin() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.list++
}

// put adds or updates an object. Where nothing that matters changed it allocates nothing.
func (x *objects) put(k types.NamespacedName, d *draft) {
	x.mu.Lock()
	defer x.mu.Unlock()
	e, ok := x.entries[k]
	if !ok {
		e = &entry{}
		e.slots, e.slot = &x.slots, x.slots.take()
		x.entries[x.interner.name(k)] = e
	}
	e.list = x.list
	x.updateProvided(e, k, d)
	x.updateParts(e, d)
	x.updateSeries(e, d)
}

// delete removes an object, if it is known.
func (x *objects) delete(k types.NamespacedName) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if e, ok := x.entries[k]; ok {
		x.remove(e, k)
	}
}

// commit ends a list, and returns the objects that are removed because it did not have
// them.
func (x *objects) commit() (removed []types.NamespacedName) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for k, e := range x.entries {
		if e.list != x.list {
			removed = append(removed, k)
			x.remove(e, k)
		}
	}
	if !x.synced {
		x.synced = true
		for _, e := range x.entries {
			for _, p := range e.parts {
				p.countWaiting()
			}
		}
	}
	return removed
}

func (x *objects) remove(e *entry, k types.NamespacedName) {
	delete(x.entries, k)
	for _, p := range x.provided[e] {
		x.withdraw(k, p)
	}
	delete(x.provided, e)
	for _, p := range e.parts {
		p.remove(x.synced)
	}
	x.drop(&e.labeled)
}

// updateProvided provides what the draft says, and withdraws the rest.
func (x *objects) updateProvided(e *entry, k types.NamespacedName, d *draft) {
	x.pending = x.pending[:0]
	for i := range d.provided {
		if g := &d.provided[i]; g.source.index >= 0 {
			x.collect(d, g)
		}
	}
	old := x.provided[e]
	for _, o := range old {
		if !slices.ContainsFunc(x.pending, func(p pending) bool { return p.provision == o }) {
			x.withdraw(k, o)
		}
	}
	for _, p := range x.pending {
		x.provide(k, p)
	}
	switch {
	case slices.EqualFunc(old, x.pending, func(o provision, p pending) bool { return o == p.provision }):
	case len(x.pending) == 0:
		delete(x.provided, e)
	default:
		all := make([]provision, len(x.pending))
		for i, p := range x.pending {
			all[i] = p.provision
		}
		x.provided[e] = all
	}
}

// collect adds to pending. What several samples provide under one key is one provision.
func (x *objects) collect(d *draft, g *draftProvided) {
	at := provision{x.joins.indexes[g.source.index].index.Leaf(d.textOf(g.key)), g.source.number}
	labels := d.labelsOf(g)
	for i := range x.pending {
		if p := &x.pending[i]; p.provision == at {
			p.labels = append(p.labels, labels...)
			return
		}
	}
	x.pending = append(x.pending, pending{at, labels})
}

func (x *objects) provide(k types.NamespacedName, p pending) {
	if slices.Equal(p.leaf.Of(p.join, join.Source(k)), p.labels) {
		return
	}
	labels := make([]join.Label, len(p.labels))
	for i, l := range p.labels {
		labels[i] = join.Label{Name: l.Name, Value: x.interner.word(l.Value)}
	}
	if p.leaf.Give(join.Gift{Join: p.join, Source: join.Source(x.interner.name(k)), Labels: labels}) {
		p.leaf.Dependents(x.markDirty)
	}
}

func (x *objects) withdraw(k types.NamespacedName, p provision) {
	if p.leaf.Take(p.join, join.Source(k)) {
		p.leaf.Dependents(x.markDirty)
	}
}

// updateParts counts the object in aggregations as it is now.
func (x *objects) updateParts(e *entry, d *draft) {
	same := slices.EqualFunc(e.parts, d.parts, func(p part, n draftPart) bool {
		return p.word == n.word && p.cell == x.groups[n.total.grouping.number].find(d, &n)
	})
	if same {
		return
	}
	old := e.parts
	e.parts = make([]part, len(d.parts))
	for i := range d.parts {
		n := &d.parts[i]
		e.parts[i] = x.groups[n.total.grouping.number].add(d, n, x.synced)
	}
	for _, p := range old {
		p.remove(x.synced)
	}
}

// updateSeries publishes the series of an object if they or their blocks changed.
func (x *objects) updateSeries(e *entry, d *draft) {
	blocks, changed := e.blocks(), false // dirty ones are rebuilt before a flush
	if !e.hasLabelsOf(d) {
		blocks, changed = x.relabel(&e.labeled, func() { x.setLabels(e, d) })
	}
	old := e.resolved()
	same := old != nil && old.sameAs(d)
	switch {
	case same && !changed:
	case same:
		x.publish(&e.labeled, old.with(blocks))
	case len(d.series)+len(d.checks) == 0:
		x.publish(&e.labeled, nil)
	default:
		x.publish(&e.labeled, x.resolve(d, blocks, old))
	}
}

// hasLabelsOf reports whether an object has the labels of a draft.
func (e *entry) hasLabelsOf(d *draft) bool {
	if e.names == nil || len(d.variants) == 0 {
		return e.names == nil && len(d.variants) == 0
	}
	return int(e.ids) == d.ids && slices.Equal(e.values, d.values) && slices.Equal(*e.names, d.names) && sameVariants(*e.variants, d.variants)
}

// setLabels copies the labels from which blocks follow.
func (x *objects) setLabels(e *entry, d *draft) {
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
			values[i] = x.interner.word(value)
		}
	}
	e.names, e.values, e.ids = x.interner.namesOf(d.names), values, uint16(d.ids)
	e.variants = x.interner.variantsOf(d.variants)
}

// resolve makes an object of a draft.
func (x *objects) resolve(d *draft, blocks []*sink.Block, old *object) *object {
	o := &object{blocks: blocks, values: make([]float64, len(d.series))}
	for i, n := range d.series {
		o.values[i] = n.value
	}
	if old != nil && old.shape.sameAs(d) {
		o.shape = old.shape
	} else {
		o.shape = x.shape(d)
	}
	if old != nil && old.extra.sameAs(d) {
		o.extra = old.extra
	} else {
		o.extra = x.extra(d)
	}
	return o
}

func (x *objects) shape(d *draft) *shape {
	x.shaped = x.shaped[:0]
	for _, n := range d.series {
		x.sources.note(n.metric, origin{resource: x.resource.table.Name})
		x.shaped = append(x.shaped, series{
			metric: n.metric, tags: x.interner.tagSet(d.tagsOf(n.tags)),
			block: uint32(n.variant), start: uint8(n.start), age: n.age, moving: n.moving,
			ambiguous: d.variants[n.variant].mapping.ambiguous,
		})
	}
	return x.interner.shape(x.shaped)
}

func (x *objects) extra(d *draft) *extra {
	if len(d.starts)+len(d.moving)+len(d.checks) == 0 {
		return nil
	}
	e := &extra{starts: clone(d.starts), moving: clone(d.moving)}
	for _, n := range d.checks {
		e.checks = append(e.checks, checkResult{
			name: n.name, status: n.status, message: string(d.textOf(n.message)),
			tags: x.interner.tagSet(d.tagsOf(n.tags)), block: uint32(n.variant), due: n.due,
		})
	}
	return e
}

// rebuilt publishes an object whose blocks were rebuilt.
func (x *objects) rebuilt(t *labeled, blocks []*sink.Block, changed bool) {
	if old := t.resolved(); changed && old != nil {
		x.publish(t, old.with(blocks))
	}
}
