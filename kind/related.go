package kind

import (
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	storagev1 "k8s.io/api/storage/v1"

	"github.com/kubestate/kubestate/internal/workload"
)

// This file says to which other objects an object is related, whatever its kind.

// NodeOf returns the name of the Node that an object is on or about: that of a Pod,
// of a VolumeAttachment, of a ResourceSlice, and a Node itself. It is empty where
// there is none.
func NodeOf(o Object) string {
	switch o := o.(type) {
	case *corev1.Pod:
		return o.Spec.NodeName
	case *corev1.Node:
		return o.Name
	case *storagev1.VolumeAttachment:
		return o.Spec.NodeName
	case *resourcev1.ResourceSlice:
		return valueOr(o.Spec.NodeName, "")
	default:
		return ""
	}
}

// NamespaceOf returns the namespace that an object is in, and of a Namespace its
// name.
func NamespaceOf(o Object) string {
	if n, ok := o.(*corev1.Namespace); ok {
		return n.Name
	}
	return o.GetNamespace()
}

// RelatedReads returns the fields of objects of a table that say to which other objects they
// are related, as Options.Reads names them: what NodeOf, NamespaceOf and package
// internal/workload read.
func RelatedReads(t *Table) []string {
	switch t.New().(type) {
	case *corev1.Pod:
		return append(workload.Reads(), "spec.nodeName")
	case *appsv1.ReplicaSet, *batchv1.Job:
		return workload.Reads()
	case *storagev1.VolumeAttachment, *resourcev1.ResourceSlice:
		return []string{"spec.nodeName"}
	default:
		return nil
	}
}

// GuessOwner guesses from the name alone which Deployment created a ReplicaSet, or which
// CronJob created a Job. It is right for the names that those controllers make; for other
// kinds and names it is not ok. It allocates nothing.
func GuessOwner(kind, name string) (ownerKind, ownerName string, ok bool) {
	owner, ok := workload.Guess(kind, name)
	return owner.Kind, owner.Name, ok
}
