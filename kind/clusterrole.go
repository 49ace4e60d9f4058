package kind

import (
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type clusterRole = rbacv1.ClusterRole

// ClusterRoles is the table of rbac.authorization.k8s.io/v1 ClusterRole.
var ClusterRoles = define(Kind[clusterRole]{
	Resource: Resource{Group: "rbac.authorization.k8s.io", Version: "v1", Name: "clusterroles", Kind: "ClusterRole", NotDefault: true},
	Identity: labels{label("clusterrole", "name of the ClusterRole")},
	Reads:    []string{},
	Begin:    func(r *clusterRole, e *metric.Emitter, s *metric.Schema) { e.Begin(s, r.Name) },
	Rows: []Row[clusterRole]{
		annotationsOf("kube_clusterrole_annotations", alpha, "ClusterRole annotations selected by --metric-annotations-allowlist.",
			func(r *clusterRole) map[string]string { return r.Annotations }),
		labelsOf("kube_clusterrole_labels", alpha, "ClusterRole labels selected by --metric-labels-allowlist.",
			func(r *clusterRole) map[string]string { return r.Labels }),
		exists[clusterRole]("kube_clusterrole_info", alpha, "One series per ClusterRole; always 1."),
		timestamp("kube_clusterrole_created", alpha, "When the ClusterRole was created, in Unix seconds.",
			func(r *clusterRole) *metav1.Time { return &r.CreationTimestamp }),
		resourceVersion("kube_clusterrole_metadata_resource_version", alpha, "Value of metadata.resourceVersion, which changes with the ClusterRole.",
			func(r *clusterRole) string { return r.ResourceVersion }),
	},
})
