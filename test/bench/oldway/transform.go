package oldway

import (
	"slices"
	"strings"
)

// Statuses of service checks.
const (
	statusOK = iota
	statusWarning
	statusCritical
	statusUnknown
)

// allTransformers are the families that need more than a new name.
func (r *run) allTransformers() map[string]func(*sample) {
	waiting := []string{"errimagepull", "imagepullbackoff", "crashloopbackoff", "containercreating", "createcontainererror",
		"invalidimagename", "createcontainerconfigerror"}
	terminated := []string{"oomkilled", "containercannotrun", "error"}
	return map[string]func(*sample){
		"kube_pod_created":                               r.age("pod.age"),
		"kube_pod_start_time":                            r.age("pod.uptime"),
		"kube_node_created":                              r.age("node.age"),
		"kube_cronjob_status_last_schedule_time":         r.age("cronjob.duration_since_last_schedule"),
		"kube_cronjob_status_last_successful_time":       r.age("cronjob.duration_since_last_successful"),
		"kube_resourceclaim_created":                     r.age("resourceclaim.pending.age"),
		"kube_pod_deletion_timestamp":                    func(s *sample) { r.point("pod.terminating", 1, s) },
		"kube_pod_status_phase":                          r.active("pod.status_phase"),
		"kube_persistentvolume_status_phase":             r.active("persistentvolume.by_phase"),
		"kube_service_spec_type":                         r.active("service.type"),
		"kube_pod_container_status_waiting_reason":       r.reasons("container.status_report.count.waiting", waiting),
		"kube_pod_init_container_status_waiting_reason":  r.reasons("initcontainer.status_report.count.waiting", waiting),
		"kube_pod_container_status_terminated_reason":    r.reasons("container.status_report.count.terminated", terminated),
		"kube_pod_container_resource_requests":           r.resource("container.", "_requested", "gpu", "network_bandwidth"),
		"kube_pod_container_effective_resource_requests": r.resource("container.", "_requested", "cpu", "memory"),
		"kube_pod_container_extended_resource_requests":  r.resource("container.", "_requested", containerResources()...),
		"kube_pod_container_resource_limits":             r.resource("container.", "_limit", containerResources()...),
		"kube_pod_container_extended_resource_limits":    r.resource("container.", "_limit", containerResources()...),
		"kube_pod_init_container_resource_requests":      r.resource("initcontainer.", "_requested", containerResources()...),
		"kube_pod_init_container_resource_limits":        r.resource("initcontainer.", "_limit", containerResources()...),
		"kube_node_status_allocatable":                   r.resource("node.", "_allocatable", nodeResources()...),
		"kube_node_status_extended_allocatable":          r.resource("node.", "_allocatable", nodeResources()...),
		"kube_node_status_capacity":                      r.resource("node.", "_capacity", nodeResources()...),
		"kube_node_status_extended_capacity":             r.resource("node.", "_capacity", nodeResources()...),
		"kube_node_status_condition":                     r.nodeCondition,
		"kube_node_spec_unschedulable":                   r.nodeStatus,
		"kube_cronjob_next_schedule_time":                r.onSchedule,
		"kube_job_complete":                              r.jobDone("job.completion.succeeded", statusOK),
		"kube_job_failed":                                r.jobDone("job.completion.failed", statusCritical),
		"kube_job_duration":                              r.job("job.duration"),
		"kube_job_status_succeeded":                      r.job("job.succeeded"),
		"kube_job_status_failed":                         r.jobFailed,
		"kube_resourcequota":                             r.resourceQuota,
		"kube_limitrange":                                r.limitRange,
		"kube_ingress_tls":                               r.ingressTLS,
		"kube_endpoint_address":                          r.endpoints("endpoint.", "false"),
		"kube_endpointslice_endpoints":                   r.endpoints("endpointslice.", ""),
	}
}

func (r *run) age(name string) func(*sample) {
	return func(s *sample) { r.point(name, r.now-s.value, s) }
}

