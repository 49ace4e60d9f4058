package agent

import (
	"slices"

	"github.com/kubestate/kubestate/sink"
)

// takeTags splits the labels of the point into tags of the series and labels of its
// block.
func (x *resolver) takeTags(f *family, r *rule) {
	names, values := x.point.Labels()
	x.picked, x.shared = x.picked[:0], x.shared[:0]
	known := len(names) == f.ids+len(r.own)
	for i := f.ids; i < len(names); i++ {
		var o labelPlan
		if j := i - f.ids; known && names[i] == f.own[j] {
			o = r.own[j]
		} else {
			o = r.plan(f, names[i])
		}
		if x.point.Dropped(i) {
			o.key, o.shared = "", o.bound
		}
		shown := o.shown(values[i])
		switch {
		case o.shared:
			x.shared = append(x.shared, ownLabel{name: names[i], value: values[i], key: o.key, shown: shown})
		case o.key != "":
			x.picked = append(x.picked, sink.Tag{Key: o.key, Value: shown})
		}
	}
	x.picked = append(append(x.picked, r.set...), x.point.Tags()...)
	x.dropDuplicates(f)
}

// dropDuplicates sorts the tags of the series and drops those that its block has too.
// Where only the block can know, because another object may bring the tag, it goes to
// the block.
func (x *resolver) dropDuplicates(f *family) {
	x.useMapping(f.mapping)
	kept := x.picked[:0]
	for _, t := range inOrder(x.picked) {
		switch {
		case f.brought[t.Key]:
			x.shared = append(x.shared, ownLabel{key: t.Key, shown: t.Value})
		case !slices.Contains(x.baseTags, t):
			kept = append(kept, t)
		}
	}
	x.picked = kept
}

// useMapping computes the tags that all blocks of the object with a mapping have.
func (x *resolver) useMapping(m *mapping) {
	if x.baseMapping == m {
		return
	}
	x.baseMapping, x.baseTags = m, append(x.baseTags[:0], x.fixed...)
	for i, name := range x.draft.names {
		if key := m.key(name); key != "" && !m.isOwner(name) {
			x.baseTags = append(x.baseTags, sink.Tag{Key: key, Value: x.draft.values[i]})
		}
	}
}
