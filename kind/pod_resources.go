package kind

import (
	corev1 "k8s.io/api/core/v1"
	apiresource "k8s.io/apimachinery/pkg/api/resource"

	"github.com/kubestate/kubestate/internal/workload"
	"github.com/kubestate/kubestate/metric"
)

// This file has the rows of Pods about resources other than those in the spec of each
// container: resources in effect after an in-place resize, resources of the whole Pod, and
// resources by workload.

func limitsInEffect(p *pod, statuses []corev1.ContainerStatus, e *metric.Emitter) {
	for i := range statuses {
		if r := statuses[i].Resources; r != nil {
			resources(r.Limits, whole, e, statuses[i].Name, p.Spec.NodeName)
		}
	}
}

func requestsInEffect(p *pod, statuses []corev1.ContainerStatus, e *metric.Emitter) {
	for i := range statuses {
		if r := statuses[i].Resources; r != nil {
			resources(r.Requests, whole, e, statuses[i].Name, p.Spec.NodeName)
		}
	}
}

func podLimits(p *pod, r *corev1.ResourceRequirements, e *metric.Emitter) {
	if r != nil {
		resources(r.Limits, whole, e, p.Spec.NodeName)
	}
}

func podRequests(p *pod, r *corev1.ResourceRequirements, e *metric.Emitter) {
	if r != nil {
		resources(r.Requests, whole, e, p.Spec.NodeName)
	}
}

func bandwidthLimits(p *pod, e *metric.Emitter) {
	for i := range p.Spec.Containers {
		c := &p.Spec.Containers[i]
		oneResource(c.Resources.Limits, networkBandwidth, whole, e, c.Name, p.Spec.NodeName, networkBandwidthLabel, unitByte)
	}
}

func bandwidthRequests(p *pod, e *metric.Emitter) {
	for i := range p.Spec.Containers {
		c := &p.Spec.Containers[i]
		oneResource(c.Resources.Requests, networkBandwidth, whole, e, c.Name, p.Spec.NodeName, networkBandwidthLabel, unitByte)
	}
}

func effectiveRequests(p *pod, e *metric.Emitter) {
	for i := range p.Spec.Containers {
		c := &p.Spec.Containers[i]
		cpuAndMemory(grantedTo(p, c.Name), c.Resources.Requests, e, func(v float64, resource, unit string) {
			e.Add(v, c.Name, p.Spec.NodeName, resource, unit)
		})
	}
}

// grantedTo returns the requests in effect according to the status of a container.
func grantedTo(p *pod, container string) corev1.ResourceList {
	for i := range p.Status.ContainerStatuses {
		if s := &p.Status.ContainerStatuses[i]; s.Name == container && s.Resources != nil {
			return s.Resources.Requests
		}
	}
	return nil
}

func ownedLimits(p *pod, containers []corev1.Container, e *metric.Emitter) {
	for i := range containers {
		ownedResources(p, containers[i].Name, containers[i].Resources.Limits, e)
	}
}

func ownedRequests(p *pod, containers []corev1.Container, e *metric.Emitter) {
	for i := range containers {
		ownedResources(p, containers[i].Name, containers[i].Resources.Requests, e)
	}
}

// ownedResources emits resources of a container with the workload that its Pod belongs to.
// Terminated Pods use no resources.
func ownedResources(p *pod, container string, list corev1.ResourceList, e *metric.Emitter) {
	if p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed {
		return
	}
	owner := workload.Guessed(p.OwnerReferences)
	cpuAndMemory(list, nil, e, func(v float64, resource, unit string) {
		e.Add(v, container, p.Spec.NodeName, resource, unit, owner.Kind, owner.Name)
	})
}

// cpuAndMemory calls emit with the CPU and memory of list, each falling back to otherwise.
func cpuAndMemory(list, otherwise corev1.ResourceList, e *metric.Emitter, emit func(v float64, resource, unit string)) {
	if q, ok := either(list, otherwise, corev1.ResourceCPU); ok && bounded(q, e) {
		emit(fractional(q), string(corev1.ResourceCPU), unitCore)
	}
	if q, ok := either(list, otherwise, corev1.ResourceMemory); ok && bounded(q, e) {
		emit(whole(q), string(corev1.ResourceMemory), unitByte)
	}
}

func either(list, otherwise corev1.ResourceList, name corev1.ResourceName) (apiresource.Quantity, bool) {
	if q, ok := list[name]; ok {
		return q, true
	}
	q, ok := otherwise[name]
	return q, ok
}
