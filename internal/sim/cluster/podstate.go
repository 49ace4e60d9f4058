package cluster

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// podState is where a pod is in its life, as far as its status shows.
type podState int

const (
	podUnschedulable podState = iota // no node has room
	podCreating                      // on a node, containers not yet made
	podImagePulling                  // image cannot be pulled
	podRunning                       // running and ready
	podNotReady                      // running, first container fails its probe
	podCrashLooping                  // first container ends again and again
	podSucceeded                     // all containers ended well
	podFailed                        // evicted by the kubelet
)

// Reasons by which kubelets explain why a container waits.
const (
	reasonImagePull = "ImagePullBackOff"
	reasonCrashLoop = "CrashLoopBackOff"
)

// setState gives the pod the status of a state.
func (g *generator) setState(pod *corev1.Pod, state podState, restarts int32) {
	old := pod.Status
	pod.Status = corev1.PodStatus{QOSClass: qosClass(&pod.Spec), Phase: phaseOf(state), ObservedGeneration: 1}
	status := &pod.Status
	if state == podUnschedulable {
		status.Conditions = []corev1.PodCondition{{
			Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable,
			Message:            fmt.Sprintf("0/%d nodes are available: %[1]d Insufficient cpu.", g.Nodes),
			LastTransitionTime: pod.CreationTimestamp, ObservedGeneration: 1,
		}}
		return
	}
	start := pod.CreationTimestamp
	status.StartTime = &start
	status.HostIP, status.HostIPs = old.HostIP, old.HostIPs
	if status.HostIP == "" {
		status.HostIP = hostIP(pod.Spec.NodeName)
		status.HostIPs = []corev1.HostIP{{IP: status.HostIP}}
	}
	if state != podCreating && state != podFailed {
		status.PodIP, status.PodIPs = old.PodIP, old.PodIPs
		if status.PodIP == "" {
			status.PodIP = g.address()
			status.PodIPs = []corev1.PodIP{{IP: status.PodIP}}
		}
	}
	status.Conditions = g.podConditions(pod, state, old.Conditions)
	if state == podFailed {
		status.Reason, status.Message = "Evicted", "The node was low on resource: ephemeral-storage."
		return
	}
	for i := range pod.Spec.InitContainers {
		status.InitContainerStatuses = append(status.InitContainerStatuses, g.initStatus(pod, &pod.Spec.InitContainers[i], state))
	}
	for i := range pod.Spec.Containers {
		containerState, count := state, int32(0)
		if i == 0 {
			count = restarts
		} else if state == podNotReady || state == podCrashLooping {
			containerState = podRunning // only the first container is in trouble
		}
		status.ContainerStatuses = append(status.ContainerStatuses, g.containerStatus(pod, &pod.Spec.Containers[i], containerState, count))
	}
}

func phaseOf(state podState) corev1.PodPhase {
	switch state {
	case podRunning, podNotReady, podCrashLooping:
		return corev1.PodRunning
	case podSucceeded:
		return corev1.PodSucceeded
	case podFailed:
		return corev1.PodFailed
	}
	return corev1.PodPending
}

// podConditions returns the conditions of a pod that has a node. A condition
// that holds as before keeps its transition time.
func (g *generator) podConditions(pod *corev1.Pod, state podState, before []corev1.PodCondition) []corev1.PodCondition {
	condition := func(kind corev1.PodConditionType, holds bool, after time.Duration, reason, message string) corev1.PodCondition {
		c := corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue, ObservedGeneration: 1}
		if !holds {
			c.Status, c.Reason, c.Message = corev1.ConditionFalse, reason, message
		}
		c.LastTransitionTime = g.transition(c, before, pod.CreationTimestamp.Add(after))
		return c
	}
	ended := state == podSucceeded || state == podFailed
	reason, message := "ContainersNotReady", fmt.Sprintf("containers with unready status: [%s]", pod.Spec.Containers[0].Name)
	if ended {
		reason, message = "Pod"+string(phaseOf(state)), ""
	}
	ready := state == podRunning
	initialized := state != podCreating || len(pod.Spec.InitContainers) == 0
	return []corev1.PodCondition{
		condition(corev1.PodReadyToStartContainers, state != podCreating && !ended, 2*time.Second, "", ""),
		condition(corev1.PodInitialized, initialized, 3*time.Second, "ContainersNotInitialized", "containers with incomplete status"),
		condition(corev1.PodReady, ready, 12*time.Second, reason, message),
		condition(corev1.ContainersReady, ready, 12*time.Second, reason, message),
		condition(corev1.PodScheduled, true, 0, "", ""),
	}
}

// transition returns since when a condition holds: as long as before if it did
// so before, from now on if it changed, and from first if it is new.
func (g *generator) transition(c corev1.PodCondition, before []corev1.PodCondition, first time.Time) metav1.Time {
	for i := range before {
		switch {
		case before[i].Type != c.Type:
		case before[i].Status == c.Status:
			return before[i].LastTransitionTime
		default:
			return g.ago(0)
		}
	}
	if first.After(g.Time) {
		return g.ago(0)
	}
	return metav1.NewTime(first)
}

