package kind

import (
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type role = rbacv1.Role

// Roles is the table of rbac.authorization.k8s.io/v1 Role.
var Roles = define(Kind[role]{
	Resource: Resource{Group: "rbac.authorization.k8s.io", Version: "v1", Name: "roles", Kind: "Role", Namespaced: true, NotDefault: true},
	Identity: labels{namespace, label("role", "name of the Role")},
	Reads:    []string{},
	Begin:    func(r *role, e *metric.Emitter, s *metric.Schema) { e.Begin(s, r.Namespace, r.Name) },
	Rows: []Row[role]{
		annotationsOf("kube_role_annotations", alpha, "Role annotations selected by --metric-annotations-allowlist.",
			func(r *role) map[string]string { return r.Annotations }),
		labelsOf("kube_role_labels", alpha, "Role labels selected by --metric-labels-allowlist.",
			func(r *role) map[string]string { return r.Labels }),
		exists[role]("kube_role_info", alpha, "One series per Role; always 1."),
		timestamp("kube_role_created", alpha, "When the Role was created, in Unix seconds.",
			func(r *role) *metav1.Time { return &r.CreationTimestamp }),
		resourceVersion("kube_role_metadata_resource_version", alpha, "Value of metadata.resourceVersion, which changes with the Role.",
			func(r *role) string { return r.ResourceVersion }),
	},
})
