package kind

import (
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type podDisruptionBudget = policyv1.PodDisruptionBudget

// PodDisruptionBudgets is the table of policy/v1 PodDisruptionBudget.
var PodDisruptionBudgets = define(Kind[podDisruptionBudget]{
	Resource: Resource{Group: "policy", Version: "v1", Name: "poddisruptionbudgets", Kind: "PodDisruptionBudget", Namespaced: true},
	Identity: labels{namespace, label("poddisruptionbudget", "name of the PodDisruptionBudget")},
	Reads:    []string{"status.{currentHealthy,desiredHealthy,disruptionsAllowed,expectedPods,observedGeneration}"},
	Begin:    func(p *podDisruptionBudget, e *metric.Emitter, s *metric.Schema) { e.Begin(s, p.Namespace, p.Name) },
	Rows: []Row[podDisruptionBudget]{
		annotationsOf("kube_poddisruptionbudget_annotations", alpha, "PodDisruptionBudget annotations selected by --metric-annotations-allowlist.",
			func(p *podDisruptionBudget) map[string]string { return p.Annotations }),
		labelsOf("kube_poddisruptionbudget_labels", alpha, "PodDisruptionBudget labels selected by --metric-labels-allowlist.",
			func(p *podDisruptionBudget) map[string]string { return p.Labels }),
		timestamp("kube_poddisruptionbudget_created", stable, "When the PodDisruptionBudget was created, in Unix seconds.",
			func(p *podDisruptionBudget) *metav1.Time { return &p.CreationTimestamp }),
		gauge("kube_poddisruptionbudget_status_current_healthy", stable, "Pods under the budget that are healthy.",
			func(p *podDisruptionBudget) int32 { return p.Status.CurrentHealthy }),
		gauge("kube_poddisruptionbudget_status_desired_healthy", stable, "Pods under the budget that must be healthy at least.",
			func(p *podDisruptionBudget) int32 { return p.Status.DesiredHealthy }),
		gauge("kube_poddisruptionbudget_status_pod_disruptions_allowed", stable, "Pods that may be evicted now.",
			func(p *podDisruptionBudget) int32 { return p.Status.DisruptionsAllowed }),
		gauge("kube_poddisruptionbudget_status_expected_pods", stable, "Pods that the budget counts in all.",
			func(p *podDisruptionBudget) int32 { return p.Status.ExpectedPods }),
		gauge("kube_poddisruptionbudget_status_observed_generation", stable, "Last metadata.generation that the controller acted upon.",
			func(p *podDisruptionBudget) int64 { return p.Status.ObservedGeneration }),
		timestamp("kube_poddisruptionbudget_deletion_timestamp", alpha, "When the deletion of the PodDisruptionBudget was asked for, in Unix seconds.",
			func(p *podDisruptionBudget) *metav1.Time { return p.DeletionTimestamp }),
	},
})
