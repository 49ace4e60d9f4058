package customresource

import (
	"cmp"
	"fmt"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/version"

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

// Resolve returns the resources that entries are about, given what a cluster serves,
// ordered by group, name and version. Unmatched are the entries that match nothing now.
//
// An entry with a wildcard version is about one version of each resource, the newest as
// Kubernetes orders them: its objects would otherwise be read and counted once for each
// version. An entry that names a version, a kind and a resourcePlural needs no match: it
// may be about an API that is no custom resource.
func (c *Config) Resolve(available []kind.Resource) (served []Served, unmatched []*Resource) {
	for _, r := range c.Resources {
		matches := r.matches(available)
		if len(matches) == 0 && r.fixed() {
			matches = []kind.Resource{{Group: r.GVK.Group, Version: r.GVK.Version, Kind: r.GVK.Kind, Name: r.Plural, Namespaced: true}}
		}
		if len(matches) == 0 {
			unmatched = append(unmatched, r)
		}
		for _, m := range matches {
			served = addEntry(served, m, r)
		}
	}
	slices.SortFunc(served, func(a, b Served) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
	})
	return served, unmatched
}

// Available returns the resources that a definition serves, one for each version.
func Available(d *apiextensionsv1.CustomResourceDefinition) (all []kind.Resource) {
	for i := range d.Spec.Versions {
		if v := &d.Spec.Versions[i]; v.Served {
			all = append(all, kind.Resource{
				Group: d.Spec.Group, Version: v.Name, Kind: d.Spec.Names.Kind, Name: d.Spec.Names.Plural,
				Namespaced: d.Spec.Scope != apiextensionsv1.ClusterScoped,
			})
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

// matches returns the resources that an entry is about.
func (r *Resource) matches(available []kind.Resource) (found []kind.Resource) {
	for _, a := range available {
		if r.GVK.Group != a.Group || !like(r.GVK.Version, a.Version) || !like(r.GVK.Kind, a.Kind) || !like(r.Plural, a.Name) {
			continue
		}
		same := slices.IndexFunc(found, func(b kind.Resource) bool { return a.Name == b.Name })
		switch {
		case same < 0:
			found = append(found, a)
		case version.CompareKubeAwareVersionStrings(a.Version, found[same].Version) > 0:
			found[same] = a
		}
	}
	return found
}

func like(pattern, name string) bool { return pattern == "" || pattern == wildcard || pattern == name }

// fixed reports whether the entry itself says which resource it is about.
func (r *Resource) fixed() bool {
	named := func(name string) bool { return name != "" && name != wildcard }
	return named(r.GVK.Version) && named(r.GVK.Kind) && named(r.Plural)
}

// String describes an entry in messages: its place and its group, version and kind.
func (r *Resource) String() string {
	return fmt.Sprintf("%s:%d: %s: %s/%s, Kind=%s", r.at.source, r.at.line, r.at.path, r.GVK.Group, cmp.Or(r.GVK.Version, wildcard), cmp.Or(r.GVK.Kind, wildcard))
}
