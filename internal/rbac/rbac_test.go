package rbac_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"

	"github.com/kubestate/kubestate/internal/rbac"
	"github.com/kubestate/kubestate/kind"
)

func resources() []kind.Resource {
	return []kind.Resource{
		{Name: "pods", Namespaced: true}, {Name: "nodes"}, {Group: "apps", Name: "deployments", Namespaced: true},
	}
}

func TestYAML(t *testing.T) {
	for _, test := range []struct {
		name   string
		config rbac.Config
		want   string
	}{
		{"everything everywhere", rbac.Config{Resources: resources()}, `
ClusterRole kubestate: list,watch nodes,pods in "" (metrics)
ClusterRole kubestate: list,watch deployments in "apps" (metrics)
ClusterRoleBinding kubestate → ClusterRole kubestate for monitoring/ksm`},
		{"two namespaces, one named twice", rbac.Config{Resources: resources(), Namespaces: []string{"shop", "billing", "shop"}}, `
ClusterRole kubestate: list,watch nodes in "" (metrics)
ClusterRoleBinding kubestate → ClusterRole kubestate for monitoring/ksm
Role billing/kubestate: list,watch pods in "" (metrics)
Role billing/kubestate: list,watch deployments in "apps" (metrics)
RoleBinding billing/kubestate → Role kubestate for monitoring/ksm
Role shop/kubestate: list,watch pods in "" (metrics)
Role shop/kubestate: list,watch deployments in "apps" (metrics)
RoleBinding shop/kubestate → Role kubestate for monitoring/ksm`},
		{"no rights in the cluster", rbac.Config{
			Resources: resources(), Namespaces: []string{"shop"}, NamespacedOnly: true, AuthFilter: true, ClusterID: true, CustomResources: true,
		}, `
Role shop/kubestate: list,watch pods in "" (metrics)
Role shop/kubestate: list,watch deployments in "apps" (metrics)
RoleBinding shop/kubestate → Role kubestate for monitoring/ksm`},
		{"everything that needs a permission of its own", rbac.Config{
			OwnNamespace: "monitoring", AutoSharding: true, Lease: "ksm", LeaseNamespace: "monitoring", AuthFilter: true, ClusterID: true, CustomResources: true,
		}, `
ClusterRole kubestate: list,watch customresourcedefinitions in "apiextensions.k8s.io" (find the custom resources that are served)
ClusterRole kubestate: create tokenreviews in "authentication.k8s.io" (--auth-filter: who is the scraper)
ClusterRole kubestate: create subjectaccessreviews in "authorization.k8s.io" (--auth-filter: may the scraper read /metrics)
ClusterRole kubestate: get namespaces kube-system in "" (agent: the cluster ID is the UID of kube-system)
ClusterRoleBinding kubestate → ClusterRole kubestate for monitoring/ksm
Role monitoring/kubestate: get pods in "" (automatic sharding: which StatefulSet does this Pod belong to)
Role monitoring/kubestate: get,list,watch statefulsets in "apps" (automatic sharding: how many shards are there)
Role monitoring/kubestate: get,update leases ksm in "coordination.k8s.io" (leader election)
Role monitoring/kubestate: create leases in "coordination.k8s.io" (leader election: create cannot be limited to a name)
RoleBinding monitoring/kubestate → Role kubestate for monitoring/ksm`},
		{"nothing", rbac.Config{}, "\n"},
	} {
		text := rbac.YAML("kubestate", test.config.Needs(), &rbac.Subject{Name: "ksm", Namespace: "monitoring"})
		if diff := cmp.Diff(strings.TrimPrefix(test.want, "\n"), summary(t, text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s\n%s", test.name, diff, text)
		}
	}
}

// summary reads manifests strictly, as the API server does, and the comments in
// them, and returns a line for each rule and binding.
func summary(t *testing.T, text []byte) string {
	t.Helper()
	var lines []string
	for document := range strings.SplitSeq(string(text), "---\n") {
		if document == "" {
			continue
		}
		var reasons []string
		for line := range strings.Lines(document) {
			if reason, ok := strings.CutPrefix(line, "# "); ok {
				reasons = append(reasons, strings.TrimSpace(reason))
			}
		}
		if strings.Contains(document, "roleRef:") {
			var b rbacv1.RoleBinding // of the same shape as a ClusterRoleBinding
			if err := yaml.UnmarshalStrict([]byte(document), &b); err != nil {
				t.Fatal(err)
			}
			lines = append(lines, fmt.Sprintf("%s %s → %s %s for %s/%s", b.Kind, nameOf(b.Namespace, b.Name),
				b.RoleRef.Kind, b.RoleRef.Name, b.Subjects[0].Namespace, b.Subjects[0].Name))
			continue
		}
		var r rbacv1.Role // of the same shape as a ClusterRole
		if err := yaml.UnmarshalStrict([]byte(document), &r); err != nil {
			t.Fatal(err)
		}
		for i, rule := range r.Rules {
			what := strings.Join(append([]string{strings.Join(rule.Resources, ",")}, rule.ResourceNames...), " ")
			lines = append(lines, fmt.Sprintf("%s %s: %s %s in %q (%s)", r.Kind, nameOf(r.Namespace, r.Name),
				strings.Join(rule.Verbs, ","), what, strings.Join(rule.APIGroups, ","), reasons[i]))
		}
	}
	return strings.Join(lines, "\n")
}

func nameOf(namespace, name string) string {
	if namespace == "" {
		return name
	}
	return namespace + "/" + name
}

func TestMissing(t *testing.T) {
	config := rbac.Config{Resources: resources(), Namespaces: []string{"shop"}, OwnNamespace: "monitoring", Lease: "ksm", LeaseNamespace: "monitoring"}
	var asked []string
	refuse := func(_ context.Context, path string, body []byte) ([]byte, error) {
		var review authorizationv1.SelfSubjectAccessReview
		if err := json.Unmarshal(body, &review); err != nil || path != "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews" {
			t.Errorf("post to %s: %s: %v", path, body, err)
		}
		a := review.Spec.ResourceAttributes
		asked = append(asked, fmt.Sprintf("%s %s/%s %s in %q", a.Verb, a.Group, a.Resource, a.Name, a.Namespace))
		review.Status.Allowed = a.Verb != "watch" && a.Resource != "leases"
		return json.Marshal(review)
	}
	missing, err := rbac.Missing(t.Context(), config.Needs(), refuse)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range missing {
		got = append(got, n.String())
	}
	want := []string{
		"watch nodes", "get leases.coordination.k8s.io ksm in namespace monitoring",
		"update leases.coordination.k8s.io ksm in namespace monitoring", "create leases.coordination.k8s.io in namespace monitoring",
		"watch pods in namespace shop", "watch deployments.apps in namespace shop",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("missing (-want +got):\n%s", diff)
	}
	if len(asked) != 9 {
		t.Errorf("asked %q, want a review for each of 9 verbs of resources", asked)
	}
}

func TestMissingFails(t *testing.T) {
	config := rbac.Config{Resources: resources()}
	_, err := rbac.Missing(t.Context(), config.Needs(), func(context.Context, string, []byte) ([]byte, error) {
		return nil, errors.New("connection refused")
	})
	if want := "ask whether list nodes is allowed: connection refused"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
