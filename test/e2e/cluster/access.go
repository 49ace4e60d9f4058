package cluster

import (
	"fmt"
	"testing"
	"time"

	"github.com/kubestate/kubestate/test/e2e/harness"
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Grant lets the kubestate user list and watch the resources, and returns when that is
// effective. It is idempotent.
func (c *Cluster) Grant(t testing.TB, resources ...schema.GroupVersionResource) {
	t.Helper()
	client := c.client(t).RbacV1()
	for _, resource := range resources {
		name := roleName(resource)
		role := &rbacv1.ClusterRole{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Rules: []rbacv1.PolicyRule{{
				APIGroups: []string{resource.Group}, Resources: []string{resource.Resource}, Verbs: []string{"list", "watch"},
			}},
		}
		if _, err := client.ClusterRoles().Create(t.Context(), role, metav1.CreateOptions{}); ignoreExists(err) != nil {
			t.Fatalf("grant %s: %v", resource.Resource, err)
		}
		if _, err := client.ClusterRoleBindings().Create(t.Context(), bindingOf(name), metav1.CreateOptions{}); ignoreExists(err) != nil {
			t.Fatalf("grant %s: %v", resource.Resource, err)
		}
	}
	for _, resource := range resources {
		c.waitAccess(t, resource, true)
	}
}

// Revoke undoes Grant for the resource. The API server does not end open watches; it
// rejects the next request.
func (c *Cluster) Revoke(t testing.TB, resource schema.GroupVersionResource) {
	t.Helper()
	bindings := c.client(t).RbacV1().ClusterRoleBindings()
	if err := bindings.Delete(t.Context(), roleName(resource), metav1.DeleteOptions{}); err != nil {
		t.Fatalf("revoke %s: %v", resource.Resource, err)
	}
	c.waitAccess(t, resource, false)
}

// waitAccess waits until a changed permission of the kubestate user is effective, which
// takes a moment.
func (c *Cluster) waitAccess(t testing.TB, resource schema.GroupVersionResource, want bool) {
	t.Helper()
	harness.Eventually(t, time.Minute, "the change of access to "+resource.Resource, func() error {
		review, err := c.client(t).AuthorizationV1().SubjectAccessReviews().Create(t.Context(), &authorizationv1.SubjectAccessReview{
			Spec: authorizationv1.SubjectAccessReviewSpec{
				User:               string(Kubestate),
				ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: "watch", Group: resource.Group, Resource: resource.Resource},
			},
		}, metav1.CreateOptions{})
		if err != nil {
			return err
		}
		if review.Status.Allowed != want {
			return fmt.Errorf("allowed is %t", review.Status.Allowed)
		}
		return nil
	})
}

// bindingOf binds the ClusterRole of the same name to the kubestate user.
func bindingOf(role string) *rbacv1.ClusterRoleBinding {
	return &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: role},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: string(Kubestate)}},
		RoleRef:    rbacv1.RoleRef{Kind: "ClusterRole", APIGroup: rbacv1.GroupName, Name: role},
	}
}

func roleName(resource schema.GroupVersionResource) string { return "kubestate-" + resource.Resource }

func ignoreExists(err error) error {
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
