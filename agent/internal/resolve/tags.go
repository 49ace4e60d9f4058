package resolve

import (
	"slices"

	"github.com/kubestate/kubestate/agent/internal/compile"
	"github.com/kubestate/kubestate/sink"
)

// takeTags splits the labels of the point into tags of the series and labels of its
// block.
func (x *Resolver) takeTags(f *compile.Family, r *compile.Rule) {
	names, values := x.point.Labels()
	x.picked, x.shared = x.picked[:0], x.shared[:0]
	known := len(names) == f.IDs+len(r.Own)
	for i := f.IDs; i < len(names); i++ {
		var o compile.LabelPlan
		if j := i - f.IDs; known && names[i] == f.Own[j] {
			o = r.Own[j]
		} else {
			o = r.Plan(f, names[i])
		}
		if x.point.Dropped(i) {
			o.Key, o.Shared = "", o.Bound
		}
		shown := o.Shown(values[i])
		switch {
		case o.Shared:
			x.shared = append(x.shared, ownLabel{Name: names[i], Value: values[i], Key: o.Key, Shown: shown})
		case o.Key != "":
			x.picked = append(x.picked, sink.Tag{Key: o.Key, Value: shown})
		}
	}
	x.picked = append(append(x.picked, r.Set...), x.point.Tags()...)
	x.dropDuplicates(f)
}

// dropDuplicates sorts the tags of the series and drops those that its block has too.
// Where only the block can know, because another object may bring the tag, it goes to
// the block.
func (x *Resolver) dropDuplicates(f *compile.Family) {
	x.useMapping(f.Mapping)
	kept := x.picked[:0]
	for _, t := range SortTags(x.picked) {
		switch {
		case f.Brought[t.Key]:
			x.shared = append(x.shared, ownLabel{Key: t.Key, Shown: t.Value})
		case !slices.Contains(x.baseTags, t):
			kept = append(kept, t)
		}
	}
	x.picked = kept
}

// useMapping computes the tags that all blocks of the object with a mapping have.
func (x *Resolver) useMapping(m *compile.Mapping) {
	if x.baseMapping == m {
		return
	}
	x.baseMapping, x.baseTags = m, append(x.baseTags[:0], x.fixed...)
	for i, name := range x.draft.Names {
		if key := m.Key(name); key != "" && !m.IsOwner(name) {
			x.baseTags = append(x.baseTags, sink.Tag{Key: key, Value: x.draft.Values[i]})
		}
	}
}
