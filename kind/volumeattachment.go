package kind

import (
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type volumeAttachment = storagev1.VolumeAttachment

// VolumeAttachments is the table of storage.k8s.io/v1 VolumeAttachment.
var VolumeAttachments = define(Kind[volumeAttachment]{
	Resource: Resource{Group: "storage.k8s.io", Version: "v1", Name: "volumeattachments", Kind: "VolumeAttachment"},
	Identity: labels{label("volumeattachment", "name of the VolumeAttachment")},
	Reads:    []string{"spec.{attacher,nodeName,source.persistentVolumeName}", "status.{attached,attachmentMetadata}"},
	Begin:    func(v *volumeAttachment, e *metric.Emitter, s *metric.Schema) { e.Begin(s, v.Name) },
	Rows: []Row[volumeAttachment]{
		labelsOf("kube_volumeattachment_labels", alpha, "VolumeAttachment labels selected by --metric-labels-allowlist.",
			func(v *volumeAttachment) map[string]string { return v.Labels }),
		each("kube_volumeattachment_info", alpha, "Which Node the volume is to be attached to and what attaches it; always 1.",
			labels{label("attacher", "name of the driver that attaches the volume"), nodeName},
			func(v *volumeAttachment, e *metric.Emitter) { e.Add(1, v.Spec.Attacher, v.Spec.NodeName) }),
		timestamp("kube_volumeattachment_created", alpha, "When the VolumeAttachment was created, in Unix seconds.",
			func(v *volumeAttachment) *metav1.Time { return &v.CreationTimestamp }),
		each("kube_volumeattachment_spec_source_persistentvolume", alpha, "The PersistentVolume that is to be attached; always 1, absent if the volume is another.",
			labels{volumeName}, func(v *volumeAttachment, e *metric.Emitter) {
				if name := v.Spec.Source.PersistentVolumeName; name != nil {
					e.Add(1, *name)
				}
			}),
		truth("kube_volumeattachment_status_attached", alpha, "1 if the volume is attached, else 0.",
			func(v *volumeAttachment) bool { return v.Status.Attached }),
		mapped("kube_volumeattachment_status_attachment_metadata", alpha, "What the driver says of the attached volume, as labels; always 1.", "metadata", metric.NoAllowList,
			func(v *volumeAttachment) map[string]string { return v.Status.AttachmentMetadata }),
	},
})
