package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/kubestate/kubestate/kind"
)

func read(t *testing.T, root, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestGenerate writes everything into an empty folder and looks for what must be
// in it.
func TestGenerate(t *testing.T) {
	root := t.TempDir()
	if err := generate("../..", root); err != nil {
		t.Fatal(err)
	}
	for _, table := range kind.All() {
		page := read(t, root, "docs/reference/metrics/"+table.Name+".md")
		for i := range table.Schema().Families {
			if d := &table.Schema().Families[i]; !strings.Contains(page, "| `"+d.Name+"` | ") {
				t.Errorf("%s.md: no row for %s", table.Name, d.Name)
			}
		}
	}
	var role rbacv1.ClusterRole
	if err := yaml.UnmarshalStrict([]byte(read(t, root, "deploy/clusterrole-all.yaml")), &role); err != nil {
		t.Fatal(err)
	}
	granted := map[string]bool{}
	for _, r := range role.Rules {
		if strings.Join(r.Verbs, ",") != "list,watch" {
			t.Errorf("verbs %v, want list and watch only", r.Verbs)
		}
		for _, name := range r.Resources {
			granted[r.APIGroups[0]+"/"+name] = true
		}
	}
	for _, table := range kind.All() {
		if !granted[table.Group+"/"+table.Name] {
			t.Errorf("ClusterRole: %s is missing", table.Name)
		}
	}
	if want := "kube_pod_labels gauge namespace,pod,uid,label_*\n"; !strings.Contains(read(t, root, stablePath), want) {
		t.Errorf("stable.txt lacks %q", want)
	}
}

func TestStablePromise(t *testing.T) {
	root := t.TempDir()
	if err := generate("../..", root); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(root, stablePath)
	f := func(change func(string) string, broken bool) {
		t.Helper()
		before := read(t, root, stablePath)
		if err := os.WriteFile(path, []byte(change(before)), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := generate("../..", root); (err != nil) != broken {
			t.Errorf("generate: %v", err)
		}
		if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f(func(s string) string { return s[strings.Index(s, "\n")+1:] }, false) // the list grows
	f(func(s string) string { return s + "kube_gone gauge namespace\n" }, true)
	f(func(s string) string {
		return strings.Replace(s, "kube_pod_info gauge namespace", "kube_pod_info gauge ns", 1)
	}, true)
}

// The comments of fields are in the schema, those of packages beside ours too.
func TestSchemas(t *testing.T) {
	config, names, err := schemas("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"description": "Path of a file with the API key. It is read for each request."`,
		`"description": "Match lists the labels to match on. Empty matches all series."`,
	} {
		if !strings.Contains(string(config), want) {
			t.Errorf("config.schema.json lacks %s", want)
		}
	}
	if want := `"description": "Prefix is prepended to the name of each metric and check."`; !strings.Contains(string(names), want) {
		t.Errorf("names.schema.json lacks %s", want)
	}
	if _, _, err := schemas(t.TempDir()); err != nil {
		t.Errorf("a directory without sources has no comments, and no error: %v", err)
	}
}
