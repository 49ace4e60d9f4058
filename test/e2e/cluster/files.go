package cluster

import (
	"slices"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
)

// Object identifies an object of the API server.
type Object struct {
	Resource        schema.GroupResource
	Namespace, Name string

	version string
}

// Objects returns the objects that Create creates from YAML files.
func Objects(t testing.TB, files ...string) []Object {
	t.Helper()
	var objects []Object
	for _, file := range files {
		for _, o := range readObjects(t, file) {
			resource, _ := meta.UnsafeGuessKindToResource(o.GroupVersionKind())
			objects = append(objects, Object{resource.GroupResource(), o.GetNamespace(), o.GetName(), resource.Version})
		}
	}
	return objects
}

// Served returns the resources of the API server, each in the preferred version.
func (c *Cluster) Served(t testing.TB) map[schema.GroupResource]schema.GroupVersionResource {
	t.Helper()
	lists, err := discovery.ServerPreferredResources(c.client(t).Discovery())
	if err != nil {
		t.Fatalf("discover resources: %v", err)
	}
	resources, err := discovery.GroupVersionResources(lists)
	if err != nil {
		t.Fatalf("discover resources: %v", err)
	}
	served := map[schema.GroupResource]schema.GroupVersionResource{}
	for resource := range resources {
		served[resource.GroupResource()] = resource
	}
	return served
}

// AskDelete deletes objects as a user does. Objects with a finalizer stay, and so do
// Pods on a node, because there is no kubelet.
func (c *Cluster) AskDelete(t testing.TB, objects []Object) {
	t.Helper()
	for _, o := range objects {
		if err := c.of(t, o).Delete(t.Context(), o.Name, metav1.DeleteOptions{}); ignoreNotFound(err) != nil {
			t.Fatalf("delete %s %s: %v", o.Resource, o.Name, err)
		}
	}
}

// Remove deletes objects in reverse order, so that a namespace follows its content. It
// replaces controllers and kubelets: finalizers and grace periods are overridden.
func (c *Cluster) Remove(t testing.TB, objects []Object) {
	t.Helper()
	for _, o := range slices.Backward(objects) {
		_, err := c.of(t, o).Patch(t.Context(), o.Name, types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
		if err == nil {
			err = c.of(t, o).Delete(t.Context(), o.Name, metav1.DeleteOptions{GracePeriodSeconds: new(int64)})
		}
		if err = ignoreNotFound(err); err != nil && !apierrors.IsConflict(err) {
			t.Fatalf("remove %s %s: %v", o.Resource, o.Name, err)
		}
		if o.Resource.Resource == "namespaces" {
			c.DeleteNamespace(t, o.Name)
		}
	}
}

func (c *Cluster) of(t testing.TB, o Object) dynamic.ResourceInterface {
	t.Helper()
	return c.dynamic(t).Resource(o.Resource.WithVersion(o.version)).Namespace(o.Namespace)
}

func ignoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
