package cluster

import (
	"fmt"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubestate/kubestate/test/e2e/harness"
)

// Define creates the CustomResourceDefinitions in a file and returns when their
// resources are served. It returns a function that removes them.
func (c *Cluster) Define(t testing.TB, file string) (undo func()) {
	t.Helper()
	c.Create(t, file)
	for _, definition := range readObjects(t, file) {
		resource := defined(t, definition)
		harness.Eventually(t, time.Minute, resource.Resource+" are served", func() error {
			if _, err := c.dynamic(t).Resource(resource).List(t.Context(), metav1.ListOptions{}); err != nil {
				return err
			}
			if found := c.Served(t)[resource.GroupResource()]; found != resource {
				return fmt.Errorf("discovery has %v", found)
			}
			return nil
		})
	}
	return func() {
		t.Helper()
		definitions := schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
		for _, definition := range readObjects(t, file) {
			err := c.dynamic(t).Resource(definitions).Delete(t.Context(), definition.GetName(), metav1.DeleteOptions{})
			if err != nil && !apierrors.IsNotFound(err) {
				t.Errorf("delete %s: %v", definition.GetName(), err)
			}
		}
	}
}

// defined returns the resource of a definition with one version.
func defined(t testing.TB, definition *unstructured.Unstructured) schema.GroupVersionResource {
	t.Helper()
	group, _, _ := unstructured.NestedString(definition.Object, "spec", "group")
	plural, _, _ := unstructured.NestedString(definition.Object, "spec", "names", "plural")
	versions, _, _ := unstructured.NestedSlice(definition.Object, "spec", "versions")
	if len(versions) != 1 {
		t.Fatalf("%s: %d versions, want one", definition.GetName(), len(versions))
	}
	version, _, _ := unstructured.NestedString(versions[0].(map[string]any), "name")
	return schema.GroupVersionResource{Group: group, Version: version, Resource: plural}
}
