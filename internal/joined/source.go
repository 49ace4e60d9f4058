package joined

import (
	"slices"

	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/internal/join"
	"github.com/kubestate/kubestate/internal/store"
	"github.com/kubestate/kubestate/kind"
)

// source is a kind of objects that give labels to others.
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

// wanted reports whether some join needs what a source gives.
func (x *Index) wanted(s source) bool {
	return slices.ContainsFunc(x.joins, func(j Join) bool {
		switch s {
		case nodes:
			return len(j.NodeLabels)+len(j.NodeAnnotations) > 0
		case namespaces:
			return len(j.NamespaceLabels)+len(j.NamespaceAnnotations) > 0
		case owners:
			return j.Workload
		default:
			return false
		}
	})
}

// Sources returns those of tables whose objects have to be read for the sake of
// joins.
func (x *Index) Sources(tables []*kind.Table) []*kind.Table {
	var found []*kind.Table
	for _, t := range tables {
		if x.wanted(sourceOf(t)) {
			found = append(found, t)
		}
	}
	return found
}

const (
	labelsField      = "metadata.labels"
	annotationsField = "metadata.annotations[!" + neverShown + "]"
)

// Reads returns which fields of a table's objects are looked at, as
// kind.Options.Reads has them; families are those that are served.
func (x *Index) Reads(planned *kind.Table) []string {
	var fields []string
	families := planned.Schema().Families
	for i := range x.joins {
		j := &x.joins[i]
		switch sourceOf(planned) {
		case nodes:
			fields = append(fields, mapFields(j.NodeLabels, j.NodeAnnotations)...)
		case namespaces:
			fields = append(fields, mapFields(j.NamespaceLabels, j.NamespaceAnnotations)...)
		case owners:
			if j.Workload {
				fields = append(fields, kind.RelatedReads(planned)...)
			}
		case noSource:
		}
		for f := range families {
			if j.concerns(families[f].Name) {
				fields = append(fields, j.reads(planned)...)
				break
			}
		}
	}
	slices.Sort(fields)
	return slices.Compact(fields)
}

// reads returns the fields of objects that get labels.
func (j *Join) reads(t *kind.Table) []string {
	return append(mapFields(j.Labels, j.Annotations), kind.RelatedReads(t)...)
}

// mapFields returns the fields of which patterns pick entries.
func mapFields(labels, annotations []string) (fields []string) {
	if len(labels) > 0 {
		fields = append(fields, labelsField)
	}
	if len(annotations) > 0 {
		fields = append(fields, annotationsField)
	}
	return fields
}

// Source returns the observer of a table whose objects joins need, nil if they do not.
func (x *Index) Source(t *kind.Table) store.Observer {
	s := sourceOf(t)
	if !x.wanted(s) {
		return nil
	}
	return observer{x, t, s}
}

// Labeled returns the observer of the objects of a table with joined labels. labeler is
// what Labeler returned for the table; nil if that is nil.
func (x *Index) Labeled(labeler *Table) store.Observer {
	if labeler == nil {
		return nil
	}
	return labeled{x}
}

// labeled observes objects with joined labels. Hold notes what they depend on.
type labeled struct{ *Index }

// Before implements store.Observer.
func (labeled) Before(*store.Feed, kind.Object) {}

// Put implements store.Observer.
func (labeled) Put(*store.Feed, kind.Object) {}

// Delete forgets the joined labels of an object.
func (x labeled) Delete(f *store.Feed, namespace, name string) {
	x.forget(objectKey{f, namespace, name})
}

// observer observes a source.
type observer struct {
	*Index
	table  *kind.Table
	source source
}

// Before implements store.Observer.
func (observer) Before(*store.Feed, kind.Object) {}

// Put notes what an object gives.
func (x observer) Put(_ *store.Feed, o kind.Object) {
	switch x.source {
	case nodes:
		x.give(o, "node", func(w *want) maps { return w.nodes }, nodeLabelPrefix, nodeAnnotationPrefix)
	case namespaces:
		x.give(o, "namespace", func(w *want) maps { return w.namespaces }, namespaceLabelPrefix, namespaceAnnotationPrefix)
	case owners:
		owned, owner, ok := kind.OwnerOf(x.table, o)
		if !ok { // its Pods tell; one that had the name before may have given
			x.change(x.table.Kind, o.GetNamespace(), o.GetName(), nil)
			return
		}
		x.change(owned.Kind, owned.Namespace, owned.Name, []join.Gift{{Labels: workloadLabels(owned.Workload(owner))}})
	case noSource:
	}
}

// Delete forgets what an object gave.
func (x observer) Delete(_ *store.Feed, namespace, name string) {
	switch x.source {
	case nodes:
		x.change("node", "", name, nil)
	case namespaces:
		x.change("namespace", "", name, nil)
	case owners:
		x.change(x.table.Kind, namespace, name, nil)
	case noSource:
	}
}

// give notes what an object without namespace gives to each that wants something.
func (x *Index) give(o kind.Object, kind string, of func(*want) maps, labelPrefix, annotationPrefix string) {
	r := x.renderers.get()
	defer x.renderers.put(r)
	var gifts []join.Gift
	for _, w := range x.wants {
		if m := of(w); !m.none() {
			gifts = append(gifts, join.Gift{Join: w.id, Labels: r.gift(m, labelPrefix, annotationPrefix, w, o)})
		}
	}
	x.change(kind, "", o.GetName(), gifts)
}

// change makes gifts all that is given under a key, and tells those who depend on
// it.
func (x *Index) change(kind, namespace, name string, gifts []join.Gift) {
	for _, d := range x.changed(kind, namespace, name, gifts) {
		x.refresh(d)
	}
}

// changed returns whom a change concerns.
func (x *Index) changed(kind, namespace, name string, gifts []join.Gift) []*object {
	x.mu.Lock()
	defer x.mu.Unlock()
	if gifts == nil && !x.known(kind, namespace, name) {
		return nil
	}
	leaf := x.leaf(kind, namespace, name)
	news := false
	if gifts == nil {
		for _, g := range slices.Clone(leaf.Given()) {
			news = leaf.Take(g.Join, g.Source) || news
		}
	}
	for _, g := range gifts {
		news = leaf.Give(g) || news
	}
	if !news {
		return nil
	}
	var concerned []*object
	leaf.Dependents(func(d *object) { concerned = append(concerned, d) })
	return concerned
}

// appendGift appends the labels that are given in a join; a nil leaf gives nothing.
func appendGift(dst []byte, leaf *join.Leaf[*object], number int) []byte {
	if leaf == nil {
		return dst
	}
	for _, l := range leaf.Of(number, join.Source{}) {
		dst = exposition.AppendLabel(dst, l.Name, l.Value)
	}
	return dst
}
