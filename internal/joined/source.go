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

// observer records the labels that the objects of a table provide.
type observer struct {
	*Index
	part  *Part
	epoch uint32
}

// Before does nothing: Hold records what an object depends on.
func (observer) Before(*store.Feed, kind.Object) {}

// Put records the labels that an object provides.
func (x observer) Put(_ *store.Feed, o kind.Object) {
	switch x.part.source {
	case nodes:
		x.provide(o, nodeLabelPrefix, nodeAnnotationPrefix)
	case namespaces:
		x.provide(o, namespaceLabelPrefix, namespaceAnnotationPrefix)
	case owners, noSource:
	}
}

// Delete removes an object and the labels that it provided.
func (x observer) Delete(f *store.Feed, namespace, name string) {
	if len(x.part.wants) > 0 {
		x.forget(objectKey{f, namespace, name})
	}
	if x.part.source != noSource {
		x.change(name, nil)
	}
}

// provide records the labels that a cluster-scoped object provides.
func (x observer) provide(o kind.Object, labelPrefix, annotationPrefix string) {
	r := x.renderers.get()
	defer x.renderers.put(r)
	provided := make([]join.JoinedLabels, 0, len(x.part.provides))
	for _, w := range x.part.provides {
		m := x.part.source.of(w)
		provided = append(provided, join.JoinedLabels{Join: m.id, Labels: r.provided(m, labelPrefix, annotationPrefix, w, o)})
	}
	x.change(o.GetName(), provided)
}

// change replaces the labels that an object provides, and updates the objects that depend on it.
func (x observer) change(name string, provided []join.JoinedLabels) {
	for _, d := range x.changed(name, provided) {
		x.refresh(d)
	}
}

// changed records the labels that an object provides, and returns the objects to update.
func (x observer) changed(name string, provided []join.JoinedLabels) (dependents []*object) {
	x.mu.Lock()
	defer x.mu.Unlock()
	key := x.leafKey(x.part.source.leaves(), name)
	leaf := x.leaves.Get(key)
	if leaf == nil && len(provided) == 0 {
		return nil
	}
	if leaf == nil {
		leaf = x.leaves.Leaf(key)
	}
	if x.epoch < leaf.Epoch && len(leaf.Provided()) > 0 {
		return nil
	}
	leaf.Epoch = x.epoch
	if !replace(leaf, provided) {
		return nil
	}
	leaf.Dependents(func(d *object) { dependents = append(dependents, d) })
	return dependents
}

// replace replaces the labels of a leaf, and reports whether they changed.
func replace(leaf *join.Leaf[*object], provided []join.JoinedLabels) bool {
	changed := false
	for _, old := range slices.Clone(leaf.Provided()) {
		if !slices.ContainsFunc(provided, func(g join.JoinedLabels) bool { return g.Join == old.Join }) {
			changed = leaf.Delete(old.Join, old.Source) || changed
		}
	}
	for _, g := range provided {
		changed = leaf.Set(g) || changed
	}
	return changed
}

// of returns what a want selects from objects of the source, or nil.
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

// leaves returns the prefix of the keys of leaves.
func (s source) leaves() string {
	if s == namespaces {
		return namespaceLeaves
	}
	return nodeLeaves
}

// Prefixes of the keys of leaves.
const (
	nodeLeaves      = "node"
	namespaceLeaves = "namespace"
)

// appendJoined appends the labels of a leaf for the join with a number; nil has none.
func appendJoined(dst []byte, leaf *join.Leaf[*object], number int) []byte {
	if leaf == nil {
		return dst
	}
	for _, l := range leaf.Labels(number, join.Source{}) {
		dst = exposition.AppendLabel(dst, l.Name, l.Value)
	}
	return dst
}
