package cluster

import (
	"errors"
	"io"
	"os"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
)

// Create creates the objects of a multi-document YAML file. Status is set by a second
// request, as a controller does.
func (c *Cluster) Create(t testing.TB, file string) {
	t.Helper()
	for _, object := range readObjects(t, file) {
		gvk := object.GroupVersionKind()
		resource, _ := meta.UnsafeGuessKindToResource(gvk)
		client := c.dynamic(t).Resource(resource).Namespace(object.GetNamespace())
		created, err := client.Create(t.Context(), object, metav1.CreateOptions{})
		if err != nil {
			t.Fatalf("create %s %s of %s: %v", gvk.Kind, object.GetName(), file, err)
		}
		status, found := object.Object["status"]
		if !found {
			continue
		}
		created.Object["status"] = status
		if _, err := client.UpdateStatus(t.Context(), created, metav1.UpdateOptions{}); err != nil {
			t.Fatalf("set the status of %s %s of %s: %v", gvk.Kind, object.GetName(), file, err)
		}
	}
}

// List returns the objects of the resources, each with kind and apiVersion, as kubectl
// prints them.
func (c *Cluster) List(t testing.TB, resources ...schema.GroupVersionResource) []unstructured.Unstructured {
	t.Helper()
	client := c.dynamic(t)
	var objects []unstructured.Unstructured
	for _, resource := range resources {
		list, err := client.Resource(resource).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatalf("list %s: %v", resource.Resource, err)
		}
		objects = append(objects, list.Items...)
	}
	return objects
}

// Patch applies a JSON merge patch to an object or, if given, its subresource.
func (c *Cluster) Patch(t testing.TB, resource schema.GroupVersionResource, namespace, name, patch string, subresource ...string) {
	t.Helper()
	_, err := c.dynamic(t).Resource(resource).Namespace(namespace).
		Patch(t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}, subresource...)
	if err != nil {
		t.Fatalf("patch %s %s: %v", resource.Resource, name, err)
	}
}

// Delete deletes an object. A Pod on a node stays for the grace period, in seconds,
// because there is no kubelet; other objects disappear at once.
func (c *Cluster) Delete(t testing.TB, resource schema.GroupVersionResource, namespace, name string, grace int64) {
	t.Helper()
	err := c.dynamic(t).Resource(resource).Namespace(namespace).Delete(t.Context(), name, metav1.DeleteOptions{GracePeriodSeconds: &grace})
	if err != nil {
		t.Fatalf("delete %s %s: %v", resource.Resource, name, err)
	}
}

// DeleteAll deletes all objects of a resource, in a namespace or, if it is
// cluster-scoped, in the cluster.
func (c *Cluster) DeleteAll(t testing.TB, resource schema.GroupVersionResource, namespace string) {
	t.Helper()
	err := c.dynamic(t).Resource(resource).Namespace(namespace).
		DeleteCollection(t.Context(), metav1.DeleteOptions{GracePeriodSeconds: new(int64)}, metav1.ListOptions{})
	if err != nil {
		t.Fatalf("delete all %s: %v", resource.Resource, err)
	}
}

// DeleteNamespace deletes a namespace, even if it is being deleted already. It replaces
// the namespace controller: the object disappears with its finalizers.
func (c *Cluster) DeleteNamespace(t testing.TB, name string) {
	t.Helper()
	namespaces := c.client(t).CoreV1().Namespaces()
	err := namespaces.Delete(t.Context(), name, metav1.DeleteOptions{})
	if err == nil || apierrors.IsConflict(err) {
		var namespace *corev1.Namespace
		if namespace, err = namespaces.Get(t.Context(), name, metav1.GetOptions{}); err == nil {
			namespace.Spec.Finalizers = nil
			_, err = namespaces.Finalize(t.Context(), namespace, metav1.UpdateOptions{})
		}
	}
	if err != nil && !apierrors.IsNotFound(err) {
		t.Fatalf("delete namespace %s: %v", name, err)
	}
}

// client returns a typed client for the administrator.
func (c *Cluster) client(t testing.TB) kubernetes.Interface {
	t.Helper()
	client, err := kubernetes.NewForConfig(c.Config(Admin))
	if err != nil {
		t.Fatalf("make a client: %v", err)
	}
	return client
}

// dynamic returns a client for any resource, for the administrator.
func (c *Cluster) dynamic(t testing.TB) dynamic.Interface {
	t.Helper()
	client, err := dynamic.NewForConfig(c.Config(Admin))
	if err != nil {
		t.Fatalf("make a client: %v", err)
	}
	return client
}

func readObjects(t testing.TB, file string) []*unstructured.Unstructured {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatalf("read objects: %v", err)
	}
	defer f.Close()
	decoder := yaml.NewYAMLOrJSONDecoder(f, 4096)
	var objects []*unstructured.Unstructured
	for {
		object := &unstructured.Unstructured{}
		switch err := decoder.Decode(&object.Object); {
		case errors.Is(err, io.EOF):
			return objects
		case err != nil:
			t.Fatalf("read objects: %s: document %d: %v", file, len(objects)+1, err)
		case object.GetKind() == "":
			t.Fatalf("read objects: %s: document %d: no kind", file, len(objects)+1)
		}
		objects = append(objects, object)
	}
}
