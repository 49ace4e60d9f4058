package apiserver

import (
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Object is any API object: a typed one from k8s.io/api or an
// unstructured.Unstructured.
type Object interface {
	runtime.Object
	metav1.Object
}

// Resource says how the objects of one kind are named, addressed and encoded.
type Resource struct {
	Group      string // empty for the core group
	Version    string
	Name       string // plural as in paths; unique within a Store
	Kind       string
	Namespaced bool
	ShortNames []string
	// New makes an empty object of the kind. Nil means a custom resource: its
	// objects are unstructured and, as on the real server, served as JSON only.
	New func() Object
}

// Resources lists the resources that Generate fills, and events, of which there are none.
func Resources() []Resource {
	return []Resource{
		clusterWide("", "v1", "namespaces", "Namespace", "ns", func() Object { return &corev1.Namespace{} }),
		clusterWide("", "v1", "nodes", "Node", "no", func() Object { return &corev1.Node{} }),
		namespaced("", "v1", "pods", "Pod", "po", func() Object { return &corev1.Pod{} }),
		namespaced("", "v1", "services", "Service", "svc", func() Object { return &corev1.Service{} }),
		namespaced("", "v1", "configmaps", "ConfigMap", "cm", func() Object { return &corev1.ConfigMap{} }),
		namespaced("", "v1", "secrets", "Secret", "", func() Object { return &corev1.Secret{} }),
		namespaced("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", "pvc", func() Object { return &corev1.PersistentVolumeClaim{} }),
		clusterWide("", "v1", "persistentvolumes", "PersistentVolume", "pv", func() Object { return &corev1.PersistentVolume{} }),
		namespaced("", "v1", "resourcequotas", "ResourceQuota", "quota", func() Object { return &corev1.ResourceQuota{} }),
		namespaced("", "v1", "limitranges", "LimitRange", "limits", func() Object { return &corev1.LimitRange{} }),
		namespaced("apps", "v1", "deployments", "Deployment", "deploy", func() Object { return &appsv1.Deployment{} }),
		namespaced("apps", "v1", "replicasets", "ReplicaSet", "rs", func() Object { return &appsv1.ReplicaSet{} }),
		namespaced("apps", "v1", "daemonsets", "DaemonSet", "ds", func() Object { return &appsv1.DaemonSet{} }),
		namespaced("apps", "v1", "statefulsets", "StatefulSet", "sts", func() Object { return &appsv1.StatefulSet{} }),
		namespaced("batch", "v1", "jobs", "Job", "", func() Object { return &batchv1.Job{} }),
		namespaced("batch", "v1", "cronjobs", "CronJob", "cj", func() Object { return &batchv1.CronJob{} }),
		namespaced("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", "hpa",
			func() Object { return &autoscalingv2.HorizontalPodAutoscaler{} }),
		namespaced("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", "pdb", func() Object { return &policyv1.PodDisruptionBudget{} }),
		namespaced("networking.k8s.io", "v1", "ingresses", "Ingress", "ing", func() Object { return &networkingv1.Ingress{} }),
		namespaced("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", "netpol", func() Object { return &networkingv1.NetworkPolicy{} }),
		namespaced("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", "", func() Object { return &discoveryv1.EndpointSlice{} }),
		namespaced("coordination.k8s.io", "v1", "leases", "Lease", "", func() Object { return &coordinationv1.Lease{} }),
		namespaced("", "v1", "events", "Event", "ev", func() Object { return &corev1.Event{} }),
		clusterWide("storage.k8s.io", "v1", "storageclasses", "StorageClass", "sc", func() Object { return &storagev1.StorageClass{} }),
		clusterWide("storage.k8s.io", "v1", "volumeattachments", "VolumeAttachment", "", func() Object { return &storagev1.VolumeAttachment{} }),
	}
}

// clusterWide describes a resource without namespaces; short may be empty.
func clusterWide(group, version, name, kind, short string, empty func() Object) Resource {
	r := Resource{Group: group, Version: version, Name: name, Kind: kind, New: empty}
	if short != "" {
		r.ShortNames = []string{short}
	}
	return r
}

// namespaced describes a resource of which every object is in a namespace.
func namespaced(group, version, name, kind, short string, empty func() Object) Resource {
	r := clusterWide(group, version, name, kind, short, empty)
	r.Namespaced = true
	return r
}

// categories returns the groups of resources that clients know by one name. "all"
// is what `kubectl get all` lists.
func (r *Resource) categories() []string {
	switch r.Name {
	case "pods", "services", "deployments", "replicasets", "daemonsets", "statefulsets", "jobs", "cronjobs", "horizontalpodautoscalers":
		return []string{"all"}
	}
	return nil
}

func (r *Resource) groupVersion() schema.GroupVersion {
	return schema.GroupVersion{Group: r.Group, Version: r.Version}
}

func (r *Resource) groupResource() schema.GroupResource {
	return schema.GroupResource{Group: r.Group, Resource: r.Name}
}
