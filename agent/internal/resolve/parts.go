package resolve

import (
	"math"
	"slices"

	"github.com/kubestate/kubestate/agent/internal/compile"
	"github.com/kubestate/kubestate/agent/naming"
)

// addPart adds what the point contributes to an aggregation.
func (x *Resolver) addPart(t *compile.Aggregation) {
	p, d := &x.point, &x.draft
	if t.Unless >= 0 && len(x.samples.of(t.Unless)) > 0 || !t.Admits(p) || t.Adjust != nil && !t.Adjust(p) {
		return
	}
	m, err := t.Name.Metric(p, &x.scratch)
	if err != nil {
		x.full = err
	}
	if m == nil || t.Op != naming.Count && math.IsNaN(p.Value) {
		return
	}
	part := Part{Aggregation: t, Metric: m, Word: math.Float64bits(p.Value)}
	if t.Op == naming.Latest {
		part.Word = compile.LatestWord(p.Order, t.Check.StatusOf(p))
	}
	part.Key.from = len(d.text)
	untagged := x.untaggedOwner(t)
	for _, by := range t.Grouping.By {
		value := ""
		if !untagged || !t.Grouping.Mapping.IsOwner(by) {
			value = x.groupLabel(t, by)
		}
		d.text = AppendKey(d.text, value)
	}
	part.Key.to, part.Own.from = len(d.text), len(d.text)
	for i := range t.Grouping.Own {
		d.text = AppendKey(d.text, x.groupLabel(t, t.Grouping.Own[i].Label))
	}
	part.Own.to = len(d.text)
	d.Parts = append(d.Parts, part)
}

// untaggedOwner reports whether the owner that the point names yields no tag. Groups of
// several such owners would have the same tags, so they are one group.
func (x *Resolver) untaggedOwner(t *compile.Aggregation) bool {
	g := t.Grouping
	if !g.Owned || g.Matched {
		return false
	}
	kind, name := "", ""
	for _, label := range g.By {
		switch label {
		case compile.CreatedByKind, compile.OwnerKind:
			kind = x.groupLabel(t, label)
		case compile.CreatedByName, compile.OwnerName:
			name = x.groupLabel(t, label)
		}
	}
	return name == "" || g.Mapping.Owners.Tags[kind] == ""
}

// groupLabel returns the value of a label by which an aggregation groups.
func (x *Resolver) groupLabel(t *compile.Aggregation, name string) string {
	p, d := &x.point, &x.draft
	if v, ok := p.Lookup(name); ok {
		return v
	}
	for _, tag := range slices.Backward(p.Tags()) {
		if tag.Key == name {
			return tag.Value
		}
	}
	if t.Joined {
		if i := slices.Index(d.Names[d.IDs:], name); i >= 0 {
			return d.Values[d.IDs+i]
		}
	}
	return ""
}
