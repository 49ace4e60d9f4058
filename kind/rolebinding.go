package kind

import (
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type roleBinding = rbacv1.RoleBinding

// RoleBindings is the table of rbac.authorization.k8s.io/v1 RoleBinding.
var RoleBindings = define(Kind[roleBinding]{
	Resource: Resource{Group: "rbac.authorization.k8s.io", Version: "v1", Name: "rolebindings", Kind: "RoleBinding", Namespaced: true, NotDefault: true},
	Identity: labels{namespace, label("rolebinding", "name of the RoleBinding")},
	Reads:    []string{"roleRef.{kind,name}"},
	Begin:    func(b *roleBinding, e *metric.Emitter, s *metric.Schema) { e.Begin(s, b.Namespace, b.Name) },
	Rows: []Row[roleBinding]{
		annotationsOf("kube_rolebinding_annotations", alpha, "RoleBinding annotations selected by --metric-annotations-allowlist.",
			func(b *roleBinding) map[string]string { return b.Annotations }),
		labelsOf("kube_rolebinding_labels", alpha, "RoleBinding labels selected by --metric-labels-allowlist.",
			func(b *roleBinding) map[string]string { return b.Labels }),
		each("kube_rolebinding_info", alpha, "Role that the RoleBinding grants; always 1.", roleLabels,
			func(b *roleBinding, e *metric.Emitter) { e.Add(1, b.RoleRef.Kind, b.RoleRef.Name) }),
		timestamp("kube_rolebinding_created", alpha, "When the RoleBinding was created, in Unix seconds.",
			func(b *roleBinding) *metav1.Time { return &b.CreationTimestamp }),
		resourceVersion("kube_rolebinding_metadata_resource_version", alpha, "Value of metadata.resourceVersion, which changes with the RoleBinding.",
			func(b *roleBinding) string { return b.ResourceVersion }),
	},
})
