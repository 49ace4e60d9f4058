package apiserver_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
)

const protobuf = "application/vnd.kubernetes.protobuf"

// formats are the content types that stock clients ask for.
var formats = []struct{ name, accept string }{
	{"protobuf", protobuf + ",application/json"},
	{"json", "application/json"},
}

func client(t testing.TB, url, accept string) *kubernetes.Clientset {
	t.Helper()
	c, err := kubernetes.NewForConfig(&rest.Config{
		Host:          url,
		QPS:           -1,
		ContentConfig: rest.ContentConfig{AcceptContentTypes: accept, ContentType: "application/json"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func testContext(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func TestListAndGet(t *testing.T) {
	store := newStore(t, 5, 100)
	_, running := start(t, store, apiserver.Config{})
	for _, format := range formats {
		t.Run(format.name, func(t *testing.T) {
			ctx, c := testContext(t), client(t, running.URL, format.accept)
			pods, err := c.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if len(pods.Items) != 100 {
				t.Errorf("listed %d pods, want 100", len(pods.Items))
			}
			first := pods.Items[0]
			got, err := c.CoreV1().Pods(first.Namespace).Get(ctx, first.Name, metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if got.UID != first.UID || got.ResourceVersion != first.ResourceVersion {
				t.Errorf("got %s at %s, list had %s at %s", got.UID, got.ResourceVersion, first.UID, first.ResourceVersion)
			}
			within, err := c.CoreV1().Pods(first.Namespace).List(ctx, metav1.ListOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for _, pod := range within.Items {
				if pod.Namespace != first.Namespace {
					t.Errorf("list of namespace %s has a pod of %s", first.Namespace, pod.Namespace)
				}
			}
			if len(within.Items) == 0 || len(within.Items) == 100 {
				t.Errorf("namespace %s has %d of 100 pods", first.Namespace, len(within.Items))
			}
			_, err = c.AppsV1().Deployments("default").Get(ctx, "no-such", metav1.GetOptions{})
			if !apierrors.IsNotFound(err) {
				t.Errorf("missing deployment: %v, want not found", err)
			}
		})
	}
}

func TestPagedList(t *testing.T) {
	store := newStore(t, 5, 100)
	server, running := start(t, store, apiserver.Config{})
	for _, format := range formats {
		t.Run(format.name, func(t *testing.T) {
			ctx, pods := testContext(t), client(t, running.URL, format.accept).CoreV1().Pods("")
			server.ResetRequests()
			seen := map[string]bool{}
			options := metav1.ListOptions{Limit: 30}
			var versions []string
			for {
				page, err := pods.List(ctx, options)
				if err != nil {
					t.Fatal(err)
				}
				versions = append(versions, page.ResourceVersion)
				for _, pod := range page.Items {
					seen[pod.Namespace+"/"+pod.Name] = true
				}
				if page.Continue == "" {
					break
				}
				if want := int64(100 - len(seen)); *page.RemainingItemCount != want {
					t.Errorf("remaining %d, want %d", *page.RemainingItemCount, want)
				}
				options.Continue = page.Continue
				// A change between pages must not show in them.
				if err := store.Put(bare("default", "between-pages")); err != nil {
					t.Fatal(err)
				}
			}
			if len(seen) != 100 || len(versions) != 4 {
				t.Errorf("%d pods in %d pages, want 100 in 4", len(seen), len(versions))
			}
			for _, version := range versions {
				if version != versions[0] {
					t.Errorf("pages come from versions %v, want one", versions)
				}
			}
			if lists, pages := server.Count(apiserver.VerbList, "pods"), server.Count(apiserver.VerbPage, "pods"); lists != 1 || pages != 3 {
				t.Errorf("counted %d lists and %d pages, want 1 and 3", lists, pages)
			}
			if _, err := store.Delete("pods", "default", "between-pages"); err != nil {
				t.Fatal(err)
			}
			store.Compact()
			if _, err := pods.List(ctx, options); !apierrors.IsResourceExpired(err) {
				t.Errorf("page after compaction: %v, want expired", err)
			}
		})
	}
}

func TestListVersions(t *testing.T) {
	store := newStore(t, 1, 10)
	_, running := start(t, store, apiserver.Config{})
	ctx, pods := testContext(t), client(t, running.URL, protobuf).CoreV1().Pods("")
	// A stock client waits for the version to come, so this asks by hand.
	code, header := get(t, running.URL+"/api/v1/pods?resourceVersion=99999999", "application/json")
	if code != http.StatusGatewayTimeout || header.Get("Retry-After") != "1" {
		t.Errorf("list at a future version: %d, Retry-After %q", code, header.Get("Retry-After"))
	}
	exact := metav1.ListOptions{ResourceVersion: "3", ResourceVersionMatch: metav1.ResourceVersionMatchExact}
	if _, err := pods.List(ctx, exact); !apierrors.IsResourceExpired(err) {
		t.Errorf("list at a past version: %v, want expired", err)
	}
	all, err := pods.List(ctx, metav1.ListOptions{ResourceVersion: "0", Limit: 3})
	if err != nil || len(all.Items) != 10 {
		t.Errorf("list at version 0 with limit: %d pods, %v; want all 10, as from the watch cache", len(all.Items), err)
	}
}

// TestEncodingsAgree compares the objects as protobuf clients and as JSON
// clients see them.
func TestEncodingsAgree(t *testing.T) {
	_, running := start(t, newStore(t, 5, 300), apiserver.Config{})
	ctx := testContext(t)
	binary, text := client(t, running.URL, protobuf), client(t, running.URL, "application/json")
	for _, resource := range []func(*kubernetes.Clientset) (runtime.Object, error){
		func(c *kubernetes.Clientset) (runtime.Object, error) {
			return c.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
		},
		func(c *kubernetes.Clientset) (runtime.Object, error) {
			return c.CoreV1().Nodes().List(ctx, metav1.ListOptions{Limit: 2})
		},
		func(c *kubernetes.Clientset) (runtime.Object, error) {
			return c.AppsV1().Deployments("").List(ctx, metav1.ListOptions{})
		},
		func(c *kubernetes.Clientset) (runtime.Object, error) {
			return c.AppsV1().ReplicaSets("").List(ctx, metav1.ListOptions{})
		},
		func(c *kubernetes.Clientset) (runtime.Object, error) {
			return c.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
		},
	} {
		a, err := resource(binary)
		if err != nil {
			t.Fatal(err)
		}
		b, err := resource(text)
		if err != nil {
			t.Fatal(err)
		}
		if !apiequality.Semantic.DeepEqual(a, b) {
			t.Errorf("%T differs between protobuf and JSON", a)
		}
	}
}

// TestCustomResource serves a kind that has no Go type: JSON only.
func TestCustomResource(t *testing.T) {
	store, err := apiserver.NewStore(apiserver.StoreConfig{Resources: []apiserver.Resource{
		{Group: "example.com", Version: "v1beta1", Name: "widgets", Kind: "Widget", Namespaced: true}}})
	if err != nil {
		t.Fatal(err)
	}
	_, running := start(t, store, apiserver.Config{})
	widget := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "example.com/v1beta1", "kind": "Widget",
		"metadata": map[string]any{"namespace": "default", "name": "one"}, "spec": map[string]any{"size": int64(3)}}}
	put(t, store, widget)
	ctx := testContext(t)
	c, err := dynamic.NewForConfig(&rest.Config{Host: running.URL})
	if err != nil {
		t.Fatal(err)
	}
	widgets := c.Resource(schema.GroupVersionResource{Group: "example.com", Version: "v1beta1", Resource: "widgets"})
	list, err := widgets.Namespace("default").List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Items) != 1 || !apiequality.Semantic.DeepEqual(list.Items[0].Object, widget.Object) {
		t.Errorf("listed %v, want %v", list.Items, widget.Object)
	}
	w, err := widgets.Watch(ctx, streaming())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	if e := <-w.ResultChan(); e.Type != watch.Added {
		t.Errorf("got %s, want ADDED", e.Type)
	}
	e := <-w.ResultChan()
	if mark, ok := e.Object.(*unstructured.Unstructured); !ok || e.Type != watch.Bookmark || mark.GetAnnotations()[metav1.InitialEventsAnnotationKey] != "true" {
		t.Errorf("got %s %v, want the bookmark that ends the initial events", e.Type, e.Object)
	}
	if code, _ := get(t, running.URL+"/apis/example.com/v1beta1/widgets", protobuf); code != http.StatusNotAcceptable {
		t.Errorf("protobuf only: %d, want 406", code)
	}
	put := store.Put(&unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Other"}})
	if put == nil {
		t.Error("no error for a kind that is not served")
	}
}

func TestFieldSelectors(t *testing.T) {
	store := newStore(t, 5, 100)
	_, running := start(t, store, apiserver.Config{})
	ctx, c := testContext(t), client(t, running.URL, protobuf)
	all, err := c.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	one := all.Items[50]
	for selector, want := range map[string]func(*corev1.Pod) bool{
		"metadata.name=" + one.Name:  func(p *corev1.Pod) bool { return p.Name == one.Name },
		"metadata.name!=" + one.Name: func(p *corev1.Pod) bool { return p.Name != one.Name },
		"spec.nodeName=node-00001":   func(p *corev1.Pod) bool { return p.Spec.NodeName == "node-00001" },
		"spec.nodeName=":             func(p *corev1.Pod) bool { return p.Spec.NodeName == "" },
		"status.phase!=Running":      func(p *corev1.Pod) bool { return p.Status.Phase != corev1.PodRunning },
		"metadata.namespace!=default,metadata.namespace!=" + one.Namespace:         func(p *corev1.Pod) bool { return p.Namespace != "default" && p.Namespace != one.Namespace },
		"metadata.namespace=" + one.Namespace + ",spec.nodeName!=node-00001":       func(p *corev1.Pod) bool { return p.Namespace == one.Namespace && p.Spec.NodeName != "node-00001" },
		"metadata.namespace=" + one.Namespace + ",metadata.name!=" + one.Name + "": func(p *corev1.Pod) bool { return p.Namespace == one.Namespace && p.Name != one.Name },
	} {
		wanted := 0
		for i := range all.Items {
			if want(&all.Items[i]) {
				wanted++
			}
		}
		list, err := c.CoreV1().Pods("").List(ctx, metav1.ListOptions{FieldSelector: selector})
		if err != nil {
			t.Errorf("%s: %v", selector, err)
			continue
		}
		for i := range list.Items {
			if !want(&list.Items[i]) {
				t.Errorf("%s selects %s/%s on %s", selector, list.Items[i].Namespace, list.Items[i].Name, list.Items[i].Spec.NodeName)
			}
		}
		if len(list.Items) != wanted {
			t.Errorf("%s selects %d pods, want %d", selector, len(list.Items), wanted)
		}
	}
	if _, err := c.CoreV1().Nodes().List(ctx, metav1.ListOptions{FieldSelector: "spec.nodeName=x"}); !apierrors.IsBadRequest(err) {
		t.Errorf("unsupported field: %v, want bad request", err)
	}
}

func bare(namespace, name string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
}

func put(t testing.TB, store *apiserver.Store, object apiserver.Object) {
	t.Helper()
	if err := store.Put(object); err != nil {
		t.Fatal(err)
	}
}
