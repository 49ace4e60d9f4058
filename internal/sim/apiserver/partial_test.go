package apiserver_test

import (
	"encoding/json"
	"net/http"
	"testing"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
	"github.com/kubestate/kubestate/internal/sim/cluster"
)

const (
	asObject = ";as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
	asList   = ";as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
)

// TestMetadataOnly reads typed and custom objects as the stock metadata client
// does: lists, pages, single objects, watches and streaming lists in protobuf.
func TestMetadataOnly(t *testing.T) {
	resources := append(apiserver.Resources(),
		apiserver.Resource{Group: "example.com", Version: "v1", Name: "widgets", Kind: "Widget", Namespaced: true})
	store, err := apiserver.NewStore(apiserver.StoreConfig{Resources: resources})
	if err != nil {
		t.Fatal(err)
	}
	if err := cluster.Generate(store, cluster.Config{Nodes: 5, Pods: 200}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"one", "three", "two"} {
		put(t, store, &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "example.com/v1", "kind": "Widget",
			"metadata": map[string]any{"namespace": "default", "name": name, "labels": map[string]any{"size": name}},
			"spec":     map[string]any{"size": int64(3)}}})
	}
	server, running := start(t, store, apiserver.Config{})
	c, err := metadata.NewForConfig(&rest.Config{Host: running.URL, QPS: -1})
	if err != nil {
		t.Fatal(err)
	}
	for _, gvr := range []schema.GroupVersionResource{
		{Version: "v1", Resource: "configmaps"},
		{Version: "v1", Resource: "nodes"},
		{Group: "apps", Version: "v1", Resource: "deployments"},
		{Group: "example.com", Version: "v1", Resource: "widgets"},
	} {
		t.Run(gvr.Resource, func(t *testing.T) { testMetadataOnly(t, store, c.Resource(gvr), gvr.Resource) })
	}
	for _, r := range server.Requests() {
		if r.Code >= http.StatusBadRequest { // a watch that is open has none yet
			t.Errorf("%s with Accept %q: %d", r.URL, r.Accept, r.Code)
		}
	}
}

func testMetadataOnly(t *testing.T, store *apiserver.Store, c metadata.Getter, resource string) {
	ctx := testContext(t)
	whole, err := c.List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	checkMetadata(t, store, resource, whole.Items)
	var paged []metav1.PartialObjectMetadata
	for options := (metav1.ListOptions{Limit: 2}); ; {
		page, err := c.List(ctx, options)
		if err != nil {
			t.Fatal(err)
		}
		paged = append(paged, page.Items...)
		if options.Continue = page.Continue; options.Continue == "" {
			break
		}
	}
	checkMetadata(t, store, resource, paged)
	w, err := c.Watch(ctx, streaming())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	var streamed []metav1.PartialObjectMetadata
	for range store.Len(resource) {
		streamed = append(streamed, *metadataEvent(t, w, watch.Added))
	}
	checkMetadata(t, store, resource, streamed)
	if mark := metadataEvent(t, w, watch.Bookmark); mark.Annotations[metav1.InitialEventsAnnotationKey] != "true" {
		t.Errorf("got the bookmark %v, want the one that ends the initial events", mark)
	}
	last := whole.Items[len(whole.Items)-1]
	getter := metadata.ResourceInterface(c)
	if last.Namespace != "" {
		getter = c.Namespace(last.Namespace)
	}
	one, err := getter.Get(ctx, last.Name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !apiequality.Semantic.DeepEqual(one.ObjectMeta, last.ObjectMeta) {
		t.Errorf("got %v, the list had %v", one.ObjectMeta, last.ObjectMeta)
	}
}

// metadataEvent takes the next event of a watch.
func metadataEvent(t *testing.T, w watch.Interface, want watch.EventType) *metav1.PartialObjectMetadata {
	t.Helper()
	e, open := <-w.ResultChan()
	object, ok := e.Object.(*metav1.PartialObjectMetadata)
	if !open || !ok || e.Type != want {
		t.Fatalf("got %s %T, want %s of a PartialObjectMetadata", e.Type, e.Object, want)
	}
	return object
}

// checkMetadata compares what was read with the objects in the store.
func checkMetadata(t *testing.T, store *apiserver.Store, resource string, got []metav1.PartialObjectMetadata) {
	t.Helper()
	i := 0
	for e := range store.All(resource) {
		object, err := e.Decode()
		if err != nil {
			t.Fatal(err)
		}
		if i >= len(got) {
			break
		}
		m := &got[i].ObjectMeta
		if m.Name != object.GetName() || m.UID != object.GetUID() || m.ResourceVersion != object.GetResourceVersion() ||
			!apiequality.Semantic.DeepEqual(m.Labels, object.GetLabels()) ||
			!apiequality.Semantic.DeepEqual(m.ManagedFields, object.GetManagedFields()) {
			t.Errorf("metadata %v, want that of %v", m, object)
		}
		i++
	}
	if len(got) != store.Len(resource) {
		t.Errorf("%d %s, want %d", len(got), resource, store.Len(resource))
	}
}

// TestMetadataOnlyJSON checks how lists and single objects are written in JSON:
// each item of a list names its kind.
func TestMetadataOnlyJSON(t *testing.T) {
	server := apiserver.New(newStore(t, 2, 10), apiserver.Config{})
	for path, as := range map[string]string{"/api/v1/nodes": asList, "/api/v1/nodes/node-00000": asObject} {
		code, header, body := ask(t, server, http.MethodGet, path, "application/json"+as)
		if code != http.StatusOK || header.Get("Content-Type") != "application/json" {
			t.Fatalf("%s: %d %s", path, code, header.Get("Content-Type"))
		}
		var object map[string]any
		if err := json.Unmarshal(body, &object); err != nil {
			t.Fatal(err)
		}
		objects, kind := []any{object}, "PartialObjectMetadata"
		if items, isList := object["items"].([]any); isList {
			if object["kind"] != "PartialObjectMetadataList" || object["apiVersion"] != "meta.k8s.io/v1" || len(items) != 2 {
				t.Errorf("%s: a list of kind %v %v with %d items", path, object["apiVersion"], object["kind"], len(items))
			}
			objects = items
		}
		for _, object := range objects {
			fields, _ := object.(map[string]any)
			if len(fields) != 3 || fields["kind"] != kind || fields["apiVersion"] != "meta.k8s.io/v1" || fields["metadata"] == nil {
				t.Errorf("%s: object %v, want kind, apiVersion and metadata only", path, fields)
			}
		}
	}
}

func TestMetadataOnlyNegotiation(t *testing.T) {
	server := apiserver.New(newStore(t, 1, 1), apiserver.Config{})
	for _, test := range []struct {
		path, accept string
		code         int
	}{
		{"/api/v1/nodes", protobuf + asList, 200},
		{"/api/v1/nodes", protobuf + asObject, 406},
		{"/api/v1/nodes/node-00000", protobuf + asObject, 200},
		{"/api/v1/nodes/node-00000", protobuf + asList, 406},
		{"/api/v1/nodes?watch=true", protobuf + asList, 406},
		{"/api/v1/nodes", protobuf + ";as=PartialObjectMetadataList;g=meta.k8s.io;v=v2", 406},
		{"/api/v1/nodes", protobuf + ";as=PartialObjectMetadataList;g=other;v=v1,application/json", 200},
	} {
		if code, _, body := ask(t, server, http.MethodGet, test.path, test.accept); code != test.code {
			t.Errorf("%s with Accept %q: %d %.200q, want %d", test.path, test.accept, code, body, test.code)
		}
	}
}