// active drops samples of states that an object is not in.
func (r *run) active(name string) func(*sample) {
	return func(s *sample) {
		if s.value == 1 {
			r.point(name, 1, s)
		}
	}
}

func (r *run) reasons(name string, admitted []string) func(*sample) {
	return func(s *sample) {
		if slices.Contains(admitted, strings.ToLower(s.label("reason"))) {
			r.point(name, s.value, s)
		}
	}
}

func containerResources() []string { return []string{"cpu", "memory", "network_bandwidth", "gpu"} }

func nodeResources() []string { return append(containerResources(), "pods", "ephemeral_storage") }

// resourceName returns the name of a resource, and the profile of a GPU slice.
func resourceName(resource string) (name, slice string) {
	switch resource {
	case "nvidia_com_gpu", "amd_com_gpu", "gpu_intel_com_i915":
		return "gpu", ""
	case "kubernetes_io_network_bandwidth":
		return "network_bandwidth", ""
	}
	if rest, ok := strings.CutPrefix(resource, "nvidia_com_mig"); ok {
		return "gpu", strings.ReplaceAll(strings.TrimLeft(rest, "_"), "_", "-")
	}
	return resource, ""
}

func (r *run) resource(before, after string, admitted ...string) func(*sample) {
	return func(s *sample) {
		name, slice := resourceName(s.label("resource"))
		if !slices.Contains(admitted, name) {
			return
		}
		if slice != "" {
			s.tags = append(s.tags, "mig_profile:"+slice)
		}
		r.point(before+name+after, s.value, s)
	}
}

func (r *run) nodeCondition(s *sample) {
	if s.value != 1 {
		return
	}
	r.point("node.by_condition", 1, s)
	name, positive := "", false
	switch s.label("condition") {
	case "Ready":
		name, positive = "node.ready", true
	case "OutOfDisk":
		name = "node.out_of_disk"
	case "DiskPressure":
		name = "node.disk_pressure"
	case "NetworkUnavailable":
		name = "node.network_unavailable"
	case "MemoryPressure":
		name = "node.memory_pressure"
	default:
		return
	}
	status := float64(statusUnknown)
	switch s.label("status") {
	case "true":
		status = statusCritical
		if positive {
			status = statusOK
		}
	case "false":
		status = statusOK
		if positive {
			status = statusCritical
		}
	case "unknown":
		if positive {
			status = statusWarning
		}
	}
	r.check(name, status, s)
}

func (r *run) nodeStatus(s *sample) {
	switch s.value {
	case 0:
		s.tags = append(s.tags, "status:schedulable")
	case 1:
		s.tags = append(s.tags, "status:unschedulable")
	default:
		return
	}
	r.point("node.status", 1, s)
}

func (r *run) onSchedule(s *sample) {
	status := float64(statusOK)
	if s.value < r.now {
		status = statusCritical
	}
	r.check("cronjob.on_schedule_check", status, s)
}

func (r *run) resourceQuota(s *sample) {
	what := s.label("type")
	if what == "hard" {
		what = "limit"
	}
	r.point("resourcequota."+s.label("resource")+"."+what, s.value, s)
}

func (r *run) limitRange(s *sample) {
	constraint := map[string]string{"min": "min", "max": "max", "default": "default",
		"defaultRequest": "default_request", "maxLimitRequestRatio": "max_limit_request_ratio"}[s.label("constraint")]
	if constraint != "" {
		r.point("limitrange."+s.label("resource")+"."+constraint, s.value, s)
	}
}

func (r *run) ingressTLS(s *sample) {
	s.tags = without(s.tags, "secret")
	r.point("ingress.tls", s.value, s)
}

// endpoints separates ready addresses from others. alike is the meaning of a missing
// label ready: "" is ready, "false" is neither.
func (r *run) endpoints(before, alike string) func(*sample) {
	return func(s *sample) {
		ready := s.label("ready")
		s.tags = without(s.tags, "ready")
		switch {
		case ready == "true", ready == "" && alike == "":
			r.point(before+"address_available", s.value, s)
		case ready == "false":
			r.point(before+"address_not_ready", s.value, s)
		}
	}
}
