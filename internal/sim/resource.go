package sim

import (
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
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

// Resources lists the resources that Generate fills.
func Resources() []Resource {
	core := func(name, kind string, namespaced bool, short string, empty func() Object) Resource {
		return Resource{Version: "v1", Name: name, Kind: kind, Namespaced: namespaced, ShortNames: []string{short}, New: empty}
	}
	grouped := func(group, name, kind string, short []string, empty func() Object) Resource {
		return Resource{Group: group, Version: "v1", Name: name, Kind: kind, Namespaced: true, ShortNames: short, New: empty}
	}
	return []Resource{
		core("namespaces", "Namespace", false, "ns", func() Object { return &corev1.Namespace{} }),
		core("nodes", "Node", false, "no", func() Object { return &corev1.Node{} }),
		core("pods", "Pod", true, "po", func() Object { return &corev1.Pod{} }),
		core("services", "Service", true, "svc", func() Object { return &corev1.Service{} }),
		core("configmaps", "ConfigMap", true, "cm", func() Object { return &corev1.ConfigMap{} }),
		grouped("apps", "deployments", "Deployment", []string{"deploy"}, func() Object { return &appsv1.Deployment{} }),
		grouped("apps", "replicasets", "ReplicaSet", []string{"rs"}, func() Object { return &appsv1.ReplicaSet{} }),
		grouped("apps", "daemonsets", "DaemonSet", []string{"ds"}, func() Object { return &appsv1.DaemonSet{} }),
		grouped("apps", "statefulsets", "StatefulSet", []string{"sts"}, func() Object { return &appsv1.StatefulSet{} }),
		grouped("batch", "jobs", "Job", nil, func() Object { return &batchv1.Job{} }),
		grouped("discovery.k8s.io", "endpointslices", "EndpointSlice", nil, func() Object { return &discoveryv1.EndpointSlice{} }),
	}
}

func (r *Resource) groupVersion() schema.GroupVersion {
	return schema.GroupVersion{Group: r.Group, Version: r.Version}
}

func (r *Resource) groupResource() schema.GroupResource {
	return schema.GroupResource{Group: r.Group, Resource: r.Name}
}
