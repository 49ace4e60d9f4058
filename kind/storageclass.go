package kind

import (
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type storageClass = storagev1.StorageClass

// StorageClasses is the table of storage.k8s.io/v1 StorageClass.
var StorageClasses = define(Kind[storageClass]{
	Resource: Resource{Group: "storage.k8s.io", Version: "v1", Name: "storageclasses", Kind: "StorageClass"},
	Identity: labels{storageClassName},
	Reads:    []string{"provisioner", "reclaimPolicy", "volumeBindingMode"},
	Begin:    func(c *storageClass, e *metric.Emitter, s *metric.Schema) { e.Begin(s, c.Name) },
	Rows: []Row[storageClass]{
		each("kube_storageclass_info", stable, "How volumes of the StorageClass come and go; always 1.", labels{
			label("provisioner", "name of what makes the volumes"),
			reclaimPolicy,
			label("volume_binding_mode", "when a volume is bound to a claim: Immediate, or WaitForFirstConsumer for when a Pod uses the claim"),
		}, func(c *storageClass, e *metric.Emitter) {
			e.Add(1, c.Provisioner,
				string(valueOr(c.ReclaimPolicy, corev1.PersistentVolumeReclaimDelete)),
				string(valueOr(c.VolumeBindingMode, storagev1.VolumeBindingImmediate)))
		}),
		timestamp("kube_storageclass_created", stable, "When the StorageClass was created, in Unix seconds.",
			func(c *storageClass) *metav1.Time { return &c.CreationTimestamp }),
		annotationsOf("kube_storageclass_annotations", alpha, "StorageClass annotations selected by --metric-annotations-allowlist.",
			func(c *storageClass) map[string]string { return c.Annotations }),
		labelsOf("kube_storageclass_labels", stable, "StorageClass labels selected by --metric-labels-allowlist.",
			func(c *storageClass) map[string]string { return c.Labels }),
	},
})
