package apiserver

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// podSummary has what kubectl shows of the containers of a Pod.
type podSummary struct {
	ready, total int
	restarts     int32
	lastRestart  time.Time
	status       string
}

func podCells(o *corev1.Pod, now time.Time) []any {
	s := summarize(o)
	restarts := strconv.Itoa(int(s.restarts))
	if s.restarts != 0 && !s.lastRestart.IsZero() {
		restarts += " (" + since(metav1.NewTime(s.lastRestart), now) + " ago)"
	}
	ip := ""
	if len(o.Status.PodIPs) > 0 {
		ip = o.Status.PodIPs[0].IP
	}
	return []any{fmt.Sprintf("%d/%d", s.ready, s.total), s.status, restarts,
		orNone(ip), orNone(o.Spec.NodeName), orNone(o.Status.NominatedNodeName), gates(o)}
}

// gates is the number of readiness gates of the Pod that are open.
func gates(o *corev1.Pod) string {
	if len(o.Spec.ReadinessGates) == 0 {
		return none
	}
	open := 0
	for _, gate := range o.Spec.ReadinessGates {
		if conditionTrue(o, gate.ConditionType) {
			open++
		}
	}
	return fmt.Sprintf("%d/%d", open, len(o.Spec.ReadinessGates))
}

func conditionTrue(o *corev1.Pod, kind corev1.PodConditionType) bool {
	return slices.ContainsFunc(o.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == kind && c.Status == corev1.ConditionTrue
	})
}

// sidecar reports whether an init container keeps running next to the others.
func sidecar(o *corev1.Pod, name string) bool {
	return slices.ContainsFunc(o.Spec.InitContainers, func(c corev1.Container) bool {
		return c.Name == name && deref(c.RestartPolicy) == corev1.ContainerRestartPolicyAlways
	})
}

func summarize(o *corev1.Pod) podSummary {
	s := podSummary{total: len(o.Spec.Containers), status: firstOf(o.Status.Reason, string(o.Status.Phase))}
	for i := range o.Spec.InitContainers {
		if sidecar(o, o.Spec.InitContainers[i].Name) {
			s.total++
		}
	}
	for _, c := range o.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Reason == corev1.PodReasonSchedulingGated {
			s.status = c.Reason
		}
	}
	sidecars, initializing := s.addInit(o)
	if !initializing || conditionTrue(o, corev1.PodInitialized) {
		s.restarts, s.lastRestart = sidecars.restarts, sidecars.lastRestart
		s.addContainers(o)
	}
	switch {
	case o.DeletionTimestamp != nil && o.Status.Reason == "NodeLost":
		s.status = "Unknown"
	case o.DeletionTimestamp != nil && o.Status.Phase != corev1.PodSucceeded && o.Status.Phase != corev1.PodFailed:
		s.status = "Terminating"
	}
	return s
}

// addRestarts counts the restarts of a container.
func (s *podSummary) addRestarts(c *corev1.ContainerStatus) {
	s.restarts += c.RestartCount
	if t := c.LastTerminationState.Terminated; t != nil && t.FinishedAt.After(s.lastRestart) {
		s.lastRestart = t.FinishedAt.Time
	}
}

// addInit adds the init containers up to the first that is not done. It returns
// the restarts of sidecars alone.
func (s *podSummary) addInit(o *corev1.Pod) (sidecars podSummary, initializing bool) {
	for i := range o.Status.InitContainerStatuses {
		c := &o.Status.InitContainerStatuses[i]
		s.addRestarts(c)
		isSidecar := sidecar(o, c.Name)
		if isSidecar {
			sidecars.addRestarts(c)
		}
		terminated, waiting := c.State.Terminated, c.State.Waiting
		switch {
		case terminated != nil && terminated.ExitCode == 0:
			continue
		case isSidecar && deref(c.Started):
			if c.Ready {
				s.ready++
			}
			continue
		case terminated != nil:
			s.status = "Init:" + exitReason(terminated)
		case waiting != nil && waiting.Reason != "" && waiting.Reason != "PodInitializing":
			s.status = "Init:" + waiting.Reason
		default:
			s.status = fmt.Sprintf("Init:%d/%d", i, len(o.Spec.InitContainers))
		}
		return sidecars, true
	}
	return sidecars, false
}

func exitReason(t *corev1.ContainerStateTerminated) string {
	switch {
	case t.Reason != "":
		return t.Reason
	case t.Signal != 0:
		return fmt.Sprintf("Signal:%d", t.Signal)
	}
	return fmt.Sprintf("ExitCode:%d", t.ExitCode)
}

// addContainers adds the containers; of several reasons the first container's is
// shown.
func (s *podSummary) addContainers(o *corev1.Pod) {
	running, failure := false, ""
	for i := len(o.Status.ContainerStatuses) - 1; i >= 0; i-- {
		c := &o.Status.ContainerStatuses[i]
		s.addRestarts(c)
		switch {
		case c.State.Waiting != nil && c.State.Waiting.Reason != "":
			s.status = c.State.Waiting.Reason
		case c.State.Terminated != nil:
			s.status = exitReason(c.State.Terminated)
			if c.State.Terminated.ExitCode != 0 {
				failure = s.status
			}
		case c.Ready && c.State.Running != nil:
			running = true
			s.ready++
		}
	}
	if s.status != "Completed" {
		return
	}
	switch {
	case running && conditionTrue(o, corev1.PodReady):
		s.status = "Running"
	case failure != "":
		s.status = failure
	case running:
		s.status = "NotReady"
	}
}
