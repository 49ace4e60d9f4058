package deploy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate/internal/rbac"
	"github.com/kubestate/kubestate/kind"
)

// checkRoles compares what the service account may do with what the program needs
// for the flags that it gets.
func checkRoles(t *testing.T, values map[string]any, all []object) {
	t.Helper()
	section := func(name string) map[string]any { s, _ := values[name].(map[string]any); return s }
	r := section("rbac")
	if r["create"] == false || r["useExistingRole"] != nil || r["clusterRoleSelectors"] != nil {
		return // the roles are not ours
	}
	config, leases := neededBy(t, all)
	config.NamespacedOnly = r["useClusterRole"] == false
	if !config.NamespacedOnly {
		config.Namespaces = nil // a ClusterRole is for all namespaces
	}
	config.AuthFilter = config.AuthFilter || section("kubeRBACProxy")["enabled"] == true
	extra, _ := r["extraRules"].([]any)
	granted := permissions(t, all)
	for _, rule := range extra {
		for _, p := range flat("", rule.(map[string]any)) {
			delete(granted, p)
		}
	}
	if crs := section("customResourceState"); crs["enabled"] == true {
		// What `kubestate rbac` grants for custom resources is tested there.
		for p := range maps.Keys(granted) {
			if strings.Contains(p, "example.com/") {
				delete(granted, p)
			}
		}
	}
	needed := map[string]bool{}
	for _, lease := range append(leases, "") {
		config.Lease = lease
		for _, n := range config.Needs() {
			rule := map[string]any{"apiGroups": anys(n.Group), "resources": anys(n.Resources...), "verbs": anys(n.Verbs...)}
			if len(n.Names) > 0 {
				rule["resourceNames"] = anys(n.Names...)
			}
			for _, p := range flat(n.Namespace, rule) {
				needed[p] = true
			}
		}
	}
	if diff := gocmp.Diff(slices.Sorted(maps.Keys(needed)), slices.Sorted(maps.Keys(granted))); diff != "" {
		t.Errorf("needed - granted +\n%s", diff)
	}
}

func anys(texts ...string) []any {
	all := make([]any, len(texts))
	for i, text := range texts {
		all[i] = text
	}
	return all
}

// neededBy reads the flags of all containers of the program, and returns the Leases
// of their leader elections as well.
func neededBy(t *testing.T, all []object) (config *rbac.Config, leases []string) {
	t.Helper()
	config = &rbac.Config{OwnNamespace: releaseNamespace, LeaseNamespace: releaseNamespace}
	known := map[string]kind.Resource{}
	for _, table := range kind.All() {
		known[table.Name] = table.Resource
	}
	read := map[string]bool{}
	for _, o := range all {
		for _, arg := range arguments(o) {
			name, value, _ := strings.Cut(arg, "=")
			switch name {
			case "--resources":
				for resource := range strings.SplitSeq(value, ",") {
					if known[resource].Name == "" {
						t.Fatalf("%s %s: unknown resource %q", o.kind(), o.name(), resource)
					}
					read[resource] = true
				}
			case "--namespaces":
				config.Namespaces = strings.Split(value, ",")
			case "--pod":
				config.AutoSharding = true
			case "--auth-filter":
				config.AuthFilter = true
			case "--custom-resource-state-config-file":
				config.CustomResources = true
			case "--leader-election-name":
				leases = append(leases, value)
			}
		}
	}
	if len(read) == 0 {
		for _, table := range kind.Defaults() {
			read[table.Name] = true
		}
	}
	for name := range read {
		config.Resources = append(config.Resources, known[name])
	}
	return config, leases
}

// arguments returns the flags of the program in a workload.
func arguments(o object) []string {
	containers, _ := o.at("spec", "template", "spec", "containers").([]any)
	var args []string
	for _, c := range containers {
		c := c.(map[string]any)
		if name := c["name"]; name != "kube-state-metrics" && name != "kubestate" {
			continue
		}
		list, _ := c["args"].([]any)
		for _, arg := range list {
			args = append(args, arg.(string))
		}
	}
	return args
}

// permissions returns what the roles of objects grant.
func permissions(t *testing.T, all []object) map[string]bool {
	t.Helper()
	granted := map[string]bool{}
	for _, o := range all {
		if o.kind() != "Role" && o.kind() != "ClusterRole" {
			continue
		}
		bound := slices.ContainsFunc(all, func(b object) bool {
			return b.kind() == o.kind()+"Binding" && b.namespace() == o.namespace() && b.at("roleRef", "name") == o.name() && b.at("roleRef", "kind") == o.kind()
		})
		if !bound {
			t.Errorf("no binding of %s %s/%s", o.kind(), o.namespace(), o.name())
		}
		for _, rule := range o["rules"].([]any) {
			for _, p := range flat(o.namespace(), rule.(map[string]any)) {
				granted[p] = true
			}
		}
	}
	return granted
}

// flat returns the permissions of a rule.
func flat(namespace string, rule map[string]any) []string {
	list := func(key string) []any {
		if l, ok := rule[key].([]any); ok {
			return l
		}
		return []any{""}
	}
	var all []string
	for _, group := range list("apiGroups") {
		for _, resource := range list("resources") {
			for _, name := range list("resourceNames") {
				for _, verb := range list("verbs") {
					all = append(all, permission(namespace, group, resource, name, verb))
				}
			}
		}
	}
	return all
}

func permission(namespace string, group, resource, name, verb any) string {
	return fmt.Sprintf("%s: %s %s/%s %s", namespace, verb, group, resource, name)
}

func TestCollectorsAreTheDefaults(t *testing.T) {
	var want []string
	for _, table := range kind.Defaults() {
		want = append(want, table.Name)
	}
	slices.Sort(want)
	var got []string
	for _, v := range loadChart(t).Values["collectors"].([]any) {
		got = append(got, v.(string))
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
