// Package deploy tests what kubestate is deployed with: the Helm chart, the
// kustomizations and the mixin, with the libraries of helm, kustomize and jsonnet.
package deploy

import (
	"flag"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/lint/support"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	"sigs.k8s.io/yaml"
)

const (
	chartDir         = "../../deploy/helm/kubestate"
	releaseName      = "ksm"
	releaseNamespace = "monitoring"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// object is an object of the Kubernetes API.
type object map[string]any

func (o object) kind() string { return o["kind"].(string) }

func (o object) metadata() map[string]any { return o["metadata"].(map[string]any) }

func (o object) name() string { return o.metadata()["name"].(string) }

// namespace returns the namespace, or "" for an object without one.
func (o object) namespace() string {
	namespace, _ := o.metadata()["namespace"].(string)
	return namespace
}

// at returns the value at a path of keys, or nil.
func (o object) at(keys ...string) any {
	var v any = map[string]any(o)
	for _, key := range keys {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[key]
	}
	return v
}

func loadChart(t *testing.T) *chart.Chart {
	t.Helper()
	c, err := loader.LoadDir(chartDir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// template renders the chart as helm template does. Errors are those of the values.
func template(t *testing.T, values map[string]any) (text string, err error) {
	t.Helper()
	c := loadChart(t)
	options := common.ReleaseOptions{Name: releaseName, Namespace: releaseNamespace, Revision: 1, IsInstall: true}
	all, err := util.ToRenderValues(c, values, options, common.DefaultCapabilities)
	if err != nil {
		return "", err
	}
	files, err := engine.Render(c, all)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if path.Ext(name) == ".yaml" && strings.TrimSpace(files[name]) != "" {
			b.WriteString("---\n# " + name + "\n" + strings.TrimPrefix(strings.TrimSpace(files[name]), "---\n") + "\n")
		}
	}
	return b.String(), nil
}

// objects reads the documents of a YAML stream; each must be an object, and no key
// may occur twice.
func objects(t *testing.T, text string) []object {
	t.Helper()
	var all []object
	for document := range strings.SplitSeq("\n"+text, "\n---\n") {
		var o object
		if err := yaml.UnmarshalStrict([]byte(document), &o); err != nil {
			t.Fatalf("%v in:\n%s", err, document)
		}
		if len(o) == 0 {
			continue
		}
		if o["kind"] == nil || o["apiVersion"] == nil || o["metadata"] == nil {
			t.Fatalf("not an object:\n%s", document)
		}
		all = append(all, o)
	}
	return all
}

func render(t *testing.T, values map[string]any) []object {
	t.Helper()
	text, err := template(t, values)
	if err != nil {
		t.Fatal(err)
	}
	return objects(t, text)
}

// matrix returns the values of testdata/values by name.
func matrix(t *testing.T) map[string]map[string]any {
	t.Helper()
	files, err := filepath.Glob("testdata/values/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no values", err)
	}
	all := map[string]map[string]any{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var values map[string]any
		if err := yaml.UnmarshalStrict(data, &values); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all[strings.TrimSuffix(filepath.Base(file), ".yaml")] = values
	}
	return all
}

// golden compares text with a file, or writes the file.
func golden(t *testing.T, file, text string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(strings.Split(string(want), "\n"), strings.Split(text, "\n")); diff != "" {
		t.Errorf("%s is out of date; if the change is intended: go test . -update\n%s", file, diff)
	}
}

func TestChart(t *testing.T) {
	for name, values := range matrix(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := template(t, values)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "testdata/helm/"+name+".yaml", text)
			all := objects(t, text)
			checkObjects(t, all)
			checkSelectors(t, all)
			checkRoles(t, values, all)
			for _, m := range lint.RunAll(chartDir, values, releaseNamespace).Messages {
				if m.Severity > support.InfoSev {
					t.Error(m)
				}
			}
		})
	}
}

// checkObjects fails if an object occurs twice, or a namespaced one has no namespace.
func checkObjects(t *testing.T, all []object) {
	t.Helper()
	seen := map[string]bool{}
	for _, o := range all {
		id := o.kind() + " " + o.namespace() + "/" + o.name()
		if seen[id] {
			t.Errorf("%s occurs twice", id)
		}
		seen[id] = true
		if clusterScoped := strings.HasPrefix(o.kind(), "Cluster"); clusterScoped == (o.namespace() != "") {
			t.Errorf("%s: namespace %q", id, o.namespace())
		}
	}
}

// checkSelectors fails if a selector does not match the Pods that it is for: those
// of the Deployment, StatefulSet or DaemonSet itself, and those of all of them for
// the Service.
func checkSelectors(t *testing.T, all []object) {
	t.Helper()
	for _, o := range all {
		if selector, ok := o.at("spec", "selector", "matchLabels").(map[string]any); ok && o.at("spec", "template") != nil {
			labels, _ := o.at("spec", "template", "metadata", "labels").(map[string]any)
			checkSelects(t, o, selector, labels)
			for _, s := range all {
				if s.kind() == "Service" {
					of, _ := s.at("spec", "selector").(map[string]any)
					checkSelects(t, s, of, labels)
				}
			}
		}
	}
}

func checkSelects(t *testing.T, o object, selector, labels map[string]any) {
	t.Helper()
	for key, value := range selector {
		if labels[key] != value {
			t.Errorf("%s %s selects %s=%v, the Pods have %v", o.kind(), o.name(), key, value, labels[key])
		}
	}
	if len(selector) == 0 {
		t.Errorf("%s %s selects everything", o.kind(), o.name())
	}
}

// A release of the chart kube-state-metrics has these names, labels and selectors,
// and what cannot be changed by an upgrade must stay.
func TestUpgradeFromKubeStateMetrics(t *testing.T) {
	selector := map[string]any{"app.kubernetes.io/name": "kube-state-metrics", "app.kubernetes.io/instance": releaseName}
	for _, o := range render(t, nil) {
		if o.name() != "ksm-kube-state-metrics" {
			t.Errorf("%s is named %s", o.kind(), o.name())
		}
		switch o.kind() {
		case "Deployment":
			if diff := gocmp.Diff(selector, o.at("spec", "selector", "matchLabels")); diff != "" {
				t.Error(diff)
			}
		case "ClusterRoleBinding":
			want := map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "ksm-kube-state-metrics"}
			if diff := gocmp.Diff(want, o.at("roleRef")); diff != "" {
				t.Error(diff)
			}
		}
	}
}

func TestInvalidValues(t *testing.T) {
	for text, want := range map[string]string{
		`replica: 2`:                    "additional properties 'replica' not allowed",
		`replicas: two`:                 "got string, want integer",
		`collectors: [pods, gateways]`:  `unknown resource "gateways": must be one of apiservices, `,
		`rbac: {useClusterRole: false}`: "must name the namespaces to read",
		"namespaces: a\nrbac: {useClusterRole: false}\nauthFilter: {enabled: true}": "rbac.useClusterRole must be true",
		`{autosharding: {enabled: true}, perNode: {enabled: true}}`:                 "cannot be combined",
		`{autosharding: {enabled: true}, leaderElection: {enabled: true}}`:          "cannot be combined",
	} {
		var values map[string]any
		if err := yaml.Unmarshal([]byte(text), &values); err != nil {
			t.Fatal(err)
		}
		if _, err := template(t, values); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
}
