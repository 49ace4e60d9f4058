package crd

import (
	"fmt"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/kubestate/kubestate/kind"
)

// definition serves versions of Foos of a group; a version with a ! in front is not
// served.
func definition(group string, versions ...string) *apiextensionsv1.CustomResourceDefinition {
	d := &apiextensionsv1.CustomResourceDefinition{}
	d.Name = "foos." + group
	d.Spec.Group, d.Spec.Scope = group, apiextensionsv1.NamespaceScoped
	d.Spec.Names.Kind, d.Spec.Names.Plural = "Foo", "foos"
	for _, v := range versions {
		name, not := strings.CutPrefix(v, "!")
		d.Spec.Versions = append(d.Spec.Versions, apiextensionsv1.CustomResourceDefinitionVersion{Name: name, Served: !not})
	}
	return d
}

// available returns what is served as text, after a mark whether that was signaled.
func available(d *Definitions) string {
	text := "unchanged:"
	select {
	case <-d.Changed():
		text = "changed:"
	default:
	}
	all, synced := d.Available()
	for _, r := range all {
		text += fmt.Sprintf(" %s.%s.%s", r.Name, r.Version, r.Group)
	}
	if !synced {
		text += " not synced"
	}
	return text
}

func TestDefinitions(t *testing.T) {
	d := NewDefinitions()
	notEstablished := definition("c", "v1")
	notEstablished.Status.Conditions = []apiextensionsv1.CustomResourceDefinitionCondition{{Type: apiextensionsv1.Established, Status: "False"}}
	established := definition("c", "v1")
	established.Status.Conditions = []apiextensionsv1.CustomResourceDefinitionCondition{{Type: apiextensionsv1.Established, Status: "True"}}
	annotated := definition("a", "v1beta1", "!v1")
	annotated.Annotations = map[string]string{"a": "b"}
	for _, step := range []struct {
		name string
		do   func()
		want string
	}{
		{"nothing", func() {}, "unchanged: not synced"},
		{"an incomplete list", func() { d.Begin(); d.Put(definition("a", "v1beta1", "!v1")) }, "unchanged: foos.v1beta1.a not synced"},
		{"a complete list", d.Commit, "changed: foos.v1beta1.a"},
		{"an update of what is not served", func() { d.Put(annotated) }, "unchanged: foos.v1beta1.a"},
		{"another version", func() { d.Put(definition("a", "v1beta1", "v1")) }, "changed: foos.v1.a foos.v1beta1.a"},
		{"a version less", func() { d.Put(definition("a", "!v1beta1", "v1")) }, "changed: foos.v1.a"},
		{"names not accepted", func() { d.Put(notEstablished) }, "unchanged: foos.v1.a"},
		{"names accepted", func() { d.Put(established) }, "changed: foos.v1.a foos.v1.c"},
		{"an equal list", func() { d.Begin(); d.Put(established); d.Put(definition("a", "v1")); d.Commit() }, "unchanged: foos.v1.a foos.v1.c"},
		{"a list with less", func() { d.Begin(); d.Put(definition("a", "v1")); d.Commit() }, "changed: foos.v1.a"},
		{"delete of another", func() { d.Delete("", "bars.a") }, "unchanged: foos.v1.a"},
		{"delete", func() { d.Delete("", "foos.a") }, "changed:"},
	} {
		step.do()
		if diff := gocmp.Diff(step.want, available(d)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
	if diff := gocmp.Diff(Counts{Added: 2, Updated: 7, Deleted: 2}, d.Counts()); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

// The plural is decoded, and the schema of a definition is not.
func TestTable(t *testing.T) {
	table, err := Table()
	if err != nil {
		t.Fatal(err)
	}
	fields := kind.Reads(table)
	for _, want := range []string{"spec.names.plural", "spec.{group,names.kind,scope}", "spec.versions.{name,served,storage,deprecated}", "status.conditions.{type,status}"} {
		if !strings.Contains(strings.Join(fields, " "), want) {
			t.Errorf("fields %q lack %s", fields, want)
		}
	}
	if len(table.Schema().Families) > 0 {
		t.Errorf("%d families, want none", len(table.Schema().Families))
	}
}
