package cluster

import (
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GrantRole creates the ClusterRole in a file and binds it to the kubestate user. It
// returns the resources in the role, and a function that removes it.
func (c *Cluster) GrantRole(t testing.TB, file string) (resources []schema.GroupResource, revoke func()) {
	t.Helper()
	role := readRole(t, file)
	client := c.client(t).RbacV1()
	if _, err := client.ClusterRoles().Create(t.Context(), role, metav1.CreateOptions{}); err != nil {
		t.Fatalf("grant %s: %v", file, err)
	}
	if _, err := client.ClusterRoleBindings().Create(t.Context(), bindingOf(role.Name), metav1.CreateOptions{}); err != nil {
		t.Fatalf("grant %s: %v", file, err)
	}
	for _, rule := range role.Rules {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				resources = append(resources, schema.GroupResource{Group: group, Resource: resource})
			}
		}
	}
	return resources, func() {
		t.Helper()
		if err := client.ClusterRoleBindings().Delete(t.Context(), role.Name, metav1.DeleteOptions{}); err != nil {
			t.Errorf("revoke %s: %v", file, err)
		}
		if err := client.ClusterRoles().Delete(t.Context(), role.Name, metav1.DeleteOptions{}); err != nil {
			t.Errorf("revoke %s: %v", file, err)
		}
	}
}

func readRole(t testing.TB, file string) *rbacv1.ClusterRole {
	t.Helper()
	objects := readObjects(t, file)
	if len(objects) != 1 || objects[0].GetKind() != "ClusterRole" {
		t.Fatalf("read a role: %s does not hold one ClusterRole", file)
	}
	role := &rbacv1.ClusterRole{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(objects[0].Object, role, true); err != nil {
		t.Fatalf("read a role: %s: %v", file, err)
	}
	return role
}

// GrantIn creates the Role in a file in a namespace and binds it to the kubestate user
// there. It returns a function that removes it.
func (c *Cluster) GrantIn(t testing.TB, namespace, file string) (revoke func()) {
	t.Helper()
	objects := readObjects(t, file)
	if len(objects) != 1 || objects[0].GetKind() != "Role" {
		t.Fatalf("read a role: %s does not hold one Role", file)
	}
	role := &rbacv1.Role{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(objects[0].Object, role, true); err != nil {
		t.Fatalf("read a role: %s: %v", file, err)
	}
	client := c.client(t).RbacV1()
	if _, err := client.Roles(namespace).Create(t.Context(), role, metav1.CreateOptions{}); err != nil {
		t.Fatalf("grant %s: %v", file, err)
	}
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: role.Name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: string(Kubestate)}},
		RoleRef:    rbacv1.RoleRef{Kind: "Role", APIGroup: rbacv1.GroupName, Name: role.Name},
	}
	if _, err := client.RoleBindings(namespace).Create(t.Context(), binding, metav1.CreateOptions{}); err != nil {
		t.Fatalf("grant %s: %v", file, err)
	}
	return func() {
		t.Helper()
		if err := client.RoleBindings(namespace).Delete(t.Context(), role.Name, metav1.DeleteOptions{}); err != nil {
			t.Errorf("revoke %s: %v", file, err)
		}
		if err := client.Roles(namespace).Delete(t.Context(), role.Name, metav1.DeleteOptions{}); err != nil {
			t.Errorf("revoke %s: %v", file, err)
		}
	}
}
