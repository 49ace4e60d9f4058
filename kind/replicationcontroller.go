package kind

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type replicationController = corev1.ReplicationController

// ReplicationControllers is the table of v1 ReplicationController.
var ReplicationControllers = define(Kind[replicationController]{
	Resource: Resource{Version: "v1", Name: "replicationcontrollers", Kind: "ReplicationController", Namespaced: true},
	Identity: labels{namespace, label("replicationcontroller", "name of the ReplicationController")},
	Reads:    []string{"metadata.ownerReferences", "spec.replicas", "status"},
	Begin:    func(r *replicationController, e *metric.Emitter, s *metric.Schema) { e.Begin(s, r.Namespace, r.Name) },
	Rows: []Row[replicationController]{
		timestamp("kube_replicationcontroller_created", stable, "When the ReplicationController was created, in Unix seconds.",
			func(r *replicationController) *metav1.Time { return &r.CreationTimestamp }),
		gauge("kube_replicationcontroller_status_replicas", stable, "Pods the ReplicationController has at present.",
			func(r *replicationController) int32 { return r.Status.Replicas }),
		gauge("kube_replicationcontroller_status_fully_labeled_replicas", stable, "Pods that carry every label of the pod template.",
			func(r *replicationController) int32 { return r.Status.FullyLabeledReplicas }),
		gauge("kube_replicationcontroller_status_ready_replicas", stable, "Pods of the ReplicationController that can take traffic.",
			func(r *replicationController) int32 { return r.Status.ReadyReplicas }),
		gauge("kube_replicationcontroller_status_available_replicas", stable, "Pods of the ReplicationController that have been ready for spec.minReadySeconds.",
			func(r *replicationController) int32 { return r.Status.AvailableReplicas }),
		gauge("kube_replicationcontroller_status_observed_generation", stable, "Last metadata.generation that the controller acted upon.",
			func(r *replicationController) int64 { return r.Status.ObservedGeneration }),
		maybe("kube_replicationcontroller_spec_replicas", stable, "Pods that spec.replicas asks for.",
			func(r *replicationController) *int32 { return r.Spec.Replicas }),
		gauge("kube_replicationcontroller_metadata_generation", stable, "Value of metadata.generation; it grows with every change of the spec.",
			func(r *replicationController) int64 { return r.Generation }),
		each("kube_replicationcontroller_owner", alpha, "One series per owner reference, or one with empty owner labels; always 1.", ownerLabels,
			func(r *replicationController, e *metric.Emitter) { owners(r.OwnerReferences, e) }),
	},
})
