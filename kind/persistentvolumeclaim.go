package kind

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type persistentVolumeClaim = corev1.PersistentVolumeClaim

var persistentVolumeClaimPhases = []string{"Lost", "Bound", "Pending"}

// PersistentVolumeClaims is the table of v1 PersistentVolumeClaim.
var PersistentVolumeClaims = define(Kind[persistentVolumeClaim]{
	Resource: Resource{Version: "v1", Name: "persistentvolumeclaims", Kind: "PersistentVolumeClaim", Namespaced: true},
	Identity: labels{namespace, claimName},
	Reads: []string{
		"metadata.annotations",
		"spec.{accessModes,resources.requests,storageClassName,volumeMode,volumeName}",
		"status.{phase,capacity}",
		"status.conditions.{type,status}",
	},
	Begin: func(p *persistentVolumeClaim, e *metric.Emitter, s *metric.Schema) { e.Begin(s, p.Namespace, p.Name) },
	Rows: []Row[persistentVolumeClaim]{
		labelsOf("kube_persistentvolumeclaim_labels", stable, "PersistentVolumeClaim labels selected by --metric-labels-allowlist.",
			func(p *persistentVolumeClaim) map[string]string { return p.Labels }),
		annotationsOf("kube_persistentvolumeclaim_annotations", alpha, "PersistentVolumeClaim annotations selected by --metric-annotations-allowlist.",
			func(p *persistentVolumeClaim) map[string]string { return p.Annotations }),
		each("kube_persistentvolumeclaim_info", stable, "Class and volume of the PersistentVolumeClaim; always 1.",
			labels{storageClassName, volumeName, volumeMode}, persistentVolumeClaimInfo),
		stateset("kube_persistentvolumeclaim_status_phase", stable, "1 for the phase that the PersistentVolumeClaim is in, 0 for every other.",
			phase, persistentVolumeClaimPhases,
			func(p *persistentVolumeClaim) string { return string(p.Status.Phase) }),
		each("kube_persistentvolumeclaim_resource_requests_storage_bytes", stable, "Storage that the PersistentVolumeClaim asks for, in bytes.", nil,
			func(p *persistentVolumeClaim, e *metric.Emitter) {
				oneResource(p.Spec.Resources.Requests, corev1.ResourceStorage, whole, e)
			}),
		each("kube_persistentvolumeclaim_access_mode", stable, "One series of value 1 per way in which the PersistentVolumeClaim asks to mount its volume.", labels{accessMode},
			func(p *persistentVolumeClaim, e *metric.Emitter) {
				for _, m := range p.Spec.AccessModes {
					e.Add(1, string(m))
				}
			}),
		each("kube_persistentvolumeclaim_status_condition", alpha, "1 for the current status of the condition (true, false or unknown), 0 for the other two.",
			labels{condition, status}, func(p *persistentVolumeClaim, e *metric.Emitter) {
				for i := range p.Status.Conditions {
					c := &p.Status.Conditions[i]
					conditionSeries(string(c.Status), e, string(c.Type))
				}
			}),
		timestamp("kube_persistentvolumeclaim_created", alpha, "When the PersistentVolumeClaim was created, in Unix seconds.",
			func(p *persistentVolumeClaim) *metav1.Time { return &p.CreationTimestamp }),
		timestamp("kube_persistentvolumeclaim_deletion_timestamp", alpha, "When the deletion of the PersistentVolumeClaim was asked for, in Unix seconds.",
			func(p *persistentVolumeClaim) *metav1.Time { return p.DeletionTimestamp }),
		beyond(each("kube_persistentvolumeclaim_status_capacity_storage_bytes", alpha, "Storage that the volume of the PersistentVolumeClaim has, in bytes.", nil,
			func(p *persistentVolumeClaim, e *metric.Emitter) {
				oneResource(p.Status.Capacity, corev1.ResourceStorage, whole, e)
			})),
	},
})

// persistentVolumeClaimInfo prefers the class of the legacy annotation to that of the spec,
// even if it is empty.
func persistentVolumeClaimInfo(p *persistentVolumeClaim, e *metric.Emitter) {
	class, ok := p.Annotations[corev1.BetaStorageClassAnnotation]
	if !ok {
		class = valueOr(p.Spec.StorageClassName, "")
	}
	e.Add(1, class, p.Spec.VolumeName, string(valueOr(p.Spec.VolumeMode, "")))
}
