package customresource

import (
	"cmp"
	"fmt"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/kubestate/kubestate/kind"
)

// wildcard stands for any version or kind, and so does nothing.
const wildcard = "*"

// Served is a resource of the API, and the entries of a configuration that describe
// its metrics. They make one table.
type Served struct {
	kind.Resource
	Entries []*Resource
}

// Resolve returns the resources that entries are about, given the
// CustomResourceDefinitions of a cluster, ordered by group, name and version. A
// definition contributes every version that it serves.
//
// An entry that names a version, a kind and a resourcePlural needs no definition: it
// may be about an aggregated or built-in API. The problems are entries that can never
// match; unmatched are those that match nothing now.
func Resolve(entries []Resource, definitions []*apiextensionsv1.CustomResourceDefinition) (served []Served, unmatched []*Resource, problems []Problem) {
	all := available(definitions)
	for i := range entries {
		r := &entries[i]
		if r.GVK.Group == "" || r.GVK.Group == wildcard {
			problems = append(problems, Problem{
				Line: r.line, Path: r.path + ".groupVersionKind.group", Text: fmt.Sprintf("invalid group %q: must be the name of one API group", r.GVK.Group),
			})
			continue
		}
		found := false
		for _, resource := range all {
			if r.matches(resource) {
				served, found = addEntry(served, resource, r), true
			}
		}
		switch {
		case found:
		case r.fixed():
			served = addEntry(served, kind.Resource{
				Group: r.GVK.Group, Version: r.GVK.Version, Kind: r.GVK.Kind, Name: r.Plural, Namespaced: true,
			}, r)
		default:
			unmatched = append(unmatched, r)
		}
	}
	slices.SortFunc(served, func(a, b Served) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
	})
	return served, unmatched, problems
}

// available returns the resources that definitions serve.
func available(definitions []*apiextensionsv1.CustomResourceDefinition) (all []kind.Resource) {
	for _, d := range definitions {
		for i := range d.Spec.Versions {
			if v := &d.Spec.Versions[i]; v.Served {
				all = append(all, kind.Resource{
					Group: d.Spec.Group, Version: v.Name, Kind: d.Spec.Names.Kind, Name: d.Spec.Names.Plural,
					Namespaced: d.Spec.Scope != apiextensionsv1.ClusterScoped,
				})
			}
		}
	}
	return all
}

// addEntry adds an entry to the resource that it is about.
func addEntry(served []Served, resource kind.Resource, r *Resource) []Served {
	for i := range served {
		s := &served[i]
		if s.Group == resource.Group && s.Version == resource.Version && s.Name == resource.Name {
			s.Entries = append(s.Entries, r)
			return served
		}
	}
	return append(served, Served{Resource: resource, Entries: []*Resource{r}})
}

func (r *Resource) matches(s kind.Resource) bool {
	like := func(pattern, name string) bool { return pattern == "" || pattern == wildcard || pattern == name }
	return r.GVK.Group == s.Group && like(r.GVK.Version, s.Version) && like(r.GVK.Kind, s.Kind) && like(r.Plural, s.Name)
}

// fixed reports whether the entry itself says which resource it is about.
func (r *Resource) fixed() bool {
	named := func(name string) bool { return name != "" && name != wildcard }
	return named(r.GVK.Version) && named(r.GVK.Kind) && named(r.Plural)
}

// String describes an entry in messages: its place and its group, version and kind.
func (r *Resource) String() string {
	return fmt.Sprintf("line %d: %s (%s/%s, Kind=%s)", r.line, r.path, r.GVK.Group, cmp.Or(r.GVK.Version, wildcard), cmp.Or(r.GVK.Kind, wildcard))
}
