package kind

import (
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/internal/workload"
	"github.com/kubestate/kubestate/metric"
)

type replicaSet = appsv1.ReplicaSet

// ReplicaSets is the table of apps/v1 ReplicaSet.
var ReplicaSets = define(Kind[replicaSet]{
	Resource: Resource{Group: "apps", Version: "v1", Name: "replicasets", Kind: "ReplicaSet", Namespaced: true},
	Identity: labels{namespace, label("replicaset", "name of the ReplicaSet")},
	Reads:    append(workload.Reads(), "metadata.ownerReferences", "spec.replicas", "status"),
	Begin:    func(r *replicaSet, e *metric.Emitter, s *metric.Schema) { e.Begin(s, r.Namespace, r.Name) },
	Rows: []Row[replicaSet]{
		timestamp("kube_replicaset_created", stable, "When the ReplicaSet was created, in Unix seconds.",
			func(r *replicaSet) *metav1.Time { return &r.CreationTimestamp }),
		gauge("kube_replicaset_status_replicas", stable, "Pods the ReplicaSet has at present.",
			func(r *replicaSet) int32 { return r.Status.Replicas }),
		gauge("kube_replicaset_status_fully_labeled_replicas", stable, "Pods that carry every label of the pod template.",
			func(r *replicaSet) int32 { return r.Status.FullyLabeledReplicas }),
		gauge("kube_replicaset_status_ready_replicas", stable, "Pods of the ReplicaSet that can take traffic.",
			func(r *replicaSet) int32 { return r.Status.ReadyReplicas }),
		maybe("kube_replicaset_status_terminating_replicas", alpha, "Pods of the ReplicaSet whose deletion has begun but not ended.",
			func(r *replicaSet) *int32 { return r.Status.TerminatingReplicas }),
		gauge("kube_replicaset_status_observed_generation", stable, "Last metadata.generation that the controller acted upon.",
			func(r *replicaSet) int64 { return r.Status.ObservedGeneration }),
		maybe("kube_replicaset_spec_replicas", stable, "Pods that spec.replicas asks for.",
			func(r *replicaSet) *int32 { return r.Spec.Replicas }),
		gauge("kube_replicaset_metadata_generation", stable, "Value of metadata.generation; it grows with every change of the spec.",
			func(r *replicaSet) int64 { return r.Generation }),
		each("kube_replicaset_owner", stable, "One series per owner reference, or one with empty owner labels.", ownerLabels,
			func(r *replicaSet, e *metric.Emitter) { owners(r.OwnerReferences, e) }),
		annotationsOf("kube_replicaset_annotations", alpha, "ReplicaSet annotations selected by --metric-annotations-allowlist.",
			func(r *replicaSet) map[string]string { return r.Annotations }),
		labelsOf("kube_replicaset_labels", stable, "ReplicaSet labels selected by --metric-labels-allowlist.",
			func(r *replicaSet) map[string]string { return r.Labels }),
		beyond(gauge("kube_replicaset_status_available_replicas", alpha, "Pods of the ReplicaSet that have been ready for spec.minReadySeconds.",
			func(r *replicaSet) int32 { return r.Status.AvailableReplicas })),
	},
})
