package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
)

// widgetDefinition defines widgets, served in a version.
func widgetDefinition(version string) *apiextensionsv1.CustomResourceDefinition {
	d := &apiextensionsv1.CustomResourceDefinition{}
	d.Name = "widgets.acme.io"
	d.Spec.Group, d.Spec.Scope = "acme.io", apiextensionsv1.NamespaceScoped
	d.Spec.Names.Kind, d.Spec.Names.Plural = "Widget", "widgets"
	d.Spec.Versions = []apiextensionsv1.CustomResourceDefinitionVersion{{Name: version, Served: true}}
	return d
}

// A custom resource is served as soon as its definition is, and no longer; other
// definitions touch nothing, and nothing is duplicated.
func TestCustomResourceComesAndGoes(t *testing.T) {
	resources := append(simulated(), apiserver.Resource{Group: "acme.io", Version: "v1", Name: "widgets", Kind: "Widget", Namespaced: true})
	store, err := apiserver.NewStore(apiserver.StoreConfig{Resources: resources})
	if err != nil {
		t.Fatal(err)
	}
	put := func(o apiserver.Object) {
		t.Helper()
		if err := store.Put(o); err != nil {
			t.Fatal(err)
		}
	}
	put(pod("a", "one"))
	put(&unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "acme.io/v1", "kind": "Widget", "metadata": map[string]any{"name": "w", "namespace": "shop"},
		"spec": map[string]any{"replicas": int64(3)},
	}})
	server, err := apiserver.Start(apiserver.New(store, apiserver.Config{}), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	config := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(config, []byte(`spec:
  resources:
  - groupVersionKind: {group: acme.io, kind: Widget}
    metrics:
    - {name: replicas, each: {type: Gauge, gauge: {path: [spec, replicas]}}}
    - {name: bad, each: {type: None}}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	p := startProgram(t, "--apiserver", server.URL, "--host", "127.0.0.1", "--telemetry-host", "127.0.0.1", "--port", "0", "--telemetry-port", "0",
		"--resources", "pods", "--custom-resource-state-config-file", config)
	p.log.await(t, regexp.MustCompile(`msg=synced\b`))
	p.log.await(t, regexp.MustCompile(`msg="no custom resource matches.*acme.io/\*, Kind=Widget`))
	p.log.await(t, regexp.MustCompile(`level=ERROR msg="ignoring invalid entry.*metrics\[1\].each.type`))
	const series = `kube_customresource_replicas{customresource_group="acme.io",customresource_kind="Widget",customresource_version="v1"} 3`
	metrics := "http://" + p.address("metrics") + "/metrics"
	for i := range 20 {
		put(widgetDefinition("v1"))
		awaitMetrics(t, p, metrics, series, 1)
		other := widgetDefinition("v1")
		other.Name, other.Spec.Group = fmt.Sprintf("widgets.%d.io", i), fmt.Sprintf("%d.io", i)
		put(other)
		changed := widgetDefinition("v1")
		changed.Annotations = map[string]string{"i": fmt.Sprint(i)}
		put(changed)
		if body := fetch(t, metrics+"?resources=widgets.v1.acme.io"); strings.Count(body, series) != 1 || strings.Contains(body, "kube_pod") {
			t.Fatalf("selected:\n%s", body)
		}
		if i%2 == 0 {
			if _, err := store.Delete("customresourcedefinitions", "", "widgets.acme.io"); err != nil {
				t.Fatal(err)
			}
		} else {
			none := widgetDefinition("v1")
			none.Spec.Versions[0].Served = false
			put(none)
		}
		awaitMetrics(t, p, metrics, "kube_customresource_replicas", 0)
	}
	p.awaitLine("/metrics", `kube_state_metrics_custom_resource_state_add_events_total 31`)
	p.awaitLine("/metrics", `kube_state_metrics_custom_resource_state_delete_events_total 10`)
	p.awaitLine("/metrics", `kube_state_metrics_custom_resource_state_cache 21`)
	if body := fetch(t, metrics); !strings.Contains(body, `kube_pod_created{namespace="shop",pod="a"`) && !strings.Contains(body, `kube_pod_info{namespace="shop",pod="a"`) {
		t.Errorf("the pod is gone:\n%.500s", body)
	}
	p.awaitLine("/metrics", `kube_state_metrics_list_total{resource="*v1.Pod",result="success"} 1`)
}

// awaitMetrics waits until a text occurs n times.
func awaitMetrics(t *testing.T, p *program, metrics, text string, n int) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		switch found := strings.Count(fetch(t, metrics), text); {
		case found == n:
			return
		case found > n && n > 0:
			t.Fatalf("%s occurs %d times", text, found)
		}
	}
	t.Fatalf("%s does not occur %d times; log:\n%s", text, n, p.log.text())
}

