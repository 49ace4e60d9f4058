package kind

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubestate/kubestate/metric"
)

// This file has the rows of Pods about containers. Ephemeral containers have no families.

func mainContainers(p *pod) []corev1.ContainerStatus { return p.Status.ContainerStatuses }
func initContainers(p *pod) []corev1.ContainerStatus { return p.Status.InitContainerStatuses }

// perStatus is a family whose samples emit computes from each container status that of
// returns, whether or not the spec has a container of that name. own are the labels after
// that of the container.
func perStatus(name string, st metric.Stability, help string, of func(*pod) []corev1.ContainerStatus, own labels,
	emit func(*corev1.ContainerStatus, *metric.Emitter)) Row[pod] {
	return each(name, st, help, append(labels{container}, own...), func(p *pod, e *metric.Emitter) {
		statuses := of(p)
		for i := range statuses {
			emit(&statuses[i], e)
		}
	})
}

func containerReady(c *corev1.ContainerStatus, e *metric.Emitter) {
	e.Add(metric.Float(c.Ready), c.Name)
}

func containerRestarts(c *corev1.ContainerStatus, e *metric.Emitter) {
	e.Add(float64(c.RestartCount), c.Name)
}

func containerRunning(c *corev1.ContainerStatus, e *metric.Emitter) {
	e.Add(metric.Float(c.State.Running != nil), c.Name)
}

func containerTerminated(c *corev1.ContainerStatus, e *metric.Emitter) {
	e.Add(metric.Float(c.State.Terminated != nil), c.Name)
}

func containerWaiting(c *corev1.ContainerStatus, e *metric.Emitter) {
	e.Add(metric.Float(c.State.Waiting != nil), c.Name)
}

func terminatedReason(c *corev1.ContainerStatus, e *metric.Emitter) {
	if t := c.State.Terminated; t != nil {
		e.Add(1, c.Name, t.Reason)
	}
}

func waitingReason(c *corev1.ContainerStatus, e *metric.Emitter) {
	if w := c.State.Waiting; w != nil {
		e.Add(1, c.Name, w.Reason)
	}
}

func startedAt(c *corev1.ContainerStatus, e *metric.Emitter) {
	switch s := &c.State; {
	case s.Running != nil:
		addTime(s.Running.StartedAt.Time, e, c.Name)
	case s.Terminated != nil:
		addTime(s.Terminated.StartedAt.Time, e, c.Name)
	}
}

func lastTerminatedReason(c *corev1.ContainerStatus, e *metric.Emitter) {
	if t := c.LastTerminationState.Terminated; t != nil {
		e.Add(1, c.Name, t.Reason)
	}
}

func lastTerminatedExitCode(c *corev1.ContainerStatus, e *metric.Emitter) {
	if t := c.LastTerminationState.Terminated; t != nil {
		e.Add(float64(t.ExitCode), c.Name)
	}
}

func lastTerminatedAt(c *corev1.ContainerStatus, e *metric.Emitter) {
	if t := c.LastTerminationState.Terminated; t != nil {
		addTime(t.FinishedAt.Time, e, c.Name)
	}
}

// completionTime emits the time at which the last terminated container finished.
func completionTime(p *pod, e *metric.Emitter) {
	var last time.Time
	for i := range p.Status.ContainerStatuses {
		if t := p.Status.ContainerStatuses[i].State.Terminated; t != nil && t.FinishedAt.After(last) {
			last = t.FinishedAt.Time
		}
	}
	if last.Unix() > 0 {
		addTime(last, e)
	}
}

func containerInfo(p *pod, e *metric.Emitter) {
	containerPairs(p.Spec.Containers, p.Status.ContainerStatuses, func(c *corev1.Container, s *corev1.ContainerStatus) {
		e.Add(1, c.Name, c.Image, s.Image, s.ImageID, s.ContainerID)
	})
}

func initContainerInfo(p *pod, e *metric.Emitter) {
	containerPairs(p.Spec.InitContainers, p.Status.InitContainerStatuses, func(c *corev1.Container, s *corev1.ContainerStatus) {
		var restart string
		if c.RestartPolicy != nil {
			restart = string(*c.RestartPolicy)
		}
		e.Add(1, c.Name, c.Image, s.Image, s.ImageID, s.ContainerID, restart)
	})
}

// containerPairs calls emit for each container and status of the same name.
func containerPairs(specs []corev1.Container, statuses []corev1.ContainerStatus, emit func(*corev1.Container, *corev1.ContainerStatus)) {
	for i := range specs {
		for j := range statuses {
			if specs[i].Name == statuses[j].Name {
				emit(&specs[i], &statuses[j])
			}
		}
	}
}

func containerLimits(p *pod, containers []corev1.Container, e *metric.Emitter) {
	for i := range containers {
		resources(containers[i].Resources.Limits, whole, e, containers[i].Name, p.Spec.NodeName)
	}
}

func containerRequests(p *pod, containers []corev1.Container, e *metric.Emitter) {
	for i := range containers {
		resources(containers[i].Resources.Requests, whole, e, containers[i].Name, p.Spec.NodeName)
	}
}
