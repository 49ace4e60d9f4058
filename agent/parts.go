package agent

import (
	"math"
	"slices"

	"github.com/kubestate/kubestate/agent/naming"
)

// addPart adds what the point contributes to an aggregation.
func (x *resolver) addPart(t *aggregate) {
	p, d := &x.point, &x.draft
	if t.unless >= 0 && len(x.samples.of(t.unless)) > 0 || !t.admits(p) || t.adjust != nil && !t.adjust(p) {
		return
	}
	m := x.nameBy(t.name)
	if m == nil || t.op != naming.Count && math.IsNaN(p.Value) {
		return
	}
	part := draftPart{total: t, metric: m, word: math.Float64bits(p.Value)}
	if t.op == naming.Latest {
		part.word = latestWord(p, t.check)
	}
	part.key.from = len(d.text)
	for _, by := range t.grouping.by {
		d.text = appendKey(d.text, x.groupLabel(t, by))
	}
	part.key.to, part.own.from = len(d.text), len(d.text)
	for i := range t.grouping.own {
		d.text = appendKey(d.text, x.groupLabel(t, t.grouping.own[i].label))
	}
	part.own.to = len(d.text)
	d.parts = append(d.parts, part)
}

// groupLabel returns the value of a label by which an aggregation groups.
func (x *resolver) groupLabel(t *aggregate, name string) string {
	p, d := &x.point, &x.draft
	if v, ok := p.Lookup(name); ok {
		return v
	}
	for _, tag := range slices.Backward(p.Tags()) {
		if tag.Key == name {
			return tag.Value
		}
	}
	if t.joined {
		if i := slices.Index(d.names[d.ids:], name); i >= 0 {
			return d.values[d.ids+i]
		}
	}
	return ""
}
