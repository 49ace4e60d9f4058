package kubewatch_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/kubewatch"
	"github.com/kubestate/kubestate/metric"
)

// widget is a custom resource, as a program that knows its fields declares it.
type widget struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Size int64 `json:"size"`
	} `json:"spec"`
}

// Unmarshal is for protobuf, as which custom resources are never served.
func (*widget) Unmarshal([]byte) error { return errors.New("widgets have no protobuf form") }

func (w *widget) DeepCopyObject() runtime.Object {
	c := *w
	w.DeepCopyInto(&c.ObjectMeta)
	return &c
}

// looseWidget is the same without a type of its own.
type looseWidget struct{ unstructured.Unstructured }

func (*looseWidget) Unmarshal([]byte) error { return errors.New("widgets have no protobuf form") }

var widgetResource = kind.Resource{Group: "example.com", Version: "v1alpha1", Name: "widgets", Kind: "Widget", Namespaced: true}

var sizeOfWidget = metric.Desc{Name: "example_widget_size", Type: metric.Gauge, Help: "Size of the Widget."}

func typedWidgets() (*kind.Table, error) {
	return kind.Define(kind.Kind[widget]{
		Resource: widgetResource,
		Identity: []metric.Label{{Name: "namespace"}, {Name: "widget"}},
		Begin:    func(w *widget, e *metric.Emitter, s *metric.Schema) { e.Begin(s, w.Namespace, w.Name) },
		Rows: []kind.Row[widget]{
			kind.NewRow(sizeOfWidget, func(w *widget, e *metric.Emitter) { e.Add(float64(w.Spec.Size)) }),
		},
	})
}

func untypedWidgets() (*kind.Table, error) {
	return kind.Define(kind.Kind[looseWidget]{
		Resource: widgetResource,
		Identity: []metric.Label{{Name: "namespace"}, {Name: "widget"}},
		Begin:    func(w *looseWidget, e *metric.Emitter, s *metric.Schema) { e.Begin(s, w.GetNamespace(), w.GetName()) },
		Rows: []kind.Row[looseWidget]{
			kind.NewRow(sizeOfWidget, func(w *looseWidget, e *metric.Emitter) {
				if size, ok, err := unstructured.NestedInt64(w.Object, "spec", "size"); ok && err == nil {
					e.Add(float64(size))
				}
			}),
		},
	})
}

// telling is a store that tells what happens, sizes of widgets included.
type telling struct {
	table  *kind.Table
	events chan string
}

func (s telling) Begin()                        {}
func (s telling) Delete(namespace, name string) { s.events <- "- " + namespace + "/" + name }
func (s telling) Commit()                       { s.events <- "complete" }

func (s telling) Put(o kind.Object) {
	var size sizeSink
	if err := s.table.Collect(o, metric.NewEmitter(&size)); err != nil {
		s.events <- err.Error()
	}
	s.events <- fmt.Sprintf("+ %s %v", size.identity, size.value)
}

type sizeSink struct {
	identity string
	value    float64
}

func (s *sizeSink) Begin(_ *metric.Schema, identity []string) { s.identity = fmt.Sprint(identity) }
func (s *sizeSink) Sample(sample *metric.Sample)              { s.value = sample.Value }

// Custom resources are read like the kinds of the catalog, though only as JSON.
func TestOwnKinds(t *testing.T) {
	for name, define := range map[string]func() (*kind.Table, error){"typed": typedWidgets, "untyped": untypedWidgets} {
		t.Run(name, func(t *testing.T) {
			table, err := define()
			if err != nil {
				t.Fatal(err)
			}
			cluster, client := widgetCluster(t)
			put(t, cluster, "small", 3)
			events := watchWidgets(t, client, table)
			want(t, events, "+ [shop small] 3", "complete")
			put(t, cluster, "small", 5)
			want(t, events, "+ [shop small] 5")
			if _, err := cluster.Delete("widgets", "shop", "small"); err != nil {
				t.Fatal(err)
			}
			want(t, events, "- shop/small")
		})
	}
}

// widgetCluster returns a simulated cluster that has the custom resource.
func widgetCluster(t *testing.T) (*apiserver.Store, *kubewatch.Client) {
	t.Helper()
	cluster, err := apiserver.NewStore(apiserver.StoreConfig{Resources: []apiserver.Resource{
		{Group: widgetResource.Group, Version: widgetResource.Version, Name: widgetResource.Name, Kind: widgetResource.Kind, Namespaced: true},
	}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(apiserver.New(cluster, apiserver.Config{}))
	t.Cleanup(server.Close)
	client, err := kubewatch.Connect(kubewatch.Config{APIServer: server.URL, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return cluster, client
}

// watchWidgets watches until the test ends.
func watchWidgets(t *testing.T, client *kubewatch.Client, table *kind.Table) chan string {
	t.Helper()
	events := make(chan string, 100)
	group, err := kubewatch.NewGroup(client, []kubewatch.Watch{{Table: table, Store: telling{table, events}}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		group.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-done })
	return events
}

func put(t *testing.T, cluster *apiserver.Store, name string, size int64) {
	t.Helper()
	if err := cluster.Put(&unstructured.Unstructured{Object: map[string]any{
		"apiVersion": widgetResource.Group + "/" + widgetResource.Version,
		"kind":       widgetResource.Kind,
		"metadata":   map[string]any{"namespace": "shop", "name": name},
		"spec":       map[string]any{"size": size},
	}}); err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, events chan string, want ...string) {
	t.Helper()
	for _, w := range want {
		if got := <-events; got != w {
			t.Errorf("got %q, want %q", got, w)
		}
	}
}
