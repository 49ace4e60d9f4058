package kind

import (
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type statefulSet = appsv1.StatefulSet

var revision = label("revision", "name of the ControllerRevision")

// StatefulSets is the table of apps/v1 StatefulSet.
var StatefulSets = define(Kind[statefulSet]{
	Resource: Resource{Group: "apps", Version: "v1", Name: "statefulsets", Kind: "StatefulSet", Namespaced: true},
	Identity: labels{namespace, label("statefulset", "name of the StatefulSet")},
	Reads:    []string{"spec.{replicas,ordinals,persistentVolumeClaimRetentionPolicy}", "status"},
	Begin:    func(s *statefulSet, e *metric.Emitter, schema *metric.Schema) { e.Begin(schema, s.Namespace, s.Name) },
	Rows: []Row[statefulSet]{
		timestamp("kube_statefulset_created", stable, "When the StatefulSet was created, in Unix seconds.",
			func(s *statefulSet) *metav1.Time { return &s.CreationTimestamp }),
		gauge("kube_statefulset_status_replicas", stable, "Pods the StatefulSet has at present.",
			func(s *statefulSet) int32 { return s.Status.Replicas }),
		gauge("kube_statefulset_status_replicas_available", stable, "Pods of the StatefulSet that have been ready for spec.minReadySeconds.",
			func(s *statefulSet) int32 { return s.Status.AvailableReplicas }),
		gauge("kube_statefulset_status_replicas_current", stable, "Pods of the StatefulSet that are of its current revision.",
			func(s *statefulSet) int32 { return s.Status.CurrentReplicas }),
		gauge("kube_statefulset_status_replicas_ready", stable, "Pods of the StatefulSet that can take traffic.",
			func(s *statefulSet) int32 { return s.Status.ReadyReplicas }),
		gauge("kube_statefulset_status_replicas_updated", stable, "Pods of the StatefulSet that are of its update revision.",
			func(s *statefulSet) int32 { return s.Status.UpdatedReplicas }),
		gauge("kube_statefulset_status_observed_generation", stable, "Last metadata.generation that the controller acted upon.",
			func(s *statefulSet) int64 { return s.Status.ObservedGeneration }),
		maybe("kube_statefulset_replicas", stable, "Pods that spec.replicas asks for.",
			func(s *statefulSet) *int32 { return s.Spec.Replicas }),
		maybe("kube_statefulset_ordinals_start", stable, "Number of the first Pod, if the StatefulSet says where to start.", firstOrdinal),
		gauge("kube_statefulset_metadata_generation", stable, "Value of metadata.generation; it grows with every change of the spec.",
			func(s *statefulSet) int64 { return s.Generation }),
		each("kube_statefulset_persistentvolumeclaim_retention_policy", stable, "What becomes of the PersistentVolumeClaims of the StatefulSet, if it says so; always 1.", labels{
			label("when_deleted", "what becomes of them when the StatefulSet is deleted: Retain or Delete"),
			label("when_scaled", "what becomes of those that scaling down leaves without Pod: Retain or Delete"),
		}, claimRetention),
		annotationsOf("kube_statefulset_annotations", stable, "StatefulSet annotations selected by --metric-annotations-allowlist.",
			func(s *statefulSet) map[string]string { return s.Annotations }),
		labelsOf("kube_statefulset_labels", stable, "StatefulSet labels selected by --metric-labels-allowlist.",
			func(s *statefulSet) map[string]string { return s.Labels }),
		info("kube_statefulset_status_current_revision", stable, "Revision that Pods have which are not updated yet; always 1.", revision,
			func(s *statefulSet) string { return s.Status.CurrentRevision }),
		info("kube_statefulset_status_update_revision", stable, "Revision that Pods have which are updated; always 1.", revision,
			func(s *statefulSet) string { return s.Status.UpdateRevision }),
		timestamp("kube_statefulset_deletion_timestamp", stable, "When the deletion of the StatefulSet was asked for, in Unix seconds.",
			func(s *statefulSet) *metav1.Time { return s.DeletionTimestamp }),
	},
})

func firstOrdinal(s *statefulSet) *int32 {
	if s.Spec.Ordinals == nil {
		return nil
	}
	return &s.Spec.Ordinals.Start
}

func claimRetention(s *statefulSet, e *metric.Emitter) {
	p := s.Spec.PersistentVolumeClaimRetentionPolicy
	if p != nil && (p.WhenDeleted != "" || p.WhenScaled != "") {
		e.Add(1, string(p.WhenDeleted), string(p.WhenScaled))
	}
}
