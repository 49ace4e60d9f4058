package cluster

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	storageClass = "gp3"
	csiDriver    = "ebs.csi.example.com"
)

// storageClasses makes the classes of volumes, of which claims name one.
func (g *generator) storageClasses() error {
	for _, name := range []string{storageClass, "io2", "shared"} {
		class := &storagev1.StorageClass{
			ObjectMeta: metav1.ObjectMeta{
				Name: name, UID: g.uid(), CreationTimestamp: g.ago(g.between(200*24*time.Hour, 600*24*time.Hour)),
			},
			Provisioner:          csiDriver,
			Parameters:           map[string]string{"type": name},
			ReclaimPolicy:        new(corev1.PersistentVolumeReclaimDelete),
			VolumeBindingMode:    new(storagev1.VolumeBindingWaitForFirstConsumer),
			AllowVolumeExpansion: new(true),
		}
		if err := g.put(class, "helm", "", "storage.k8s.io/v1", nil); err != nil {
			return err
		}
	}
	return nil
}

// volume makes the claim that a pod of a StatefulSet mounts, the volume bound to
// it and, where the pod has a node, the attachment there.
func (g *generator) volume(pod *corev1.Pod, labels map[string]string) error {
	claim := g.claim(pod, labels)
	if err := g.put(claim, "kube-controller-manager", "kube-controller-manager", "v1", nil); err != nil {
		return err
	}
	volume := g.persistentVolume(claim)
	if err := g.put(volume, "csi-provisioner", "kube-controller-manager", "v1", nil); err != nil {
		return err
	}
	if pod.Spec.NodeName == "" {
		return nil
	}
	attachment := &storagev1.VolumeAttachment{
		ObjectMeta: metav1.ObjectMeta{
			Name: "csi-" + g.digest()[len("sha256:"):], UID: g.uid(), CreationTimestamp: pod.CreationTimestamp},
		Spec: storagev1.VolumeAttachmentSpec{
			Attacher: csiDriver, NodeName: pod.Spec.NodeName,
			Source: storagev1.VolumeAttachmentSource{PersistentVolumeName: new(volume.Name)}},
		Status: storagev1.VolumeAttachmentStatus{Attached: true, AttachmentMetadata: map[string]string{"devicePath": "/dev/xvdba"}},
	}
	return g.put(attachment, "kube-controller-manager", "csi-attacher", "storage.k8s.io/v1", nil)
}

func (g *generator) claim(pod *corev1.Pod, labels map[string]string) *corev1.PersistentVolumeClaim {
	claim := dataClaim()
	claim.ObjectMeta = g.meta(pod.Namespace, "data-"+pod.Name, pod.CreationTimestamp, labels)
	claim.Annotations = map[string]string{
		"pv.kubernetes.io/bind-completed":               "yes",
		"volume.kubernetes.io/selected-node":            pod.Spec.NodeName,
		"volume.kubernetes.io/storage-provisioner":      csiDriver,
		"volume.beta.kubernetes.io/storage-provisioner": csiDriver,
	}
	claim.Finalizers = []string{"kubernetes.io/pvc-protection"}
	claim.Spec.VolumeName = "pvc-" + string(claim.UID)
	claim.Status = corev1.PersistentVolumeClaimStatus{
		Phase: corev1.ClaimBound, AccessModes: claim.Spec.AccessModes, Capacity: claim.Spec.Resources.Requests,
	}
	return &claim
}

func (g *generator) persistentVolume(claim *corev1.PersistentVolumeClaim) *corev1.PersistentVolume {
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{
			Name: claim.Spec.VolumeName, UID: g.uid(), CreationTimestamp: claim.CreationTimestamp,
			Annotations: map[string]string{"pv.kubernetes.io/provisioned-by": csiDriver},
			Finalizers:  []string{"kubernetes.io/pv-protection"},
		},
		Spec: corev1.PersistentVolumeSpec{
			Capacity:    claim.Spec.Resources.Requests,
			AccessModes: claim.Spec.AccessModes,
			PersistentVolumeSource: corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{
				Driver: csiDriver, FSType: "ext4", VolumeHandle: fmt.Sprintf("vol-%017x", g.rand.Uint64()>>4)}},
			ClaimRef: &corev1.ObjectReference{APIVersion: "v1", Kind: "PersistentVolumeClaim",
				Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID, ResourceVersion: claim.ResourceVersion},
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimDelete,
			StorageClassName:              storageClass,
			VolumeMode:                    claim.Spec.VolumeMode,
		},
		Status: corev1.PersistentVolumeStatus{Phase: corev1.VolumeBound},
	}
}

// dataClaim is the claim template of StatefulSets.
func dataClaim() corev1.PersistentVolumeClaim {
	return corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: "data"},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources: corev1.VolumeResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("20Gi")}},
			StorageClassName: new(storageClass),
			VolumeMode:       new(corev1.PersistentVolumeFilesystem),
		},
	}
}
