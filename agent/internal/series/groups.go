package series

import (
	"cmp"
	"slices"
	"strings"

	"github.com/kubestate/kubestate/agent/internal/compile"
	"github.com/kubestate/kubestate/agent/internal/resolve"
	"github.com/kubestate/kubestate/metric"
	"github.com/kubestate/kubestate/sink"
)

// groups holds the groups of one grouping.
type groups struct {
	*compile.Grouping
	*upkeep
	slots    slots
	members  []*group          // by slot
	variants []resolve.Variant // the one that all groups have
	byKey    map[string]*group
}

func newGroups(g *compile.Grouping, u *upkeep) *groups {
	x := &groups{Grouping: g, upkeep: u, variants: []resolve.Variant{{Mapping: g.Mapping}}, byKey: map[string]*group{}}
	x.slots.rebuilt = x.rebuilt
	return x
}

// group is the aggregations that share a set of label values.
type group struct {
	labeled
	of    *groups
	cells []*cell // ascending by name, operation and own labels
}

// cell is one aggregation of one group.
type cell struct {
	group *group
	of    *compile.Aggregation // one of those that add to it
	// metric is what it is called, also if it is a check.
	metric *sink.Metric
	own    *ownLabels // nil: none
	total  accumulator
}

// ownLabels are the labels that distinguish a cell from others of its group.
type ownLabels struct {
	key  string
	tags *tagSet
}

// ownKey returns the key of the own labels.
func (c *cell) ownKey() string {
	if c.own == nil {
		return ""
	}
	return c.own.key
}

// tags returns the tags that the own labels become.
func (c *cell) tags() *tagSet {
	if c.own == nil {
		return nil
	}
	return c.own.tags
}

// part is the contribution of an object to a cell: the bits of a value or, for latest, a
// latestWord.
type part struct {
	cell *cell
	word uint64
}

// find returns the cell that a part is of; nil if there is none yet.
func (x *groups) find(d *resolve.Draft, n *resolve.Part) *cell {
	g, ok := x.byKey[string(d.TextOf(n.Key))]
	if !ok {
		return nil
	}
	i, ok := g.find(n.Metric, n.Aggregation, d.TextOf(n.Own))
	if !ok {
		return nil
	}
	return g.cells[i]
}

// add adds a part of a draft to its cell, made if need be. It counts, or waits.
func (x *groups) add(d *resolve.Draft, n *resolve.Part, counts bool) part {
	key, own := d.TextOf(n.Key), d.TextOf(n.Own)
	g, ok := x.byKey[string(key)]
	if !ok {
		g = x.newGroup(string(key))
	}
	i, ok := g.find(n.Metric, n.Aggregation, own)
	if !ok {
		c := &cell{group: g, of: n.Aggregation, metric: n.Metric}
		if len(own) > 0 {
			c.own = &ownLabels{key: string(own)}
			c.own.tags = x.interner.tagSet(x.ownTags(c.own.key))
		}
		g.cells = slices.Insert(g.cells, i, c)
	}
	p := part{g.cells[i], n.Word}
	if counts {
		p.count()
	} else {
		p.cell.total.waiting++
	}
	return p
}

// ownTags returns the tags of a key of own labels.
func (x *groups) ownTags(key string) []sink.Tag {
	var tags []sink.Tag
	for i, value := range resolve.SplitKey(key, len(x.Own)) {
		if x.Own[i].Key != "" {
			tags = append(tags, sink.Tag{Key: x.Own[i].Key, Value: value})
		}
	}
	return resolve.SortTags(tags)
}

func (x *groups) newGroup(key string) *group {
	g := &group{of: x}
	g.names, g.values, g.ids, g.variants = &x.By, resolve.SplitKey(key, len(x.By)), uint16(len(x.By)), &x.variants
	g.slots, g.slot = &x.slots, x.slots.take()
	x.members = append(x.members, nil)[:len(x.slots.objects)]
	x.members[g.slot], x.byKey[key] = g, g
	x.joins.depend(&g.labeled, &x.key)
	return g
}

// count includes a part in the aggregate.
func (p part) count() {
	p.cell.total.add(p.cell.of.Op, p.word)
	p.cell.group.of.markDirty(&p.cell.group.labeled)
}

