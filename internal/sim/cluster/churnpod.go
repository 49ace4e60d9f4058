package cluster

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// changePod lets a waiting pod get on, or gets a random pod into trouble. Half
// of the changes go each way, so that trouble does not pile up.
func (c *Churn) changePod() error {
	for len(c.waiting) > 0 && (c.chance(0.5) || len(c.waiting) > 1+c.store.Len("pods")/100) {
		key := c.waiting[0]
		c.waiting = slices.Delete(c.waiting, 0, 1)
		pod, err := load[*corev1.Pod](c.store, "pods", key.Namespace, key.Name)
		if err != nil {
			return err
		}
		if pod != nil {
			return c.advancePod(pod)
		}
	}
	pod, err := c.randomPod()
	if err != nil || pod == nil {
		return err
	}
	return c.advancePod(pod)
}

func (c *Churn) randomPod() (*corev1.Pod, error) {
	object, err := c.random("pods")
	if err != nil || object == nil {
		return nil, err
	}
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return nil, fmt.Errorf("pod %s/%s is a %T", object.GetNamespace(), object.GetName(), object)
	}
	return pod, nil
}

// advancePod takes a pod one step along its life.
func (c *Churn) advancePod(pod *corev1.Pod) error {
	restarts := restartsOf(pod)
	switch stateOf(pod) {
	case podUnschedulable:
		pod.Spec.NodeName = c.pick(c.nodeNames)
		return c.setPod(pod, podCreating, 0)
	case podCreating:
		if c.chance(0.02) {
			return c.setPod(pod, podImagePulling, 0)
		}
		return c.setPod(pod, podRunning, 0)
	case podImagePulling, podNotReady:
		return c.setPod(pod, podRunning, restarts)
	case podCrashLooping:
		if c.chance(0.6) {
			return c.setPod(pod, podCrashLooping, restarts+1)
		}
		return c.setPod(pod, podRunning, restarts)
	case podSucceeded, podFailed:
		return c.replace(pod)
	}
	return c.trouble(pod, restarts)
}

// trouble happens to a pod that runs well; pods of Jobs come to their end.
func (c *Churn) trouble(pod *corev1.Pod, restarts int32) error {
	switch roll := c.rand.Float64(); {
	case pod.Spec.RestartPolicy == corev1.RestartPolicyNever && roll < 0.9:
		return c.setPod(pod, podSucceeded, restarts)
	case pod.Spec.RestartPolicy == corev1.RestartPolicyNever:
		return c.setPod(pod, podFailed, restarts)
	case roll < 0.6:
		return c.setPod(pod, podNotReady, restarts)
	case roll < 0.9:
		return c.setPod(pod, podRunning, restarts+1)
	}
	return c.setPod(pod, podCrashLooping, restarts+1)
}

// setPod stores a pod in its new state and updates its controller.
func (c *Churn) setPod(pod *corev1.Pod, state podState, restarts int32) error {
	before := isReady(pod)
	c.setState(pod, state, restarts)
	if err := c.update(pod); err != nil {
		return err
	}
	switch state {
	case podUnschedulable, podCreating, podImagePulling, podNotReady, podCrashLooping:
		c.waiting = append(c.waiting, types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name})
	}
	return c.count(pod, podDelta{ready: number(isReady(pod)) - number(before), state: state})
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// replacePod deletes a random pod; its controller makes another.
func (c *Churn) replacePod() error {
	pod, err := c.randomPod()
	if err != nil || pod == nil {
		return err
	}
	return c.replace(pod)
}

func (c *Churn) replace(pod *corev1.Pod) error {
	if err := c.deletePod(pod); err != nil {
		return err
	}
	name, node := pod.Name, c.pick(c.nodeNames)
	switch owner := metav1.GetControllerOf(pod); {
	case owner == nil || owner.Kind == "StatefulSet": // these keep their names
	case owner.Kind == "DaemonSet":
		node = pod.Spec.NodeName
		fallthrough
	default:
		name = c.freePodName(pod.Namespace, pod.GenerateName)
	}
	return c.createPod(pod, name, node)
}

func (c *Churn) deletePod(pod *corev1.Pod) error {
	if _, err := c.store.Delete("pods", pod.Namespace, pod.Name); err != nil {
		return err
	}
	return c.count(pod, podDelta{pods: -1, ready: -number(isReady(pod)), state: stateOf(pod)})
}

// createPod stores a new pod that is like another one.
func (c *Churn) createPod(like *corev1.Pod, name, node string) error {
	pod := like.DeepCopy()
	pod.Name, pod.UID, pod.CreationTimestamp = name, c.uid(), c.ago(0)
	pod.Status = corev1.PodStatus{}
	pod.Spec.NodeName = node
	c.setState(pod, podCreating, 0)
	if err := c.putPod(pod); err != nil {
		return err
	}
	c.waiting = append(c.waiting, types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name})
	return c.count(pod, podDelta{pods: 1, state: podCreating})
}
