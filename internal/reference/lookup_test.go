package reference

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/kubestate/kubestate/kind"
)

// namesOf returns every name of a resource that kubectl explain takes.
func namesOf(t *kind.Table) []string {
	names := append([]string{t.Name, t.Kind, strings.ToLower(t.Kind), strings.ToUpper(t.Name)}, shortNames(t.Name)...)
	for _, name := range slices.Clone(names) {
		for _, q := range qualifiers(t) {
			names = append(names, name+"."+q)
		}
	}
	return names
}

func TestFindResource(t *testing.T) {
	tables := kind.All()
	byName := map[string]string{}
	for i, table := range tables {
		for _, name := range namesOf(table) {
			if other := byName[name]; other != "" && other != table.Name {
				t.Errorf("%s and %s share the name %s", other, table.Name, name)
			}
			byName[name] = table.Name
			if found, err := findResource(tables, name); found != i || err != nil {
				t.Errorf("findResource(%q) = %d, %v; want %d", name, found, err, i)
			}
		}
		for _, bad := range []string{".spec", ".v9", ".metadata.name", ".v1.nothing", ".nothing.k8s.io"} {
			if _, err := findResource(tables, table.Name+bad); err == nil {
				t.Errorf("findResource(%q) succeeds", table.Name+bad)
			}
		}
	}
	for name, resource := range map[string]string{
		"po": "pods", "DEPLOY": "deployments", "quota": "resourcequotas", "crds": "customresourcedefinitions",
		"ingress": "ingresses", "Endpoints.v1": "endpoints", "networkpolicy.networking.k8s.io": "networkpolicies", "cj.v1.batch": "cronjobs",
	} {
		if i, err := findResource(tables, name); err != nil || i < 0 || tables[i].Name != resource {
			t.Errorf("findResource(%q) = %d, %v; want %s", name, i, err, resource)
		}
	}
}

// TestSuggestMetric misspells the name of every metric and resource.
func TestSuggestMetric(t *testing.T) {
	for _, name := range Names(kind.All()) {
		err := Explain(io.Discard, kind.All(), name+"~")
		if err == nil || !strings.HasSuffix(err.Error(), ": did you mean "+name+"?") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
