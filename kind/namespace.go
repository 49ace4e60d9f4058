package kind

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

// Namespaces is the table of v1 Namespace.
var Namespaces = define(Kind[corev1.Namespace]{
	Resource: Resource{Version: "v1", Name: "namespaces", Kind: "Namespace"},
	Identity: labels{label("namespace", "name of the Namespace")},
	Reads:    []string{"status.phase", "status.conditions.{type,status}"},
	Begin:    func(n *corev1.Namespace, e *metric.Emitter, s *metric.Schema) { e.Begin(s, n.Name) },
	Rows: []Row[corev1.Namespace]{
		timestamp("kube_namespace_created", stable, "When the Namespace was created, in Unix seconds.",
			func(n *corev1.Namespace) *metav1.Time { return &n.CreationTimestamp }),
		annotationsOf("kube_namespace_annotations", alpha, "Namespace annotations selected by --metric-annotations-allowlist.",
			func(n *corev1.Namespace) map[string]string { return n.Annotations }),
		labelsOf("kube_namespace_labels", stable, "Namespace labels selected by --metric-labels-allowlist.",
			func(n *corev1.Namespace) map[string]string { return n.Labels }),
		each("kube_namespace_status_phase", stable, "1 for the phase that the Namespace is in, 0 for the other.", labels{phase},
			func(n *corev1.Namespace, e *metric.Emitter) {
				e.Add(metric.Float(n.Status.Phase == corev1.NamespaceActive), "Active")
				e.Add(metric.Float(n.Status.Phase == corev1.NamespaceTerminating), "Terminating")
			}),
		each("kube_namespace_status_condition", alpha, "1 for the current status of the condition (true, false or unknown), 0 for the other two.", labels{condition, status},
			func(n *corev1.Namespace, e *metric.Emitter) {
				for i := range n.Status.Conditions {
					c := &n.Status.Conditions[i]
					conditionSeries(string(c.Status), e, string(c.Type))
				}
			}),
	},
})
