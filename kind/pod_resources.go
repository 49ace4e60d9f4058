package kind

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/kubestate/kubestate/metric"
)

// This file holds the rows of Pods about resources beyond those that the spec
// gives each container: what is in effect after a resize in place, and what the
// Pod has as a whole.

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
