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
	for _, by := range t.Grouping.By {
		d.text = AppendKey(d.text, x.groupLabel(t, by))
	}
	part.Key.to, part.Own.from = len(d.text), len(d.text)
	for i := range t.Grouping.Own {
		d.text = AppendKey(d.text, x.groupLabel(t, t.Grouping.Own[i].Label))
	}
	part.Own.to = len(d.text)
	d.Parts = append(d.Parts, part)
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
