package customresource

import (
	"fmt"
	"maps"
	"slices"

	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// Skipped is called when a family loses samples of an object because a value cannot
// be a metric. It must be safe for concurrent use, and is called for each such value
// of each version of each object: what it does with the error must be cheap.
type Skipped func(family string, err error)

// Table returns the table of a resource. Entries for one resource are merged: metrics of
// one name are one family.
func (s *Served) Table(skipped Skipped) (*kind.Table, error) {
	var bound [][]*boundFamily
	index := map[string]int{}
	reads := newFields()
	for _, r := range s.Entries {
		for _, f := range r.families {
			b := f.bind(s.Resource, r.admits)
			b.addFields(reads)
			n, ok := index[f.desc.Name]
			if !ok {
				n = len(bound)
				index[f.desc.Name], bound = n, append(bound, nil)
			}
			bound[n] = append(bound[n], b)
		}
	}
	rows := make([]kind.Row[Object], len(bound))
	for i, same := range bound {
		rows[i] = kind.NewRow(same[0].desc, func(o *Object, e *metric.Emitter) {
			for _, f := range same {
				f.emit(o, e, skipped)
			}
		})
	}
	gvk := s.GroupVersionKind()
	t, err := kind.Define(kind.Kind[Object]{
		Resource: s.Resource,
		Labeled:  true,
		New:      func() *Object { return &Object{fields: reads, gvk: gvk} },
		Begin:    func(_ *Object, e *metric.Emitter, s *metric.Schema) { e.Begin(s) },
		Rows:     rows,
	})
	if err != nil {
		return nil, fmt.Errorf("custom resource %s: %w", gvk, err)
	}
	return t, nil
}

// boundFamily is a family of one resource.
type boundFamily struct {
	*family

	fixed  labelSet                            // the same for all objects
	admits func(labels map[string]string) bool // nil: all objects
}

func (f *family) bind(served kind.Resource, admits func(map[string]string) bool) *boundFamily {
	fixed := maps.Clone(f.common[0])
	if fixed == nil {
		fixed = map[string]string{}
	}
	fixed[groupLabel], fixed[versionLabel], fixed[kindLabel] = served.Group, served.Version, served.Kind
	maps.Copy(fixed, f.common[1])
	b := &boundFamily{family: f, admits: admits}
	for _, name := range slices.Sorted(maps.Keys(fixed)) {
		b.fixed = append(b.fixed, label{name, fixed[name]})
	}
	return b
}

// addFields adds what the family reads.
func (f *boundFamily) addFields(reads *fields) {
	reads.addSelector(&f.block.path)
	for i := range f.outer {
		reads.addSelector(&f.outer[i].from)
	}
	// Within an element, a path reads what the path to the element has kept; an
	// expression can read the object.
	expressions := f.block.valueFrom.cel != nil
	for i := range f.block.labels {
		expressions = expressions || f.block.labels[i].from.cel != nil
	}
	if expressions {
		reads.all = true
	}
}

// emit emits the samples of an object.
func (f *boundFamily) emit(o *Object, e *metric.Emitter, skipped Skipped) {
	if f.admits != nil && !f.admits(o.Labels) {
		return
	}
	s := samples{object: o}
	f.collect(f.block.path.get(&s, o.root), &s)
	if len(s.all) > 0 {
		s.sort()
		var outer labelSet
		f.outer.read(&s, o.root, &outer)
		outer.add(f.fixed)
		for i := range s.all {
			l := s.all[i].labels
			l.add(outer)
			for _, label := range l {
				e.Label(label.name, label.value)
			}
			e.AddLabeled(s.all[i].value)
		}
	}
	if skipped != nil {
		for _, err := range s.errs {
			skipped(f.desc.Name, err)
		}
	}
}
