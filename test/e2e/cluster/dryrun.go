package cluster

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// DryRun validates the objects of a YAML file with a server-side dry run; unknown
// fields are errors. Kinds of groups in absent, which the server does not have, are
// skipped.
func (c *Cluster) DryRun(t testing.TB, file string, absent ...string) {
	t.Helper()
	options := metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict}
	namespaces := map[string]bool{}
	for _, object := range readObjects(t, file) {
		gvk := object.GroupVersionKind()
		if slices.Contains(absent, gvk.Group) {
			continue
		}
		if namespace := object.GetNamespace(); namespace != "" && !namespaces[namespace] {
			namespaces[namespace] = true
			c.ensureNamespace(t, namespace)
		}
		resource, _ := meta.UnsafeGuessKindToResource(gvk)
		if _, err := c.dynamic(t).Resource(resource).Namespace(object.GetNamespace()).Create(t.Context(), object, options); err != nil {
			t.Errorf("create %s %s of %s: %v", gvk.Kind, object.GetName(), file, err)
		}
	}
}

func (c *Cluster) ensureNamespace(t testing.TB, name string) {
	t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := c.client(t).CoreV1().Namespaces().Create(t.Context(), namespace, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatalf("create namespace %s: %v", name, err)
	}
}
