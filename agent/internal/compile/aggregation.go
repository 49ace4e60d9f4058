package compile

import (
	"cmp"
	"slices"

	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/sink"
)

// Aggregation is a compiled naming.Aggregate of one family.
type Aggregation struct {
	filter
	Op       naming.Op
	Name     *Namer
	Check    *Check // nil: a series
	Joined   bool
	Grouping *Grouping
	Adjust   func(*naming.Point) bool
}

// Grouping is all groups by the same labels with the same tags. If tags describe entities,
// the groups of one entity are one group whose cells differ in the other labels, so that
// they share a block.
type Grouping struct {
	Number    int
	labels    []string // all
	By        []string // those that make blocks
	Own       []ownBy  // the others
	Mapping   *Mapping
	Ambiguous bool // groups may have the same tags
	Matched   bool // joins match labels that name an owner
	Owned     bool // labels name an owner, which becomes a tag only if it is of some kinds
}

// ownBy is a label by which the cells of a group differ, and its tag.
type ownBy struct{ Label, Key string }

// LatestWord returns a word with the order of a sample and, in the last bits, its
// status: the greatest word is that of the latest sample, and the worst of several.
func LatestWord(order int64, s sink.Status) uint64 {
	const sign = 1 << 63 // flipped, so that words of negative orders are the least
	return uint64(order<<statusBits) ^ sign | uint64(s)
}

// StatusOf returns the status of a LatestWord.
func StatusOf(word uint64) sink.Status { return sink.Status(word & (1<<statusBits - 1)) }

const statusBits = 2

// compileAggregate binds an aggregate to a family of a planned table.
func (p *compiler) compileAggregate(a *naming.Aggregate, f *Family) *Aggregation {
	c := &Aggregation{filter: compileFilter(&a.Filter, nil), Op: a.Op, Joined: a.Joined, Adjust: a.Adjust}
	c.Unless = f.find(a.Unless)
	if a.Check != nil {
		c.Check = p.compileCheck(a.Check, a.Choose)
		c.Name = c.Check.namer
	} else {
		t := cmp.Or(a.Type, naming.Gauge) // also of counters: totals fall when objects go
		c.Name = newNamer(p.metrics, metricOf(p.scheme.Prefix, a.Metric, t, a.Unit, a.Help, f.desc), a.Choose)
	}
	c.Grouping = p.grouping(a.By, f)
	return c
}

// grouping returns the grouping by labels that have the tags of a family's mapping.
func (p *compiler) grouping(labels []string, f *Family) *Grouping {
	m := f.Mapping
	for _, g := range p.program.Groupings {
		if g.Mapping == m && slices.Equal(g.labels, labels) {
			return g
		}
	}
	g := &Grouping{Number: len(p.program.Groupings), labels: labels, Mapping: m}
	g.Ambiguous, g.Owned = m.alike(labels), slices.ContainsFunc(labels, m.IsOwner)
	for _, label := range labels {
		key := m.Key(label)
		matched := slices.ContainsFunc(p.program.Matches, func(match []string) bool { return slices.Contains(match, label) })
		switch {
		case matched || m.IsOwner(label):
			g.By = append(g.By, label)
			g.Matched = g.Matched || matched && m.IsOwner(label)
		case key == "": // the groups would have the same tags
		case len(m.Entity) == 0 || m.shared(key) || f.Brought[key]:
			g.By = append(g.By, label)
		default:
			g.Own = append(g.Own, ownBy{label, key})
		}
	}
	p.program.Groupings = append(p.program.Groupings, g)
	return g
}