// stateOf reads the state back from a pod's status.
func stateOf(pod *corev1.Pod) podState {
	waiting := ""
	if len(pod.Status.ContainerStatuses) > 0 && pod.Status.ContainerStatuses[0].State.Waiting != nil {
		waiting = pod.Status.ContainerStatuses[0].State.Waiting.Reason
	}
	switch {
	case pod.Status.Phase == corev1.PodSucceeded:
		return podSucceeded
	case pod.Status.Phase == corev1.PodFailed:
		return podFailed
	case pod.Spec.NodeName == "":
		return podUnschedulable
	case waiting == reasonImagePull:
		return podImagePulling
	case pod.Status.Phase != corev1.PodRunning:
		return podCreating
	case waiting == reasonCrashLoop:
		return podCrashLooping
	case isReady(pod):
		return podRunning
	}
	return podNotReady
}

func isReady(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// restartsOf returns how often the first container was restarted.
func restartsOf(pod *corev1.Pod) int32 {
	if len(pod.Status.ContainerStatuses) == 0 {
		return 0
	}
	return pod.Status.ContainerStatuses[0].RestartCount
}

// initStatus is the status of an init container: ended well, or running if it
// is a sidecar.
func (g *generator) initStatus(pod *corev1.Pod, c *corev1.Container, state podState) corev1.ContainerStatus {
	switch {
	case c.RestartPolicy != nil && state != podCreating && state != podSucceeded:
		return g.containerStatus(pod, c, podRunning, 0)
	case state == podCreating:
		status := g.containerStatus(pod, c, podCreating, 0)
		status.State.Waiting.Reason = "PodInitializing"
		return status
	}
	status := g.containerStatus(pod, c, podSucceeded, 0)
	status.Ready = true
	return status
}

func (g *generator) containerStatus(pod *corev1.Pod, c *corev1.Container, state podState, restarts int32) corev1.ContainerStatus {
	id := "containerd://" + g.digest()[len("sha256:"):]
	status := corev1.ContainerStatus{
		Name:         c.Name,
		Image:        c.Image,
		ImageID:      imageID(c.Image),
		ContainerID:  id,
		RestartCount: restarts,
		Ready:        state == podRunning,
		Started:      new(state == podRunning || state == podNotReady),
	}
	started := pod.CreationTimestamp
	if restarts > 0 {
		started = g.age(pod.CreationTimestamp, 6*time.Hour)
		status.LastTerminationState.Terminated = g.terminated(id, pod.CreationTimestamp, started, state)
	}
	switch state {
	case podCreating:
		status.State.Waiting = &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}
		status.ContainerID, status.ImageID = "", ""
	case podImagePulling:
		status.State.Waiting = &corev1.ContainerStateWaiting{Reason: reasonImagePull, Message: "Back-off pulling image " + c.Image}
		status.ContainerID, status.ImageID = "", ""
	case podCrashLooping:
		status.State.Waiting = &corev1.ContainerStateWaiting{Reason: reasonCrashLoop,
			Message: fmt.Sprintf("back-off 5m0s restarting failed container=%s pod=%s_%s(%s)", c.Name, pod.Name, pod.Namespace, pod.UID)}
	case podSucceeded:
		status.State.Terminated = &corev1.ContainerStateTerminated{Reason: "Completed", ContainerID: id,
			StartedAt: started, FinishedAt: metav1.NewTime(started.Add(90 * time.Second))}
	default:
		status.State.Running = &corev1.ContainerStateRunning{StartedAt: started}
	}
	if state != podCreating && state != podImagePulling {
		describeResources(&status, c)
	}
	return status
}

// terminated returns how a container terminated before its last restart.
func (g *generator) terminated(id string, from, to metav1.Time, state podState) *corev1.ContainerStateTerminated {
	t := &corev1.ContainerStateTerminated{ExitCode: 1, Reason: "Error", StartedAt: from, FinishedAt: to, ContainerID: id}
	if state != podCrashLooping && g.chance(0.5) {
		t.ExitCode, t.Reason = 137, "OOMKilled"
	}
	return t
}

// describeResources adds what a kubelet reports about a container it runs.
func describeResources(status *corev1.ContainerStatus, c *corev1.Container) {
	status.AllocatedResources = c.Resources.Requests
	status.Resources = &corev1.ResourceRequirements{Limits: c.Resources.Limits, Requests: c.Resources.Requests}
	for _, mount := range c.VolumeMounts {
		reported := corev1.VolumeMountStatus{Name: mount.Name, MountPath: mount.MountPath, ReadOnly: mount.ReadOnly}
		if mount.ReadOnly {
			reported.RecursiveReadOnly = new(corev1.RecursiveReadOnlyDisabled)
		}
		status.VolumeMounts = append(status.VolumeMounts, reported)
	}
}

// qosClass is the class of pods that have no CPU limits.
func qosClass(spec *corev1.PodSpec) corev1.PodQOSClass {
	for i := range spec.Containers {
		if len(spec.Containers[i].Resources.Requests)+len(spec.Containers[i].Resources.Limits) > 0 {
			return corev1.PodQOSBurstable
		}
	}
	return corev1.PodQOSBestEffort
}

// imageID derives a digest from an image's name, so that it is the same on
// every node.
func imageID(image string) string {
	repository, _, _ := strings.Cut(image, ":")
	return fmt.Sprintf("%s@sha256:%x", repository, sha256.Sum256([]byte(image)))
}
