package agent

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kubestate/kubestate/metric"
	"github.com/kubestate/kubestate/sink"
)

// aggregate is a compiled Aggregate of one family.
type aggregate struct {
	filter
	op       Op
	name     *namer
	check    *check // nil: a series
	joined   bool
	grouping *grouping
	adjust   func(*Point) bool
}

// grouping is all groups over the same labels, with the same names for them.
type grouping struct {
	by      []string
	mapping *mapping
	groups  map[string]*group
	shelf   *shelf
}

// group is what all totals are about whose labels have the same values.
type group struct {
	tagged
	grouping *grouping
	key      string
	cells    []*cell // ascending by name and operation
}

// cell is one total of one group.
type cell struct {
	group  *group
	metric *sink.Metric
	op     Op
	check  bool
	total  total
}

// part is what an object adds to a cell.
type part struct {
	cell  *cell
	value float64
	order int64
}

// compileAggregate binds an aggregate to a family of a planned table.
func (p *planner) compileAggregate(a *Aggregate, f *family) (*aggregate, error) {
	fail := func(err error) error { return fmt.Errorf("aggregate of %s: %w", a.Family, err) }
	c := &aggregate{op: a.Op, joined: a.Joined, adjust: a.Adjust}
	var errs []error
	if !slices.Contains([]Op{Sum, Count, Min, Max, Latest}, a.Op) {
		errs = append(errs, fmt.Errorf("op %q: want %s, %s, %s, %s or %s", a.Op, Sum, Count, Min, Max, Latest))
	}
	var err error
	c.filter, err = compileFilter(&a.Filter, nil)
	errs = append(errs, err)
	c.unless = f.find(a.Unless)
	if a.Check != nil {
		c.check, err = p.compileCheck(a.Check, a.Choose)
		errs = append(errs, err)
		c.name = c.check.name
	} else {
		if a.Metric == "" {
			errs = append(errs, errors.New("has no metric"))
		}
		like, err1 := metricOf(p.names.Prefix, a.Metric, a.Type, a.Unit, a.Help, f.desc)
		if a.Type == "" {
			like.Type = sink.Gauge // totals fall when objects go
		}
		var err2 error
		c.name, err2 = newNamer(p.metrics, like, a.Choose)
		errs = append(errs, err1, err2)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fail(err)
	}
	c.grouping = p.grouping(a.By, f.mapping)
	return c, nil
}

func (p *planner) grouping(by []string, m *mapping) *grouping {
	for _, g := range p.agent.state.groupings {
		if g.mapping == m && slices.Equal(g.by, by) {
			return g
		}
	}
	g := &grouping{by: by, mapping: m, groups: map[string]*group{}, shelf: &shelf{}}
	p.agent.state.groupings = append(p.agent.state.groupings, g)
	return g
}

// find returns the cell that a part is of; nil if there is none yet.
func (d *draftPart) find(key []byte) *cell {
	g, ok := d.total.grouping.groups[string(key)]
	if !ok {
		return nil
	}
	i, ok := g.find(d.metric, d.total)
	if !ok {
		return nil
	}
	return g.cells[i]
}

// find returns where the cell of a total stands, or should.
func (g *group) find(m *sink.Metric, t *aggregate) (int, bool) {
	return slices.BinarySearchFunc(g.cells, m, func(c *cell, m *sink.Metric) int {
		return cmp.Or(
			strings.Compare(c.metric.Name, m.Name),
			strings.Compare(string(c.op), string(t.op)),
			cmp.Compare(metric.Float(c.check), metric.Float(t.check != nil)),
		)
	})
}

// cellOf returns the cell that a part is of, made if need be.
func (s *state) cellOf(d *draftPart, key []byte) *cell {
	x := d.total.grouping
	g, ok := x.groups[string(key)]
	if !ok {
		g = s.newGroup(x, string(key))
	}
	i, ok := g.find(d.metric, d.total)
	if !ok {
		c := &cell{group: g, metric: d.metric, op: d.total.op, check: d.total.check != nil}
		g.cells = slices.Insert(g.cells, i, c)
	}
	return g.cells[i]
}

func (s *state) newGroup(x *grouping, key string) *group {
	g := &group{grouping: x, key: key}
	for i, value := range splitKey(key) {
		g.base = append(g.base, label{Name: x.by[i], Value: s.words.keep(value)})
	}
	g.ids = len(g.base)
	g.variants = []variant{{mapping: x.mapping}}
	g.tagged.group, g.home, g.place = g, x.shelf, x.shelf.take()
	x.groups[key] = g
	s.joins.depend(&g.tagged, &s.key)
	return g
}

// add makes a part count.
func (s *state) add(p part) {
	p.cell.total.add(p.cell.op, p.value, p.order)
	s.markDirty(&p.cell.group.tagged)
}

// remove makes a part count no longer. Cells without parts, and groups without
// cells, are gone.
func (s *state) remove(p part) {
	c := p.cell
	g := c.group
	c.total.remove(c.op, p.value, p.order)
	s.markDirty(&g.tagged)
	if c.total.n > 0 {
		return
	}
	i := slices.Index(g.cells, c)
	g.cells = slices.Delete(g.cells, i, i+1)
	if len(g.cells) == 0 {
		delete(g.grouping.groups, g.key)
		s.drop(&g.tagged)
	}
}

// resolve returns the series and checks of a group.
func (g *group) resolve() *object {
	o := &object{blocks: g.blocks}
	for _, c := range g.cells {
		value := c.total.value(c.op)
		if c.check {
			o.checks = append(o.checks, checkResult{name: c.metric, status: sink.Status(value)})
		} else {
			o.series = append(o.series, series{metric: c.metric, value: value})
		}
	}
	return o
}
