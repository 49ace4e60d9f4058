package agent

import (
	"cmp"
	"slices"

	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/sink"
)

// aggregate is a compiled Aggregate of one family.
type aggregate struct {
	filter
	op       naming.Op
	name     *namer
	check    *check // nil: a series
	joined   bool
	grouping *grouping
	adjust   func(*naming.Point) bool
}

// grouping is all groups over the same labels, with the same names for them. Where
// tags describe entities, the groups of one entity are one group, whose cells differ
// in the other labels: so they have one block.
type grouping struct {
	number    int
	labels    []string // all
	by        []string // those that make blocks
	own       []ownBy  // the others
	mapping   *mapping
	ambiguous bool // groups may have the same tags
	owned     bool // labels name an owner, which becomes a tag only if it is of some kinds
}

// ownBy is a label by which the cells of a group differ, and its tag.
type ownBy struct{ label, key string }

// latestWord is the order of a sample and, in the last bits, its status: the
// greatest one is that of the latest sample, and the worst of several.
func latestWord(p *naming.Point, c *check) uint64 {
	const sign = 1 << 63 // turned, so that words of negative orders are the least
	return uint64(p.Order<<statusBits) ^ sign | uint64(c.statusOf(p))
}

func statusOfWord(word uint64) sink.Status { return sink.Status(word & (1<<statusBits - 1)) }

const statusBits = 2

// compileAggregate binds an aggregate to a family of a planned table.
func (p *compiler) compileAggregate(a *naming.Aggregate, f *family) *aggregate {
	c := &aggregate{filter: compileFilter(&a.Filter, nil), op: a.Op, joined: a.Joined, adjust: a.Adjust}
	c.unless = f.find(a.Unless)
	if a.Check != nil {
		c.check = p.compileCheck(a.Check, a.Choose)
		c.name = c.check.name
	} else {
		t := cmp.Or(a.Type, naming.Gauge) // also of counters: totals fall when objects go
		c.name = newNamer(p.metrics, metricOf(p.scheme.Prefix, a.Metric, t, a.Unit, a.Help, f.desc), a.Choose)
	}
	c.grouping = p.grouping(a.By, f)
	return c
}

// grouping returns the grouping by labels that have the tags of a family's mapping.
func (p *compiler) grouping(labels []string, f *family) *grouping {
	m := f.mapping
	for _, g := range p.program.groupings {
		if g.mapping == m && slices.Equal(g.labels, labels) {
			return g
		}
	}
	g := &grouping{number: len(p.program.groupings), labels: labels, mapping: m}
	g.ambiguous, g.owned = m.alike(labels), slices.ContainsFunc(labels, m.isOwner)
	for _, label := range labels {
		key := m.key(label)
		matched := slices.ContainsFunc(p.program.matches, func(match []string) bool { return slices.Contains(match, label) })
		if len(m.entity) == 0 || matched || m.isOwner(label) || m.shared(key) || f.brought[key] {
			g.by = append(g.by, label)
		} else {
			g.own = append(g.own, ownBy{label, key})
		}
	}
	p.program.groupings = append(p.program.groupings, g)
	return g
}
