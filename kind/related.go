package kind

import (
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	storagev1 "k8s.io/api/storage/v1"
)

// This file says which other objects an object leads to, whatever its kind.

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

// ChainOf returns the workload that an object belongs to, as kube_pod_workload has
// it, through its controller or else its first owner. Where that depends on what
// owns the owner, ask is the owner, and ask.Workload the rest of the way. Pods,
// ReplicaSets and Jobs have a workload, and what can be one is its own; of others
// it is not ok.
func ChainOf(o Object) (w Workload, ask Owned, ok bool) {
	switch o := o.(type) {
	case *corev1.Pod:
		r := mainReference(o.OwnerReferences)
		if r == nil {
			return Workload{o.Name, "barepod"}, Owned{}, true
		}
		w, ask = throughOwner(o, r)
	case *appsv1.ReplicaSet:
		owner, told := ownerByHash(o.Labels, o.Name)
		if !told {
			owner = mainOwner(o.OwnerReferences)
		}
		w = Owned{"ReplicaSet", o.Namespace, o.Name}.Workload(owner)
	case *batchv1.Job:
		w = Owned{"Job", o.Namespace, o.Name}.Workload(mainOwner(o.OwnerReferences))
	case *appsv1.Deployment:
		w = Workload{o.Name, "deployment"}
	case *appsv1.StatefulSet:
		w = Workload{o.Name, "statefulset"}
	case *appsv1.DaemonSet:
		w = Workload{o.Name, "daemonset"}
	case *batchv1.CronJob:
		w = Workload{o.Name, "CronJob"}
	default:
		return Workload{}, Owned{}, false
	}
	return w, ask, true
}

// RelatedReads returns the fields that NodeOf, NamespaceOf and ChainOf read of
// objects of a table, as Options.Reads has them.
func RelatedReads(t *Table) []string {
	switch t.New().(type) {
	case *corev1.Pod:
		return []string{"spec.nodeName", labelsField, "metadata.ownerReferences"}
	case *appsv1.ReplicaSet, *batchv1.Job:
		return []string{labelsField, "metadata.ownerReferences"}
	case *storagev1.VolumeAttachment, *resourcev1.ResourceSlice:
		return []string{"spec.nodeName"}
	default:
		return nil
	}
}
