package joined

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// Names of joined labels, and prefixes of those that come from labels and annotations.
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

// want is the labels that all joins together add to some families.
type want struct {
	signature      string // equal for wants of the same labels
	self           maps
	nodes          maps
	namespaces     maps
	node, workload bool
	// Labels that the families already have: these, and all that begin with prefix.
	has    []string
	prefix string
}

func sameWant(a, b *want) bool { return a.signature == b.signature }

// maps selects entries of the labels and annotations of an object; nil selects none.
type maps struct {
	label, annotation func(key string) bool
	signature         string // equal for the same labels of the same object
	id                int    // equal for the same signature; see Index.Bind
}

func newMaps(labels, annotations []string) maps {
	return maps{label: admit(labels), annotation: admitAnnotations(annotations), signature: fmt.Sprintf("%q %q", labels, annotations)}
}

func (m *maps) none() bool { return m.label == nil && m.annotation == nil }

// wantOf returns the labels that joins add to a family, nil if there are none. names are
// the labels that the family already has.
func wantOf(joins []Join, d *metric.Desc, names []string) *want {
	var all Join
	for i := range joins {
		if j := &joins[i]; j.concerns(d.Name) {
			all.add(j)
		}
	}
	w := &want{
		self:       newMaps(all.Labels, all.Annotations),
		nodes:      newMaps(all.NodeLabels, all.NodeAnnotations),
		namespaces: newMaps(all.NamespaceLabels, all.NamespaceAnnotations),
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
	w.signature = fmt.Sprintf("%q %v %v %q %q", all.patterns(), w.node, w.workload, w.has, w.prefix)
	for _, m := range []*maps{&w.self, &w.nodes, &w.namespaces} {
		m.signature += fmt.Sprintf(" %q %q", w.has, w.prefix)
	}
	return w
}

// add adds what another join selects.
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

// admit returns a function that reports whether a key matches patterns; nil without
// patterns. NewPlan has checked them.
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

// lacks reports whether the families do not have a label of that name.
func (w *want) lacks(name string) bool {
	return (w.prefix == "" || !strings.HasPrefix(name, w.prefix)) && !slices.Contains(w.has, name)
}
