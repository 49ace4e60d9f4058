package joined

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// Names of the labels that objects get, and beginnings of those that come from a
// map.
const (
	labelPrefix               = "label"
	annotationPrefix          = "annotation"
	nodeName                  = "node"
	nodeLabelPrefix           = "node_label"
	nodeAnnotationPrefix      = "node_annotation"
	namespaceLabelPrefix      = "namespace_label"
	namespaceAnnotationPrefix = "namespace_annotation"
	workloadName              = "workload"
	workloadType              = "workload_type"
)

// want is what all joins together ask for in some families of one table.
type want struct {
	id             int // gifts to those who want the same have it
	self           maps
	nodes          maps
	namespaces     maps
	node, workload bool
	// Labels that the families have already: these, and all that begin with prefix.
	has    []string
	prefix string
}

// maps says which entries of labels and of annotations are wanted; nil for none.
type maps struct{ label, annotation func(key string) bool }

func (m maps) none() bool { return m.label == nil && m.annotation == nil }

// wantOf returns what joins ask for in a family, nil if that is nothing. names are
// those of the family's labels.
func wantOf(joins []Join, d *metric.Desc, names []string) *want {
	var all Join
	for i := range joins {
		if j := &joins[i]; j.concerns(d.Name) {
			all.add(j)
		}
	}
	w := &want{
		self:       maps{admit(all.Labels), admitAnnotations(all.Annotations)},
		nodes:      maps{admit(all.NodeLabels), admitAnnotations(all.NodeAnnotations)},
		namespaces: maps{admit(all.NamespaceLabels), admitAnnotations(all.NamespaceAnnotations)},
		node:       all.Node && !slices.Contains(names, nodeName),
		workload:   all.Workload && !slices.Contains(names, workloadName) && !slices.Contains(names, workloadType),
	}
	if d.Prefix != "" {
		w.prefix = d.Prefix + "_"
	}
	for _, name := range names {
		if slices.ContainsFunc([]string{labelPrefix, annotationPrefix, nodeLabelPrefix, nodeAnnotationPrefix, namespaceLabelPrefix, namespaceAnnotationPrefix},
			func(prefix string) bool { return strings.HasPrefix(name, prefix+"_") }) {
			w.has = append(w.has, name)
		}
	}
	if w.self.none() && w.nodes.none() && w.namespaces.none() && !w.node && !w.workload {
		return nil
	}
	return w
}

// signature is the same for wants that ask for the same.
func (w *want) signature(joins []Join, d *metric.Desc) string {
	var concerned []int
	for i := range joins {
		if joins[i].concerns(d.Name) {
			concerned = append(concerned, i)
		}
	}
	return fmt.Sprint(concerned, w.node, w.workload, w.has, w.prefix)
}

// add makes j ask for what other asks for too.
func (j *Join) add(other *Join) {
	j.Labels = append(j.Labels, other.Labels...)
	j.Annotations = append(j.Annotations, other.Annotations...)
	j.NodeLabels = append(j.NodeLabels, other.NodeLabels...)
	j.NodeAnnotations = append(j.NodeAnnotations, other.NodeAnnotations...)
	j.NamespaceLabels = append(j.NamespaceLabels, other.NamespaceLabels...)
	j.NamespaceAnnotations = append(j.NamespaceAnnotations, other.NamespaceAnnotations...)
	j.Node = j.Node || other.Node
	j.Workload = j.Workload || other.Workload
}

// admit returns what tells keys that match patterns; nil without patterns. New has
// refused bad ones.
func admit(patterns []string) func(string) bool {
	keys, _ := kind.CompileKeys("", patterns)
	if keys.Empty() {
		return nil
	}
	return keys.Match
}

func admitAnnotations(patterns []string) func(string) bool {
	match := admit(patterns)
	if match == nil {
		return nil
	}
	return func(key string) bool { return key != neverShown && match(key) }
}

// lacks reports whether the families do not have a label already.
func (w *want) lacks(name string) bool {
	return (w.prefix == "" || !strings.HasPrefix(name, w.prefix)) && !slices.Contains(w.has, name)
}
