package conf

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/internal/joined"
	"github.com/kubestate/kubestate/internal/spell"
	"github.com/kubestate/kubestate/kind"
)

// joinItem is a word of --join: what it asks for, with a key behind a colon or
// alone.
type joinItem struct {
	name string
	key  bool
	ask  func(j *kubestate.Join, key string)
}

func joinItems() []joinItem {
	return []joinItem{
		{"label", true, func(j *kubestate.Join, key string) { j.Labels = append(j.Labels, key) }},
		{"annotation", true, func(j *kubestate.Join, key string) { j.Annotations = append(j.Annotations, key) }},
		{"node", false, func(j *kubestate.Join, _ string) { j.Node = true }},
		{"node_label", true, func(j *kubestate.Join, key string) { j.NodeLabels = append(j.NodeLabels, key) }},
		{"node_annotation", true, func(j *kubestate.Join, key string) { j.NodeAnnotations = append(j.NodeAnnotations, key) }},
		{"namespace_label", true, func(j *kubestate.Join, key string) { j.NamespaceLabels = append(j.NamespaceLabels, key) }},
		{"namespace_annotation", true, func(j *kubestate.Join, key string) { j.NamespaceAnnotations = append(j.NamespaceAnnotations, key) }},
		{"workload", false, func(j *kubestate.Join, _ string) { j.Workload = true }},
	}
}

// joins returns what --join asks for, in the order of the names of families, and
// everything that is wrong with it.
func (o *Options) joins() ([]kubestate.Join, []error) {
	var joins []kubestate.Join
	var errs []error
	for _, families := range slices.Sorted(maps.Keys(o.Join)) {
		j := kubestate.Join{Families: families}
		for _, item := range o.Join[families] {
			if err := askFor(&j, item); err != nil {
				errs = append(errs, fmt.Errorf("%q of %s: %w", item, families, err))
			}
		}
		joins = append(joins, j)
	}
	if len(errs) > 0 {
		return nil, errs
	}
	checked := make([]joined.Join, len(joins))
	for i, j := range joins {
		checked[i] = joined.Join(j)
	}
	if _, err := joined.New(checked, kind.All()); err != nil {
		return nil, one(err)
	}
	return joins, nil
}

// askFor makes a join ask for an item too.
func askFor(j *kubestate.Join, item string) error {
	name, key, colon := strings.Cut(item, ":")
	var names, wanted []string
	for _, known := range joinItems() {
		names = append(names, known.name)
		form := known.name
		if known.key {
			form += ":KEY"
		}
		wanted = append(wanted, form)
		switch {
		case name != known.name:
		case known.key && key == "":
			return fmt.Errorf("want a key, as in %s:app", name)
		case !known.key && colon:
			return fmt.Errorf("want %s alone", name)
		default:
			known.ask(j, key)
			return nil
		}
	}
	return errors.New("want one of " + strings.Join(wanted, ", ") + spell.Hint(name, names))
}

func (o *Options) checkJoin() []error {
	_, errs := o.joins()
	return errs
}
