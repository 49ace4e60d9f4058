package customresource

import (
	"fmt"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/kubestate/kubestate/kind"
)

// definition serves versions of a kind; a version with a ! in front is not served.
func definition(group, kind, plural string, scope apiextensionsv1.ResourceScope, versions ...string) *apiextensionsv1.CustomResourceDefinition {
	d := &apiextensionsv1.CustomResourceDefinition{}
	d.Spec.Group, d.Spec.Scope = group, scope
	d.Spec.Names.Kind, d.Spec.Names.Plural = kind, plural
	for _, v := range versions {
		name, not := strings.CutPrefix(v, "!")
		d.Spec.Versions = append(d.Spec.Versions, apiextensionsv1.CustomResourceDefinitionVersion{Name: name, Served: !not})
	}
	return d
}

func TestResolve(t *testing.T) {
	cluster := []*apiextensionsv1.CustomResourceDefinition{
		definition("a.io", "Foo", "foos", apiextensionsv1.NamespaceScoped, "v1beta1", "v1", "!v1alpha1"),
		definition("a.io", "Bar", "bars", apiextensionsv1.ClusterScoped, "v1"),
		definition("b.io", "Foo", "foos", apiextensionsv1.NamespaceScoped, "v1"),
	}
	var available []kind.Resource
	for _, d := range cluster {
		available = append(available, Available(d)...)
	}
	for _, test := range []struct {
		name, entries string
		want          []string
	}{
		{"fixed", "[{groupVersionKind: {group: a.io, version: v1, kind: Foo}}]", []string{"a.io/v1 foos Foo namespaced: 0"}},
		{"any version", "[{groupVersionKind: {group: a.io, kind: Foo}}]", []string{"a.io/v1 foos Foo namespaced: 0"}},
		{"any version and one", "[{groupVersionKind: {group: a.io, kind: Foo}}, {groupVersionKind: {group: a.io, version: v1beta1, kind: Foo}}]",
			[]string{"a.io/v1 foos Foo namespaced: 0", "a.io/v1beta1 foos Foo namespaced: 1"}},
		{"any kind", "[{groupVersionKind: {group: a.io, version: v1, kind: '*'}}]", []string{"a.io/v1 bars Bar: 0", "a.io/v1 foos Foo namespaced: 0"}},
		{"by plural", "[{groupVersionKind: {group: a.io, version: v1}, resourcePlural: bars}]", []string{"a.io/v1 bars Bar: 0"}},
		{"twice", "[{groupVersionKind: {group: a.io, version: v1, kind: Foo}}, {groupVersionKind: {group: b.io}}, {groupVersionKind: {group: a.io, version: v1, kind: Foo}}]",
			[]string{"a.io/v1 foos Foo namespaced: 0 2", "b.io/v1 foos Foo namespaced: 1"}},
		{"without a definition", "[{groupVersionKind: {group: metrics.k8s.io, version: v1beta1, kind: PodMetrics}, resourcePlural: pods}]",
			[]string{"metrics.k8s.io/v1beta1 pods PodMetrics namespaced: 0"}},
		{"not served", "[{groupVersionKind: {group: a.io, version: v1alpha1, kind: Foo}}, {groupVersionKind: {group: c.io}}]",
			[]string{"unmatched test.yaml:1: spec.resources[0]: a.io/v1alpha1, Kind=Foo", "unmatched test.yaml:1: spec.resources[1]: c.io/*, Kind=*"}},
	} {
		c, err := Parse(Source{"test.yaml", []byte("spec: {resources: " + test.entries + "}")})
		if err != nil {
			t.Fatal(err)
		}
		served, unmatched := c.Resolve(available)
		var got []string
		for _, s := range served {
			text := fmt.Sprintf("%s/%s %s %s", s.Group, s.Version, s.Name, s.Kind)
			if s.Namespaced {
				text += " namespaced"
			}
			text += ":"
			for _, e := range s.Entries {
				text += strings.TrimSuffix(" "+strings.TrimPrefix(e.at.path, "spec.resources["), "]")
			}
			got = append(got, text)
		}
		for _, r := range unmatched {
			got = append(got, "unmatched "+r.String())
		}
		if diff := gocmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}
