package joined

import (
	"slices"

	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/internal/join"
	"github.com/kubestate/kubestate/internal/store"
	"github.com/kubestate/kubestate/kind"
)

// source is a kind of object that provides labels to others.
type source uint8

const (
	noSource source = iota
	nodes
	namespaces
	owners
)

func sourceOf(t *kind.Table) source {
	switch t.GroupVersionKind().GroupKind().String() {
	case "Node":
		return nodes
	case "Namespace":
		return namespaces
	case "ReplicaSet.apps", "Job.batch":
		return owners
	default:
		return noSource
	}
}

// observer keeps what the objects of a table provide up to date.
type observer struct {
	*Index
	part  *Part
	epoch uint32
}

// Before does nothing: Hold records what an object depends on.
func (observer) Before(*store.Feed, kind.Object) {}

// Put records what an object provides.
func (x observer) Put(_ *store.Feed, o kind.Object) {
	switch x.part.source {
	case nodes:
		x.provide(o, nodeLabelPrefix, nodeAnnotationPrefix)
	case namespaces:
		x.provide(o, namespaceLabelPrefix, namespaceAnnotationPrefix)
	case owners, noSource:
	}
}

// Delete removes an object, and what it provided.
func (x observer) Delete(f *store.Feed, namespace, name string) {
	if len(x.part.wants) > 0 {
		x.forget(objectKey{f, namespace, name})
	}
	if x.part.source != noSource {
		x.change(name, nil)
	}
}

// provide records the labels that an object without namespace provides.
func (x observer) provide(o kind.Object, labelPrefix, annotationPrefix string) {
	r := x.renderers.get()
	defer x.renderers.put(r)
	gifts := make([]join.Gift, 0, len(x.part.provides))
	for _, w := range x.part.provides {
		m := x.part.source.of(w)
		gifts = append(gifts, join.Gift{Join: m.id, Labels: r.provided(m, labelPrefix, annotationPrefix, w, o)})
	}
	x.change(o.GetName(), gifts)
}

// change makes gifts all that an object provides, and updates the objects that depend on it.
func (x observer) change(name string, gifts []join.Gift) {
	for _, d := range x.changed(name, gifts) {
		x.refresh(d)
	}
}

// changed records what an object provides, and returns the objects to update.
func (x observer) changed(name string, gifts []join.Gift) (dependents []*object) {
	x.mu.Lock()
	defer x.mu.Unlock()
	key := x.leafKey(x.part.source.leaves(), name)
	leaf := x.leaves.Get(key)
	if leaf == nil && len(gifts) == 0 {
		return nil
	}
	if leaf == nil {
		leaf = x.leaves.Leaf(key)
	}
	if x.epoch < leaf.Epoch && len(leaf.Given()) > 0 {
		return nil
	}
	leaf.Epoch = x.epoch
	if !replace(leaf, gifts) {
		return nil
	}
	leaf.Dependents(func(d *object) { dependents = append(dependents, d) })
	return dependents
}

// replace makes gifts all that a leaf has, and reports whether that is a change.
func replace(leaf *join.Leaf[*object], gifts []join.Gift) bool {
	changed := false
	for _, old := range slices.Clone(leaf.Given()) {
		if !slices.ContainsFunc(gifts, func(g join.Gift) bool { return g.Join == old.Join }) {
			changed = leaf.Take(old.Join, old.Source) || changed
		}
	}
	for _, g := range gifts {
		changed = leaf.Give(g) || changed
	}
	return changed
}

// of returns what a want selects of objects of the source; nil: nothing.
func (s source) of(w *want) *maps {
	switch s {
	case nodes:
		return &w.nodes
	case namespaces:
		return &w.namespaces
	default:
		return nil
	}
}

// leaves returns the first part of the keys of leaves.
func (s source) leaves() string {
	if s == namespaces {
		return namespaceLeaves
	}
	return nodeLeaves
}

// The first part of the keys of leaves.
const (
	nodeLeaves      = "node"
	namespaceLeaves = "namespace"
)

// appendGift appends the labels of a leaf with a number; nil has none.
func appendGift(dst []byte, leaf *join.Leaf[*object], number int) []byte {
	if leaf == nil {
		return dst
	}
	for _, l := range leaf.Of(number, join.Source{}) {
		dst = exposition.AppendLabel(dst, l.Name, l.Value)
	}
	return dst
}