// countWaiting includes a part that was waiting.
func (p part) countWaiting() {
	p.cell.total.waiting--
	p.count()
}

// remove removes a part, counted or waiting. Cells without parts, and groups without cells,
// are dropped.
func (p part) remove(counted bool) {
	c := p.cell
	g := c.group
	x := g.of
	if counted {
		c.total.remove(c.of.Op, p.word)
		x.markDirty(&g.labeled)
	} else {
		c.total.waiting--
	}
	if c.total.n+c.total.waiting > 0 {
		return
	}
	i := slices.Index(g.cells, c)
	g.cells = slices.Delete(g.cells, i, i+1)
	if len(g.cells) == 0 {
		x.key = x.key[:0]
		for _, value := range g.values {
			x.key = resolve.AppendKey(x.key, value)
		}
		delete(x.byKey, string(x.key))
		x.drop(&g.labeled)
		x.members[g.slot] = nil
	}
}

// rebuilt resolves a group whose blocks were rebuilt, unless nothing changed.
func (x *groups) rebuilt(t *labeled, blocks []*sink.Block, changed bool) {
	g, old := x.members[t.slot], t.resolved()
	if changed || old == nil || !g.shows(old) {
		x.publish(t, x.resolve(g, blocks))
	}
}

// find returns the position of a cell, or where to insert it.
func (g *group) find(m *sink.Metric, t *compile.Aggregation, own []byte) (int, bool) {
	return slices.BinarySearchFunc(g.cells, m, func(c *cell, m *sink.Metric) int {
		return cmp.Or(
			strings.Compare(c.metric.Name, m.Name),
			strings.Compare(string(c.of.Op), string(t.Op)),
			cmp.Compare(metric.Float(c.of.Check != nil), metric.Float(t.Check != nil)),
			compareText(c.ownKey(), own),
		)
	})
}

// compareText is strings.Compare without a copy of b.
func compareText(a string, b []byte) int {
	switch {
	case a < string(b):
		return -1
	case a > string(b):
		return 1
	default:
		return 0
	}
}

// shows reports whether an object has the values of a group.
func (g *group) shows(o *object) bool {
	values, checks := o.values, o.checks()
	for _, c := range g.cells {
		if c.total.n == 0 {
			continue
		}
		value := c.total.value(c.of.Op)
		switch {
		case c.of.Check != nil && (len(checks) == 0 || checks[0].name != c.metric || checks[0].tags != c.tags() || float64(checks[0].status) != value):
			return false
		case c.of.Check != nil:
			checks = checks[1:]
		case len(values) == 0 || !o.shape.series[len(o.values)-len(values)].is(c) || !sameValue(values[0], value):
			return false
		default:
			values = values[1:]
		}
	}
	return len(values)+len(checks) == 0
}

// ambiguous reports whether another group may have the same tags.
func (g *group) ambiguous() bool {
	x := g.of.Grouping
	if x.Ambiguous || !x.Owned {
		return x.Ambiguous
	}
	for i, label := range x.By {
		if label == compile.CreatedByKind || label == compile.OwnerKind {
			return x.Mapping.Owners.Tags[g.values[i]] == ""
		}
	}
	return true
}

// resolve returns the series and checks of a group; nil: nothing counts yet.
func (x *groups) resolve(g *group, blocks []*sink.Block) *object {
	o, ambiguous := &object{blocks: blocks}, g.ambiguous()
	x.interner.shaped = x.interner.shaped[:0]
	for _, c := range g.cells {
		if c.total.n == 0 {
			continue
		}
		value := c.total.value(c.of.Op)
		if c.of.Check == nil {
			x.interner.sources.note(c.metric, origin{grouping: x.Grouping})
			x.interner.shaped, o.values = append(x.interner.shaped, series{metric: c.metric, tags: c.tags(), ambiguous: ambiguous}), append(o.values, value)
			continue
		}
		if o.extra == nil {
			o.extra = &extra{}
		}
		o.extra.checks = append(o.extra.checks, checkResult{name: c.metric, status: sink.Status(value), tags: c.tags()})
	}
	if len(x.interner.shaped) == 0 && o.extra == nil {
		return nil
	}
	o.shape = x.interner.shape(x.interner.shaped)
	return o
}
