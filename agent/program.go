package agent

import (
	"slices"
	"strings"

	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// program says what becomes of the objects of each resource. It does not change.
type program struct {
	tables    []*kind.Table // planned, ascending by name
	resources []*resource   // as tables
	joins     []*joinSource // ascending by source family; a join's number is its index
	matches   [][]string    // the sets of labels by which joins match, each with an index of its own
	groupings []*grouping
	tracker   naming.Tracker // nil: none
}

// resource says what becomes of the objects of one kind.
type resource struct {
	number   int
	table    *kind.Table // planned
	identity []string
	uid      bool // the UID is a label beside the identity
	families []family
	tracked  map[string]*family // what the Tracker emits; empty: it does not see the objects
}

// family is what becomes of the samples of one family.
type family struct {
	desc    *metric.Desc
	schema  *metric.Schema // planned
	ids     int            // how many of a sample's labels are the identity
	own     []string
	mapping *mapping
	matched map[string]bool // own labels that joins match
	brought map[string]bool // tags that joins may bring and the object does not know
	rules   []*rule
	totals  []*aggregate
	source  *joinSource // nil: it gives nothing
}

// find returns the index of another family of the same planned table, or -1.
func (f *family) find(name string) int {
	if name == "" || f.schema == nil {
		return -1
	}
	return slices.IndexFunc(f.schema.Families, func(d metric.Desc) bool { return d.Name == name })
}

// joinOf returns the join whose source is a family; nil if there is none.
func (p *program) joinOf(family string) *joinSource {
	i, ok := slices.BinarySearchFunc(p.joins, family, func(s *joinSource, f string) int { return strings.Compare(s.family, f) })
	if !ok {
		return nil
	}
	return p.joins[i]
}
