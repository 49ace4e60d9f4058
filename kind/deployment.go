package kind

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kubestate/kubestate/metric"
)

type deployment = appsv1.Deployment

// Deployments is the table of apps/v1 Deployment.
var Deployments = define(Kind[deployment]{
	Resource: Resource{Group: "apps", Version: "v1", Name: "deployments", Kind: "Deployment", Namespaced: true},
	Identity: labels{namespace, label("deployment", "name of the Deployment")},
	Reads:    []string{"metadata.ownerReferences", "spec.{replicas,paused,strategy}", "status"},
	Begin:    func(d *deployment, e *metric.Emitter, s *metric.Schema) { e.Begin(s, d.Namespace, d.Name) },
	Rows: []Row[deployment]{
		each("kube_deployment_owner", alpha, "One series per owner reference, or one with empty owner labels; always 1.",
			labels{ownerKind, ownerName}, deploymentOwners),
		timestamp("kube_deployment_created", stable, "When the Deployment was created, in Unix seconds.",
			func(d *deployment) *metav1.Time { return &d.CreationTimestamp }),
		gauge("kube_deployment_status_replicas", stable, "Pods the Deployment has at present.",
			func(d *deployment) int32 { return d.Status.Replicas }),
		gauge("kube_deployment_status_replicas_ready", stable, "Pods of the Deployment that can take traffic.",
			func(d *deployment) int32 { return d.Status.ReadyReplicas }),
		gauge("kube_deployment_status_replicas_available", stable, "Pods of the Deployment that have been ready for spec.minReadySeconds.",
			func(d *deployment) int32 { return d.Status.AvailableReplicas }),
		gauge("kube_deployment_status_replicas_unavailable", stable, "Pods the Deployment still lacks to be fully available.",
			func(d *deployment) int32 { return d.Status.UnavailableReplicas }),
		gauge("kube_deployment_status_replicas_updated", stable, "Pods of the Deployment that are made from the current template.",
			func(d *deployment) int32 { return d.Status.UpdatedReplicas }),
		maybe("kube_deployment_status_terminating_replicas", alpha, "Pods of the Deployment whose deletion has begun but not ended.",
			func(d *deployment) *int32 { return d.Status.TerminatingReplicas }),
		gauge("kube_deployment_status_observed_generation", stable, "Last metadata.generation that the controller acted upon.",
			func(d *deployment) int64 { return d.Status.ObservedGeneration }),
		each("kube_deployment_status_condition", stable, "1 for the current status of the condition (true, false or unknown), 0 for the other two.",
			labels{reason, condition, status}, deploymentConditions),
		maybe("kube_deployment_spec_replicas", stable, "Pods that spec.replicas asks for.",
			func(d *deployment) *int32 { return d.Spec.Replicas }),
		truth("kube_deployment_spec_paused", stable, "1 if changes of the Deployment are not rolled out for now, else 0.",
			func(d *deployment) bool { return d.Spec.Paused }),
		each("kube_deployment_spec_strategy_rollingupdate_max_unavailable", stable, "Pods that may be unavailable during a rolling update.", nil,
			func(d *deployment, e *metric.Emitter) {
				if r := d.Spec.Strategy.RollingUpdate; r != nil {
					scaled(r.MaxUnavailable, d.Spec.Replicas, false, e)
				}
			}),
		each("kube_deployment_spec_strategy_rollingupdate_max_surge", stable, "Pods that may exist beyond spec.replicas during a rolling update.", nil,
			func(d *deployment, e *metric.Emitter) {
				if r := d.Spec.Strategy.RollingUpdate; r != nil {
					scaled(r.MaxSurge, d.Spec.Replicas, true, e)
				}
			}),
		gauge("kube_deployment_metadata_generation", stable, "Value of metadata.generation; it grows with every change of the spec.",
			func(d *deployment) int64 { return d.Generation }),
		timestamp("kube_deployment_deletion_timestamp", alpha, "When the deletion of the Deployment was asked for, in Unix seconds.",
			func(d *deployment) *metav1.Time { return d.DeletionTimestamp }),
		annotationsOf("kube_deployment_annotations", alpha, "Deployment annotations selected by --metric-annotations-allowlist.",
			func(d *deployment) map[string]string { return d.Annotations }),
		labelsOf("kube_deployment_labels", stable, "Deployment labels selected by --metric-labels-allowlist.",
			func(d *deployment) map[string]string { return d.Labels }),
	},
})

// deploymentOwners differs from owners by the label owner_is_controller, which
// Deployments do not have.
func deploymentOwners(d *deployment, e *metric.Emitter) {
	if len(d.OwnerReferences) == 0 {
		e.Add(1, "", "")
	}
	for i := range d.OwnerReferences {
		o := &d.OwnerReferences[i]
		e.Add(1, o.Kind, o.Name)
	}
}

// deploymentReasons are the values of the label reason, in addition to the empty one and to
// unknown, which stands for all others.
var deploymentReasons = []string{
	"", "ReplicaSetUpdated", "ReplicaSetCreateError", "NewReplicaSetCreated", "FoundNewReplicaSet", "NewReplicaSetAvailable",
	"ProgressDeadlineExceeded", "DeploymentPaused", "DeploymentResumed", "MinimumReplicasAvailable", "MinimumReplicasUnavailable",
}

func deploymentConditions(d *deployment, e *metric.Emitter) {
	for i := range d.Status.Conditions {
		c := &d.Status.Conditions[i]
		r := c.Reason
		if !slices.Contains(deploymentReasons, r) {
			r = "unknown"
		}
		conditionSeries(string(c.Status), e, r, string(c.Type))
	}
}

// scaled emits v as a number of replicas, or nothing if v or replicas is not set or v is
// neither a number nor a percentage.
func scaled(v *intstr.IntOrString, replicas *int32, roundUp bool, e *metric.Emitter) {
	if v == nil || replicas == nil {
		return
	}
	if n, err := intstr.GetScaledValueFromIntOrPercent(v, int(*replicas), roundUp); err == nil {
		e.Add(float64(n))
	}
}
