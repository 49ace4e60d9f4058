// Package joined adds labels of related objects to the sample lines of families: labels
// and annotations of the object itself, of its Node and of its namespace, and the workload
// at the end of its chain of owners. So queries need no joins.
//
//	Join ──NewPlan──► Plan ──Part──► Part   what joins mean for a table: immutable
//	                                  │
//	                                 Bind
//	                                  ▼
//	Node, Namespace, owner ──────► Index ──────► labels of objects, as text
//
// The labels of an object are computed when it is stored, and again when a related object
// changes, in whatever order they are stored. join.go checks joins, plan.go says what they
// mean for tables and want.go for a family, index.go keeps the labels of objects, source.go
// what Nodes, namespaces and owners provide, and render.go makes text of labels. The
// package does not know how lines are kept.
package joined

import (
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/kind"
)

// Join adds labels to samples. A label that a family already has is not added, nor one
// whose value is unknown.
type Join struct {
	// Families is the name of a family. It may contain one *, which matches any text.
	Families string

	// Labels and Annotations are patterns of keys (see kind.Options) of the object itself.
	// They become labels label_* and annotation_*.
	Labels, Annotations []string
	// Node adds the name of the object's Node as the label node.
	Node bool
	// NodeLabels and NodeAnnotations are patterns of keys of that Node. They become labels
	// node_label_* and node_annotation_*.
	NodeLabels, NodeAnnotations []string
	// NamespaceLabels and NamespaceAnnotations are patterns of keys of the object's
	// namespace. They become labels namespace_label_* and namespace_annotation_*.
	NamespaceLabels, NamespaceAnnotations []string
	// Workload adds the workload that the object belongs to, as kube_pod_workload reports
	// it, as labels workload and workload_type.
	Workload bool
}

// neverShown is the annotation in which kubectl keeps a copy of the object: that of a
// Secret has its data.
const neverShown = corev1.LastAppliedConfigAnnotation

// patterns returns the lists of patterns, and what each selects.
func (j *Join) patterns() []patternList {
	return []patternList{
		{"label", j.Labels}, {"annotation", j.Annotations},
		{"node label", j.NodeLabels}, {"node annotation", j.NodeAnnotations},
		{"namespace label", j.NamespaceLabels}, {"namespace annotation", j.NamespaceAnnotations},
	}
}

type patternList struct {
	of       string
	patterns []string
}

// check returns the problems of the join. tables are those with families it may name.
func (j *Join) check(tables []*kind.Table) (problems problem.List) {
	add := func(what string) {
		problems = append(problems, problem.New("join on "+problem.Quote(j.Families)+": "+what, ""))
	}
	switch {
	case strings.Count(j.Families, "*") > 1:
		add("only one * is allowed in the name of families")
	case !j.concernsAny(tables):
		add("no family has such a name")
	}
	empty := !j.Node && !j.Workload
	for _, list := range j.patterns() {
		empty = empty && len(list.patterns) == 0
		_, err := kind.CompileKeys(list.of, list.patterns)
		for _, p := range problem.Of(err) {
			add(p.Error())
		}
		for _, pattern := range list.patterns {
			if strings.HasSuffix(list.of, "annotation") && pattern == neverShown {
				add(list.of + " " + neverShown + " is never shown, as it may contain the data of a Secret")
			}
		}
	}
	if empty {
		add("no labels are asked for")
	}
	return problems
}

func (j *Join) concernsAny(tables []*kind.Table) bool {
	for _, t := range tables {
		families := t.Schema().Families
		for i := range families {
			if j.concerns(families[i].Name) {
				return true
			}
		}
	}
	return false
}

// concerns reports whether the join adds labels to a family.
func (j *Join) concerns(family string) bool {
	before, after, wild := strings.Cut(j.Families, "*")
	if !wild {
		return family == j.Families
	}
	return len(family) >= len(before)+len(after) && strings.HasPrefix(family, before) && strings.HasSuffix(family, after)
}
