// Package joined puts labels of related objects on the lines of families: labels
// and annotations of the object itself, of its Node and of its namespace, and the
// workload at the end of its chain of owners. So nobody has to join series when
// they are queried.
//
// What an object's lines get is worked out when it is stored, and again when an
// object that it is related to changes; the order in which objects come does not
// matter. joined.go says what can be asked for, want.go what that is for a family,
// index.go who gives labels to whom, render.go makes text of them. The package
// does not know how lines are kept.
package joined

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubestate/kubestate/kind"
)

// Join asks for labels on lines. Labels that a family has already are not added to
// it, nor those whose value is not known.
type Join struct {
	// Families is the name of a family, with one * at most, which stands for any text.
	Families string

	// Labels and Annotations are patterns of keys (see kind.Options) of the object
	// that the family is about: labels label_* and annotation_*.
	Labels, Annotations []string
	// Node adds the name of the Node that the object is on: label node.
	Node bool
	// NodeLabels and NodeAnnotations are patterns of keys of that Node: labels
	// node_label_* and node_annotation_*.
	NodeLabels, NodeAnnotations []string
	// NamespaceLabels and NamespaceAnnotations are patterns of keys of the object's
	// namespace: labels namespace_label_* and namespace_annotation_*.
	NamespaceLabels, NamespaceAnnotations []string
	// Workload adds the workload that the object belongs to, as kube_pod_workload
	// has it: labels workload and workload_type.
	Workload bool
}

// neverShown is the annotation in which kubectl keeps a copy of the object, of a
// Secret with its data.
const neverShown = corev1.LastAppliedConfigAnnotation

// patterns returns the lists of patterns with what each is of.
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

// check returns all that is wrong with the join. known are the names of families.
func (j *Join) check(known []string) error {
	var errs []error
	switch {
	case strings.Count(j.Families, "*") > 1:
		errs = append(errs, errors.New("only one * is allowed in the name of families"))
	case !slices.ContainsFunc(known, j.concerns):
		errs = append(errs, errors.New("no family has such a name"))
	}
	asked := j.Node || j.Workload
	for _, list := range j.patterns() {
		asked = asked || len(list.patterns) > 0
		if _, err := kind.CompileKeys(list.of, list.patterns); err != nil {
			errs = append(errs, err)
		}
		if strings.HasSuffix(list.of, "annotation") && slices.Contains(list.patterns, neverShown) {
			errs = append(errs, fmt.Errorf("%s %s is never shown, as it may hold the data of a Secret", list.of, neverShown))
		}
	}
	if !asked {
		errs = append(errs, errors.New("no labels are asked for"))
	}
	if len(errs) == 0 {
		return nil
	}
	return fmt.Errorf("join on %q: %w", j.Families, errors.Join(errs...))
}

// concerns reports whether the join is about a family.
func (j *Join) concerns(family string) bool {
	before, after, wild := strings.Cut(j.Families, "*")
	if !wild {
		return family == j.Families
	}
	return len(family) >= len(before)+len(after) && strings.HasPrefix(family, before) && strings.HasSuffix(family, after)
}

// New returns an Index for joins. tables are all that there are, whether they are
// served or not; a join must concern a family of theirs. The error names
// everything that is wrong with the joins.
func New(joins []Join, tables []*kind.Table) (*Index, error) {
	var known []string
	for _, t := range tables {
		families := t.Schema().Families
		for i := range families {
			known = append(known, families[i].Name)
		}
	}
	var errs []error
	for i := range joins {
		errs = append(errs, joins[i].check(known))
	}
	return newIndex(joins), errors.Join(errs...)
}
