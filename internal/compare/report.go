package compare

import (
	"cmp"
	"maps"
	"slices"
)

// Report is the result of a comparison.
type Report struct {
	Families []Family `json:"families"` // in order of first appearance
	Samples  int      `json:"samples"`  // total of both sides and all rounds
	// Unsettled samples changed between all reads, so no verdict is possible.
	Unsettled int `json:"unsettled"`
}

// Family counts the series of one sample name.
type Family struct {
	Name      string         `json:"name"`
	Equal     int            `json:"equal"`
	Missing   int            `json:"missing"`
	Extra     int            `json:"extra"`
	Different int            `json:"different"`
	Repeated  int            `json:"repeated"`
	Repaired  map[string]int `json:"repaired,omitempty"` // by name of the repair; not counted above
	// TypeA and TypeB are set if the types differ.
	TypeA string `json:"type_a,omitempty"`
	TypeB string `json:"type_b,omitempty"`
}

// Same reports whether there are no differences except documented repairs.
func (f *Family) Same() bool {
	return f.Missing+f.Extra+f.Different+f.Repeated == 0 && f.TypeA == f.TypeB
}

// Same reports whether there are no differences except documented repairs.
func (r *Report) Same() bool {
	return !slices.ContainsFunc(r.Families, func(f Family) bool { return !f.Same() })
}

// Total returns the sum of all families.
func (r *Report) Total() Family {
	total := Family{Name: "total", Repaired: map[string]int{}}
	for _, f := range r.Families {
		total.Equal += f.Equal
		total.Missing += f.Missing
		total.Extra += f.Extra
		total.Different += f.Different
		total.Repeated += f.Repeated
		for name, n := range f.Repaired {
			total.Repaired[name] += n
		}
	}
	return total
}

func (f *Family) count(kind Kind, repair string) {
	switch {
	case repair != "":
		if f.Repaired == nil {
			f.Repaired = map[string]int{}
		}
		f.Repaired[repair]++
	case kind == Missing:
		f.Missing++
	case kind == Extra:
		f.Extra++
	case kind == Different:
		f.Different++
	default:
		f.Repeated++
	}
}

// families numbers families in order of first appearance.
type families struct {
	list  []Family
	index map[string]uint32
}

// of returns the number of a family. It allocates only for new ones.
func (f *families) of(name []byte) uint32 {
	n, ok := f.index[string(name)]
	if !ok {
		n = uint32(len(f.list))
		f.list = append(f.list, Family{Name: string(name)})
		f.index[string(name)] = n
	}
	return n
}

func (f *families) compareTypes(a, b map[string]string) {
	for i := range f.list {
		v := &f.list[i]
		typeA, inA := a[v.Name]
		typeB, inB := b[v.Name]
		if inA && inB && typeA != typeB {
			v.TypeA, v.TypeB = typeA, typeB
		}
	}
}

// report counts the remaining suspects.
func (x *comparer) report() *Report {
	r := &Report{Samples: x.samples}
	left := slices.SortedFunc(maps.Values(x.suspects), func(a, b *suspect) int {
		return cmp.Or(cmp.Compare(a.family, b.family), cmp.Compare(a.order, b.order))
	})
	for _, v := range left {
		if v.now != v.last {
			r.Unsettled++
			continue
		}
		d := Difference{
			Kind: v.now.kind(), Family: x.families.list[v.family].Name, Labels: v.labels,
			A: v.now.value(0), B: v.now.value(1), Repair: x.repair(v),
		}
		x.families.list[v.family].count(d.Kind, d.Repair)
		if x.Details != nil {
			x.Details(d)
		}
	}
	r.Families = x.families.list
	return r
}
