package reference

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/kubestate/kubestate/internal/spell"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// shortNames returns the short names of a resource, as kubectl api-resources prints
// them. They are part of the Kubernetes API, not of a table.
func shortNames(resource string) []string {
	return map[string][]string{
		"certificatesigningrequests": {"csr"},
		"configmaps":                 {"cm"},
		"cronjobs":                   {"cj"},
		"customresourcedefinitions":  {"crd", "crds"},
		"daemonsets":                 {"ds"},
		"deployments":                {"deploy"},
		"endpoints":                  {"ep"},
		"horizontalpodautoscalers":   {"hpa"},
		"ingresses":                  {"ing"},
		"limitranges":                {"limits"},
		"namespaces":                 {"ns"},
		"networkpolicies":            {"netpol"},
		"nodes":                      {"no"},
		"persistentvolumeclaims":     {"pvc"},
		"persistentvolumes":          {"pv"},
		"poddisruptionbudgets":       {"pdb"},
		"pods":                       {"po"},
		"replicasets":                {"rs"},
		"replicationcontrollers":     {"rc"},
		"resourcequotas":             {"quota"},
		"serviceaccounts":            {"sa"},
		"services":                   {"svc"},
		"statefulsets":               {"sts"},
		"storageclasses":             {"sc"},
		"verticalpodautoscalers":     {"vpa"},
	}[resource]
}

// findResource returns the index of the table that name means, as kubectl explain
// takes it: a plural, singular or short name or a kind, in any case, and perhaps a
// group or a version and a group behind it ("deployments.v1.apps"). It returns -1 if
// there is none, and an error if there is one and what is behind it is wrong.
func findResource(tables []*kind.Table, name string) (int, error) {
	head, qualifier, qualified := strings.Cut(strings.ToLower(name), ".")
	i := slices.IndexFunc(tables, func(t *kind.Table) bool {
		return head == t.Name || head == strings.ToLower(t.Kind) || slices.Contains(shortNames(t.Name), head)
	})
	if i < 0 || !qualified {
		return i, nil
	}
	allowed := qualifiers(tables[i])
	switch {
	case slices.Contains(allowed, strings.TrimSuffix(qualifier, ".")):
		return i, nil
	case isQualifier(tables, qualifier):
		return i, fmt.Errorf("unknown API version or group %q of %s: must be %s", qualifier, tables[i].Name, strings.Join(allowed, " or "))
	}
	return i, fmt.Errorf("%s: fields are not explained, only metrics; try kubestate explain %s, or kubectl explain %s", name, tables[i].Name, name)
}

// qualifiers returns what may follow the name of a resource.
func qualifiers(t *kind.Table) []string {
	var all []string
	if t.Group != "" {
		all = append(all, t.Group)
	}
	for _, k := range t.GroupVersionKinds() {
		all = append(all, strings.TrimSuffix(k.Version+"."+k.Group, "."))
	}
	return all
}

var apiVersion = regexp.MustCompile(`^v[0-9]`)

// isQualifier reports whether text looks like an API version or group, rather than
// the path of a field.
func isQualifier(tables []*kind.Table, text string) bool {
	return apiVersion.MatchString(text) || strings.HasSuffix(text, ".k8s.io") ||
		slices.ContainsFunc(tables, func(t *kind.Table) bool { return t.Group == text })
}

// findFamily returns the family of a name, in any case, and its table; nil if there
// is none.
func findFamily(tables []*kind.Table, name string) (*kind.Table, *metric.Desc) {
	for _, t := range tables {
		for i := range t.Schema().Families {
			if d := &t.Schema().Families[i]; strings.EqualFold(d.Name, name) {
				return t, d
			}
		}
	}
	return nil, nil
}

// notFound returns the error for a name that is neither of a metric nor of a
// resource, with a suggestion if it resembles one, or one of more.
func notFound(tables []*kind.Table, name string, more ...string) error {
	names := Names(tables)
	for _, t := range tables {
		names = append(names, strings.ToLower(t.Kind))
	}
	hint := spell.Near(strings.ToLower(name), append(names, more...))
	if hint == "" {
		hint = "kubestate explain lists the resources"
	}
	return fmt.Errorf("unknown metric or resource %q: %s", name, hint)
}
