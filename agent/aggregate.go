package agent

import (
	"cmp"
	"slices"
	"strings"

	"github.com/kubestate/kubestate/metric"
	"github.com/kubestate/kubestate/sink"
)

// groups are the groups of one grouping.
type groups struct {
	*grouping
	variants []variant // the one that all groups have
	byKey    map[string]*group
	shelf    *shelf
}

func newGroups(g *grouping) *groups {
	x := &groups{grouping: g, variants: []variant{{mapping: g.mapping}}, byKey: map[string]*group{}}
	x.shelf = &shelf{groups: x}
	return x
}

// group is what all totals are about whose labels have the same values.
type group struct {
	tagged
	cells []*cell // ascending by name, operation and own labels
}

// cell is one total of one group.
type cell struct {
	group *group
	of    *aggregate // one of those that add to it
	// metric is what it is called, also if it is a check.
	metric *sink.Metric
	own    *ownLabels // nil: none
	total  total
}

// ownLabels are the labels of a cell that others of its group have not.
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

// part is what an object adds to a cell: the bits of a value or, of totals that
// take the latest, a latestWord.
type part struct {
	cell *cell
	word uint64
}

// findCell returns the cell that a part is of; nil if there is none yet.
func (s *state) findCell(d *draft, n *draftPart) *cell {
	g, ok := s.groups[n.total.grouping.number].byKey[string(d.textOf(n.key))]
	if !ok {
		return nil
	}
	i, ok := g.find(n.metric, n.total, d.textOf(n.own))
	if !ok {
		return nil
	}
	return g.cells[i]
}

// find returns where the cell of a total stands, or should.
func (g *group) find(m *sink.Metric, t *aggregate, own []byte) (int, bool) {
	return slices.BinarySearchFunc(g.cells, m, func(c *cell, m *sink.Metric) int {
		return cmp.Or(
			strings.Compare(c.metric.Name, m.Name),
			strings.Compare(string(c.of.op), string(t.op)),
			cmp.Compare(metric.Float(c.of.check != nil), metric.Float(t.check != nil)),
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

// cellOf returns the cell that a part is of, made if need be.
func (s *state) cellOf(d *draft, n *draftPart) *cell {
	x := s.groups[n.total.grouping.number]
	key, own := d.textOf(n.key), d.textOf(n.own)
	g, ok := x.byKey[string(key)]
	if !ok {
		g = s.newGroup(x, string(key))
	}
	i, ok := g.find(n.metric, n.total, own)
	if !ok {
		c := &cell{group: g, of: n.total, metric: n.metric}
		if len(own) > 0 {
			c.own = &ownLabels{key: string(own)}
			c.own.tags = s.keep.keepTags(x.ownTags(c.own.key))
		}
		g.cells = slices.Insert(g.cells, i, c)
	}
	return g.cells[i]
}

// ownTags returns the tags of a key of own labels.
func (x *groups) ownTags(key string) []sink.Tag {
	var tags []sink.Tag
	for i, value := range splitKey(key, len(x.own)) {
		if x.own[i].key != "" {
			tags = append(tags, sink.Tag{Key: x.own[i].key, Value: value})
		}
	}
	return inOrder(tags)
}

func (s *state) newGroup(x *groups, key string) *group {
	g := &group{}
	g.names, g.values, g.ids, g.variants = &x.by, splitKey(key, len(x.by)), uint16(len(x.by)), &x.variants
	g.home, g.place = x.shelf, x.shelf.take()
	x.shelf.members = append(x.shelf.members, nil)[:len(x.shelf.objects)]
	x.shelf.members[g.place], x.byKey[key] = g, g
	s.joins.depend(&g.tagged, &s.key)
	return g
}

// add adds a part, which counts or waits.
func (s *state) add(p part, counts bool) {
	if !counts {
		p.cell.total.waiting++
		return
	}
	p.cell.total.add(p.cell.of.op, p.word)
	s.markDirty(&p.cell.group.tagged)
}

// count makes the parts of an object that waited count.
func (s *state) count(e *entry) {
	for _, p := range e.parts {
		p.cell.total.waiting--
		s.add(p, true)
	}
}

// remove takes a part away, which counted or waited. Cells without parts, and groups
// without cells, are gone.
func (s *state) remove(p part, counted bool) {
	c := p.cell
	g := c.group
	if counted {
		c.total.remove(c.of.op, p.word)
		s.markDirty(&g.tagged)
	} else {
		c.total.waiting--
	}
	if c.total.n+c.total.waiting > 0 {
		return
	}
	i := slices.Index(g.cells, c)
	g.cells = slices.Delete(g.cells, i, i+1)
	if len(g.cells) == 0 {
		s.key = s.key[:0]
		for _, value := range g.values {
			s.key = appendKey(s.key, value)
		}
		delete(g.home.groups.byKey, string(s.key))
		s.drop(&g.tagged)
		g.home.members[g.place] = nil
	}
}

// shows reports whether an object has the values of a group.
func (g *group) shows(o *object) bool {
	values, checks := o.values, o.checks()
	for _, c := range g.cells {
		if c.total.n == 0 {
			continue
		}
		value := c.total.value(c.of.op)
		switch {
		case c.of.check != nil && (len(checks) == 0 || checks[0].name != c.metric || checks[0].tags != c.tags() || float64(checks[0].status) != value):
			return false
		case c.of.check != nil:
			checks = checks[1:]
		case len(values) == 0 || !o.shape.series[len(o.values)-len(values)].is(c) || !sameValue(values[0], value):
			return false
		default:
			values = values[1:]
		}
	}
	return len(values)+len(checks) == 0
}

// is reports whether a series is that of a cell.
func (s *series) is(c *cell) bool { return s.metric == c.metric && s.tags == c.tags() }

// isTwin reports whether another group may have the same tags.
func (g *group) isTwin() bool {
	x := g.home.groups
	if x.twins || !x.owned {
		return x.twins
	}
	for i, label := range x.by {
		if label == createdByKind || label == ownerKind {
			return x.mapping.owners.Tags[g.values[i]] == ""
		}
	}
	return true
}

// resolveGroup returns the series and checks of a group; nil: nothing counts yet.
func (s *state) resolveGroup(g *group, blocks []*sink.Block) *object {
	o, twin := &object{blocks: blocks}, g.isTwin()
	s.shaped = s.shaped[:0]
	for _, c := range g.cells {
		if c.total.n == 0 {
			continue
		}
		value := c.total.value(c.of.op)
		if c.of.check == nil {
			s.twins.note(c.metric, origin{grouping: g.home.groups.grouping})
			s.shaped, o.values = append(s.shaped, series{metric: c.metric, tags: c.tags(), twin: twin}), append(o.values, value)
			continue
		}
		if o.extra == nil {
			o.extra = &extra{}
		}
		o.extra.checks = append(o.extra.checks, checkResult{name: c.metric, status: sink.Status(value), tags: c.tags()})
	}
	if len(s.shaped) == 0 && o.extra == nil {
		return nil
	}
	o.shape = s.keep.keepShape(s.shaped)
	return o
}
