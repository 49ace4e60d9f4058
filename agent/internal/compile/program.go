package compile

import (
	"slices"
	"strings"

	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// Program is the compiled configuration: what to make of the objects of each resource. It
// is immutable.
type Program struct {
	Tables    []*kind.Table // planned, ascending by name
	Resources []*Resource   // as tables
	Joins     []*Join       // ascending by source family; a join's number is its index
	Matches   [][]string    // the sets of labels by which joins match, each with an index of its own
	Groupings []*Grouping
	Tracker   naming.Tracker // nil: none
}

// Resource is the compiled configuration of one kind.
type Resource struct {
	Number   int
	Table    *kind.Table // planned
	Identity []string
	UID      bool // the UID is a label beside the identity
	Families []Family
	Tracked  map[string]*Family // what the Tracker emits; empty: it does not see the objects
}

// Family is the compiled configuration of one family.
type Family struct {
	desc         *metric.Desc
	schema       *metric.Schema // planned
	IDs          int            // how many of a sample's labels are the identity
	Own          []string
	Mapping      *Mapping
	matched      map[string]bool // own labels that joins match
	Brought      map[string]bool // tags that joins may bring and the object does not know
	Rules        []*Rule
	Aggregations []*Aggregation
	Source       *Join // nil: it gives nothing
}

// find returns the index of another family of the same planned table, or -1.
func (f *Family) find(name string) int {
	if name == "" || f.schema == nil {
		return -1
	}
	return slices.IndexFunc(f.schema.Families, func(d metric.Desc) bool { return d.Name == name })
}

// joinOf returns the join whose source is a family; nil if there is none.
func (p *Program) joinOf(family string) *Join {
	i, ok := slices.BinarySearchFunc(p.Joins, family, func(s *Join, f string) int { return strings.Compare(s.family, f) })
	if !ok {
		return nil
	}
	return p.Joins[i]
}
