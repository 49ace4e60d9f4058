package kind

import (
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type clusterRoleBinding = rbacv1.ClusterRoleBinding

// ClusterRoleBindings is the table of rbac.authorization.k8s.io/v1 ClusterRoleBinding.
var ClusterRoleBindings = define(Kind[clusterRoleBinding]{
	Resource: Resource{Group: "rbac.authorization.k8s.io", Version: "v1", Name: "clusterrolebindings", Kind: "ClusterRoleBinding", NotDefault: true},
	Identity: labels{label("clusterrolebinding", "name of the ClusterRoleBinding")},
	Reads:    []string{"roleRef.{kind,name}"},
	Begin:    func(b *clusterRoleBinding, e *metric.Emitter, s *metric.Schema) { e.Begin(s, b.Name) },
	Rows: []Row[clusterRoleBinding]{
		annotationsOf("kube_clusterrolebinding_annotations", alpha, "ClusterRoleBinding annotations selected by --metric-annotations-allowlist.",
			func(b *clusterRoleBinding) map[string]string { return b.Annotations }),
		labelsOf("kube_clusterrolebinding_labels", alpha, "ClusterRoleBinding labels selected by --metric-labels-allowlist.",
			func(b *clusterRoleBinding) map[string]string { return b.Labels }),
		each("kube_clusterrolebinding_info", alpha, "Role that the ClusterRoleBinding grants; always 1.", roleLabels,
			func(b *clusterRoleBinding, e *metric.Emitter) { e.Add(1, b.RoleRef.Kind, b.RoleRef.Name) }),
		timestamp("kube_clusterrolebinding_created", alpha, "When the ClusterRoleBinding was created, in Unix seconds.",
			func(b *clusterRoleBinding) *metav1.Time { return &b.CreationTimestamp }),
		resourceVersion("kube_clusterrolebinding_metadata_resource_version", alpha, "Value of metadata.resourceVersion, which changes with the ClusterRoleBinding.",
			func(b *clusterRoleBinding) string { return b.ResourceVersion }),
	},
})
