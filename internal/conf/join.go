package conf

import (
	"maps"
	"slices"
	"strings"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/internal/joined"
	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/internal/spell"
	"github.com/kubestate/kubestate/kind"
)

// joinItem is an item of --join: what it adds, with or without a key behind a colon.
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

// joins returns the joins of --join, sorted by the names of families, and their
// problems.
func (o *Options) joins() ([]kubestate.Join, problem.List) {
	var joins []kubestate.Join
	var errs problem.List
	for _, families := range slices.Sorted(maps.Keys(o.Join)) {
		j := kubestate.Join{Families: families}
		for _, item := range o.Join[families] {
			if err := askFor(&j, item); err != nil {
				p := problem.Of(err)[0]
				p.What = "invalid item " + problem.Quote(item) + " of " + problem.Cut(families)
				errs = append(errs, p)
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
	if _, err := joined.NewPlan(checked, kind.All()); err != nil {
		return nil, problem.Of(err)
	}
	return joins, nil
}

// askFor adds an item to a join.
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
			return problem.New("", "must have a key, such as "+name+":app")
		case !known.key && colon:
			return problem.New("", "must be "+name+" without a key")
		default:
			known.ask(j, key)
			return nil
		}
	}
	p := problem.New("", "must be one of: "+strings.Join(wanted, ", "))
	p.Hint = spell.Near(name, names)
	return p
}

func (o *Options) checkJoin() problem.List {
	_, errs := o.joins()
	return errs
}
