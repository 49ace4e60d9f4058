package series

import (
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/kubestate/kubestate/agent/internal/compile"
	"github.com/kubestate/kubestate/agent/internal/resolve"
	"github.com/kubestate/kubestate/internal/join"
	"github.com/kubestate/kubestate/sink"
)

// Objects has the objects of one source of a resource.
type Objects struct {
	*upkeep
	groups   []*groups // as program.groupings
	resource *compile.Resource
	slots    slots
	entries  map[types.NamespacedName]*entry
	list     uint32 // the number of the current or last list
	// synced: a list was complete. Before, objects are neither shown nor counted.
	synced   bool
	provided map[*entry][]provision // few objects provide labels
	pending  []pending              // scratch
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

func newObjects(r *compile.Resource, u *upkeep, g []*groups) *Objects {
	x := &Objects{
		upkeep: u, groups: g, resource: r, entries: map[types.NamespacedName]*entry{}, provided: map[*entry][]provision{},
	}
	x.slots.resource, x.slots.rebuilt = r.Table.Name, x.rebuilt
	return x
}

// Begin starts a list.
func (x *Objects) Begin() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.list++
}

// Put adds or updates an object. It does not allocate if nothing relevant changed.
func (x *Objects) Put(k types.NamespacedName, d *resolve.Draft) {
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

// Delete removes an object, if it is known.
func (x *Objects) Delete(k types.NamespacedName) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if e, ok := x.entries[k]; ok {
		x.remove(e, k)
	}
}

// Commit ends a list, and returns the objects that are removed because it did not have
// them.
func (x *Objects) Commit() (removed []types.NamespacedName) {
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

func (x *Objects) remove(e *entry, k types.NamespacedName) {
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
func (x *Objects) updateProvided(e *entry, k types.NamespacedName, d *resolve.Draft) {
	x.pending = x.pending[:0]
	for i := range d.Provided {
		if g := &d.Provided[i]; g.Source.Index >= 0 {
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
func (x *Objects) collect(d *resolve.Draft, g *resolve.Provided) {
	at := provision{x.joins.indexes[g.Source.Index].index.Leaf(d.TextOf(g.Key)), g.Source.Number}
	labels := d.LabelsOf(g)
	for i := range x.pending {
		if p := &x.pending[i]; p.provision == at {
			p.labels = append(p.labels, labels...)
			return
		}
	}
	x.pending = append(x.pending, pending{at, labels})
}

func (x *Objects) provide(k types.NamespacedName, p pending) {
	if slices.Equal(p.leaf.Labels(p.join, join.Source(k)), p.labels) {
		return
	}
	labels := make([]join.Label, len(p.labels))
	for i, l := range p.labels {
		labels[i] = join.Label{Name: l.Name, Value: x.interner.word(l.Value)}
	}
	if p.leaf.Set(join.JoinedLabels{Join: p.join, Source: join.Source(x.interner.name(k)), Labels: labels}) {
		p.leaf.Dependents(x.markDirty)
	}
}

func (x *Objects) withdraw(k types.NamespacedName, p provision) {
	if p.leaf.Delete(p.join, join.Source(k)) {
		p.leaf.Dependents(x.markDirty)
	}
}

// updateParts counts the object in aggregations as it is now.
func (x *Objects) updateParts(e *entry, d *resolve.Draft) {
	same := slices.EqualFunc(e.parts, d.Parts, func(p part, n resolve.Part) bool {
		return p.word == n.Word && p.cell == x.groups[n.Aggregation.Grouping.Number].find(d, &n)
	})
	if same {
		return
	}
	old := e.parts
	e.parts = make([]part, len(d.Parts))
	for i := range d.Parts {
		n := &d.Parts[i]
		e.parts[i] = x.groups[n.Aggregation.Grouping.Number].add(d, n, x.synced)
	}
	for _, p := range old {
		p.remove(x.synced)
	}
}

// updateSeries publishes the series of an object if they or their blocks changed.
func (x *Objects) updateSeries(e *entry, d *resolve.Draft) {
	blocks, changed := e.blocks(), false // dirty ones are rebuilt before a flush
	if !e.sameLabels(d) {
		blocks, changed = x.relabel(&e.labeled, func() { x.interner.label(&e.labeled, d) })
	}
	old := e.resolved()
	same := old != nil && old.sameAs(d)
	switch {
	case same && !changed:
	case same:
		x.publish(&e.labeled, old.with(blocks))
	case len(d.Series)+len(d.Checks) == 0:
		x.publish(&e.labeled, nil)
	default:
		x.publish(&e.labeled, x.interner.object(d, x.resource.Table.Name, blocks, old))
	}
}

// rebuilt publishes an object whose blocks were rebuilt.
func (x *Objects) rebuilt(t *labeled, blocks []*sink.Block, changed bool) {
	if old := t.resolved(); changed && old != nil {
		x.publish(t, old.with(blocks))
	}
}
