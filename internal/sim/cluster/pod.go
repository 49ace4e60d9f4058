package cluster

import (
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
)

// workload is what the pods of one controller have in common. Pods share its
// template: it must not change once there are pods.
type workload struct {
	namespace string
	prefix    string                  // generateName, or the name of a StatefulSet
	owner     *metav1.OwnerReference  // nil for bare pods
	template  *corev1.PodTemplateSpec // of the pods
	created   metav1.Time
}

// tally says how the pods of a workload are.
type tally struct {
	pods, ready, succeeded, failed int
	endpoints                      []endpoint
}

// endpoint is a pod as an EndpointSlice knows it.
type endpoint struct {
	pod   *corev1.ObjectReference
	node  string
	ip    string
	ready bool
}

// controller makes the owner reference to a controlling object.
func controller(apiVersion, kind string, owner apiserver.Object) *metav1.OwnerReference {
	return &metav1.OwnerReference{
		APIVersion: apiVersion, Kind: kind, Name: owner.GetName(), UID: owner.GetUID(),
		Controller: new(true), BlockOwnerDeletion: new(true),
	}
}

// newPod makes a pod of the workload without node and status.
func (g *generator) newPod(w *workload, name string) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name:              name,
			Namespace:         w.namespace,
			UID:               g.uid(),
			CreationTimestamp: g.age(w.created, 30*24*time.Hour),
			Labels:            w.template.Labels,
			Annotations:       w.template.Annotations,
			Generation:        1,
		},
		Spec: w.template.Spec,
	}
	if w.owner != nil {
		pod.GenerateName = w.prefix
		pod.OwnerReferences = []metav1.OwnerReference{*w.owner}
	}
	return pod
}

// runPods makes n pods of a workload on random nodes.
func (g *generator) runPods(w *workload, n int, state func() podState) (tally, error) {
	var t tally
	for range n {
		pod := g.newPod(w, g.freePodName(w.namespace, w.prefix))
		if err := g.placePod(&t, pod, g.pick(g.nodeNames), state()); err != nil {
			return t, err
		}
	}
	return t, nil
}

// placePod puts the pod into a state on a node, stores and counts it.
func (g *generator) placePod(t *tally, pod *corev1.Pod, node string, state podState) error {
	restarts := int32(0)
	if state == podRunning && g.chance(0.1) {
		restarts = 1 + g.rand.Int32N(4)
	} else if state == podCrashLooping {
		restarts = 5 + g.rand.Int32N(500)
	}
	if state != podUnschedulable {
		pod.Spec.NodeName = node
	}
	g.setState(pod, state, restarts)
	if err := g.putPod(pod); err != nil {
		return err
	}
	t.pods++
	switch state {
	case podRunning:
		t.ready++
	case podSucceeded:
		t.succeeded++
	case podFailed:
		t.failed++
	}
	if pod.Status.PodIP != "" {
		t.endpoints = append(t.endpoints, endpoint{
			pod:  &corev1.ObjectReference{Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID},
			node: pod.Spec.NodeName, ip: pod.Status.PodIP, ready: state == podRunning,
		})
	}
	return nil
}

// putPod stores a new pod.
func (g *generator) putPod(pod *corev1.Pod) error {
	return g.put(pod, "kube-controller-manager", "kubelet", "v1", &pod.Spec)
}

// labelled returns a copy of the template with more labels.
func labelled(t corev1.PodTemplateSpec, labels map[string]string) *corev1.PodTemplateSpec {
	t.Labels = maps.Clone(t.Labels)
	maps.Copy(t.Labels, labels)
	return &t
}

// servicePodState draws the state of a pod that is meant to run for ever.
func (g *generator) servicePodState() podState {
	switch roll := g.rand.Float64(); {
	case roll < 0.010:
		return podCrashLooping
	case roll < 0.018:
		return podUnschedulable
	case roll < 0.023:
		return podCreating
	case roll < 0.027:
		return podImagePulling
	case roll < 0.032:
		return podFailed
	case roll < 0.047:
		return podNotReady
	}
	return podRunning
}

// jobPodState draws the state of a pod that is meant to end.
func (g *generator) jobPodState() podState {
	switch roll := g.rand.Float64(); {
	case roll < 0.05:
		return podFailed
	case roll < 0.15:
		return podRunning
	}
	return podSucceeded
}