// A configuration of custom resources that changes while the program runs keeps the series of
// unchanged entries, and one with a new mistake changes nothing.
func TestCustomResourceReload(t *testing.T) {
	resources := append(simulated(), apiserver.Resource{Group: "acme.io", Version: "v1", Name: "widgets", Kind: "Widget", Namespaced: true},
		apiserver.Resource{Group: "acme.io", Version: "v1", Name: "gadgets", Kind: "Gadget", Namespaced: true})
	store, err := apiserver.NewStore(apiserver.StoreConfig{Resources: resources})
	if err != nil {
		t.Fatal(err)
	}
	gadgets := widgetDefinition("v1")
	gadgets.Name, gadgets.Spec.Names.Kind, gadgets.Spec.Names.Plural = "gadgets.acme.io", "Gadget", "gadgets"
	objects := []apiserver.Object{widgetDefinition("v1"), gadgets}
	for _, kind := range []string{"Widget", "Gadget"} {
		objects = append(objects, &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "acme.io/v1", "kind": kind, "metadata": map[string]any{"name": "one", "namespace": "shop"}, "spec": map[string]any{"replicas": int64(3)},
		}})
	}
	for _, o := range objects {
		if err := store.Put(o); err != nil {
			t.Fatal(err)
		}
	}
	sim := apiserver.New(store, apiserver.Config{})
	server, err := apiserver.Start(sim, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	config := filepath.Join(t.TempDir(), "config.yaml")
	write := func(entries string) {
		t.Helper()
		if err := os.WriteFile(config, []byte("spec:\n  resources:\n"+entries), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	entry := func(kind, name string) string {
		return fmt.Sprintf("  - groupVersionKind: {group: acme.io, kind: %s}\n    metrics:\n    - {name: %s, each: {type: Gauge, gauge: {path: [spec, replicas]}}}\n", kind, name)
	}
	write(entry("Widget", "widgets"))
	p := startProgram(t, "--apiserver", server.URL, "--host", "127.0.0.1", "--telemetry-host", "127.0.0.1", "--port", "0", "--telemetry-port", "0",
		"--resources", "pods", "--custom-resource-state-config-file", config)
	p.log.await(t, regexp.MustCompile(`msg=synced\b`))
	metrics := "http://" + p.address("metrics") + "/metrics"
	awaitMetrics(t, p, metrics, "\nkube_customresource_widgets{", 1)

	write(entry("Gadget", "gadgets") + entry("Widget", "widgets"))
	awaitMetrics(t, p, metrics, "\nkube_customresource_gadgets{", 1)
	awaitMetrics(t, p, metrics, "\nkube_customresource_widgets{", 1)
	write(entry("Gadget", "gadgets") + entry("Widget", "widgets") + "    - {name: bad, each: {type: None}}\n")
	p.log.await(t, regexp.MustCompile(`level=ERROR msg="failed to reload configuration; keeping the previous one" err=.*metrics\[1\].each.type`))
	awaitMetrics(t, p, metrics, "\nkube_customresource_gadgets{", 1)
	write(entry("Gadget", "renamed") + entry("Widget", "widgets"))
	awaitMetrics(t, p, metrics, "\nkube_customresource_renamed{", 1)
	awaitMetrics(t, p, metrics, "\nkube_customresource_gadgets{", 0)
	for _, kept := range []string{"Widget", "Pod", "CustomResourceDefinition"} {
		p.awaitLine("/metrics", `kube_state_metrics_list_total{resource="*v1.`+kept+`",result="success"} 1`)
	}
}
