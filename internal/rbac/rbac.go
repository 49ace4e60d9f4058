// Package rbac knows which permissions kubestate needs for a configuration. One
// list of needs is written as roles, and asked of the API server.
package rbac

import (
	"cmp"
	"slices"
	"strings"

	"github.com/kubestate/kubestate/kind"
)

// Config is what permissions follow from.
type Config struct {
	Resources []kind.Resource // listed and watched
	// Namespaces limits namespaced resources to these namespaces; none: all.
	Namespaces []string
	// NamespacedOnly leaves out what only a ClusterRole can grant.
	NamespacedOnly bool
	// OwnNamespace is where kubestate runs: its Pod and its StatefulSet.
	OwnNamespace    string
	AutoSharding    bool   // find the shard from the StatefulSet of the own Pod
	Lease           string // name of the Lease of the leader election; empty: no election
	LeaseNamespace  string
	AuthFilter      bool // review the tokens of scrapers
	ClusterID       bool // the agent reads the UID of the namespace kube-system
	CustomResources bool // discover custom resources
}

// Need is one permission.
type Need struct {
	Namespace string // empty: in all of them, or not namespaced
	Group     string
	Resources []string
	Names     []string // only objects of these names; none: all
	Verbs     []string
	Reason    string // why kubestate needs it: a phrase
}

// Needs returns all permissions, each with its reason: those of the cluster first,
// then by namespace. Resources of one group are one need.
func (c *Config) Needs() []Need {
	needs := c.reads()
	add := func(cluster bool, n Need) {
		if !cluster || !c.NamespacedOnly {
			needs = append(needs, n)
		}
	}
	if c.CustomResources {
		add(true, Need{
			Group: "apiextensions.k8s.io", Resources: []string{"customresourcedefinitions"}, Verbs: listWatch,
			Reason: "find the custom resources that are served",
		})
	}
	if c.AuthFilter {
		add(true, Need{
			Group: "authentication.k8s.io", Resources: []string{"tokenreviews"}, Verbs: []string{"create"},
			Reason: "--auth-filter: who is the scraper",
		})
		add(true, Need{
			Group: "authorization.k8s.io", Resources: []string{"subjectaccessreviews"}, Verbs: []string{"create"},
			Reason: "--auth-filter: may the scraper read /metrics",
		})
	}
	if c.ClusterID {
		add(true, Need{
			Resources: []string{"namespaces"}, Names: []string{"kube-system"}, Verbs: []string{"get"},
			Reason: "agent: the cluster ID is the UID of kube-system",
		})
	}
	for _, n := range c.own() {
		add(false, n)
	}
	slices.SortStableFunc(needs, func(a, b Need) int { return cmp.Compare(a.Namespace, b.Namespace) })
	return needs
}

var listWatch = []string{"list", "watch"} //nolint:gochecknoglobals // never changed

// own are the needs in the namespace that kubestate runs in.
func (c *Config) own() []Need {
	var needs []Need
	if c.AutoSharding {
		needs = append(needs,
			Need{
				Namespace: c.OwnNamespace, Resources: []string{"pods"}, Verbs: []string{"get"},
				Reason: "automatic sharding: which StatefulSet does this Pod belong to",
			},
			Need{
				Namespace: c.OwnNamespace, Group: "apps", Resources: []string{"statefulsets"}, Verbs: []string{"get", "list", "watch"},
				Reason: "automatic sharding: how many shards are there",
			})
	}
	if c.Lease != "" {
		needs = append(needs,
			Need{
				Namespace: c.LeaseNamespace, Group: "coordination.k8s.io", Resources: []string{"leases"}, Names: []string{c.Lease},
				Verbs: []string{"get", "update"}, Reason: "leader election",
			},
			Need{
				Namespace: c.LeaseNamespace, Group: "coordination.k8s.io", Resources: []string{"leases"},
				Verbs: []string{"create"}, Reason: "leader election: create cannot be limited to a name",
			})
	}
	return needs
}

// reads are the needs of what is listed and watched.
func (c *Config) reads() []Need {
	var needs []Need
	namespaces := c.Namespaces
	if len(namespaces) == 0 {
		namespaces = []string{""}
	}
	if !c.NamespacedOnly {
		needs = append(needs, c.byGroup("", func(r kind.Resource) bool { return !r.Namespaced })...)
	}
	for _, namespace := range slices.Compact(slices.Sorted(slices.Values(namespaces))) {
		if namespace != "" || !c.NamespacedOnly {
			needs = append(needs, c.byGroup(namespace, func(r kind.Resource) bool { return r.Namespaced })...)
		}
	}
	return merge(needs)
}

// byGroup returns one need for each API group of the resources that pass.
func (c *Config) byGroup(namespace string, pass func(kind.Resource) bool) []Need {
	groups := map[string][]string{}
	for _, r := range c.Resources {
		if pass(r) {
			groups[r.Group] = append(groups[r.Group], r.Name)
		}
	}
	var needs []Need
	for group, resources := range groups {
		slices.Sort(resources)
		needs = append(needs, Need{
			Namespace: namespace, Group: group, Resources: slices.Compact(resources), Verbs: listWatch, Reason: "metrics",
		})
	}
	return needs
}

// merge joins needs that differ in nothing but their resources, and sorts.
func merge(needs []Need) []Need {
	slices.SortFunc(needs, func(a, b Need) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Group, b.Group))
	})
	merged := needs[:0]
	for _, n := range needs {
		if last := len(merged) - 1; last >= 0 && merged[last].Namespace == n.Namespace && merged[last].Group == n.Group {
			merged[last].Resources = slices.Sorted(slices.Values(slices.Concat(merged[last].Resources, n.Resources)))
			continue
		}
		merged = append(merged, n)
	}
	return merged
}
