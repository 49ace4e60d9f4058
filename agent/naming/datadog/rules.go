package datadog

import (
	"maps"
	"strconv"
	"strings"

	"github.com/kubestate/kubestate/agent/naming"
)

// as returns a rule that renames a family.
func as(family, name string) naming.Rule {
	return naming.Rule{Family: family, Metric: name, Type: naming.Gauge}
}

// age returns a rule that turns a family of timestamps into ages.
func age(family, name string) naming.Rule {
	return naming.Rule{Family: family, Metric: name, Type: naming.Gauge, Unit: "s", Value: naming.Age}
}

// active returns a rule that sends only samples with value 1.
func active(family, name string) naming.Rule {
	r := as(family, name)
	r.Equal = new(1.0)
	return r
}

// without returns a rule that drops a label that the check does not have yet.
func without(label string, r naming.Rule) naming.Rule {
	r.Drop = append(r.Drop, label)
	return r
}

// plainRules only rename families.
func plainRules() []naming.Rule { //nolint:funlen // a table
	return []naming.Rule{
		as("kube_apiservice_status_condition", "apiservice.condition"),
		as("kube_customresourcedefinition_status_condition", "crd.condition"),
		as("kube_daemonset_status_current_number_scheduled", "daemonset.scheduled"),
		as("kube_daemonset_status_desired_number_scheduled", "daemonset.desired"),
		as("kube_daemonset_status_number_misscheduled", "daemonset.misscheduled"),
		as("kube_daemonset_status_number_ready", "daemonset.ready"),
		as("kube_daemonset_status_updated_number_scheduled", "daemonset.updated"),
		as("kube_daemonset_status_number_unavailable", "daemonset.daemons_unavailable"),
		as("kube_daemonset_status_number_available", "daemonset.daemons_available"),
		as("kube_deployment_spec_paused", "deployment.paused"),
		as("kube_deployment_spec_replicas", "deployment.replicas_desired"),
		as("kube_deployment_spec_strategy_rollingupdate_max_unavailable", "deployment.rollingupdate.max_unavailable"),
		as("kube_deployment_spec_strategy_rollingupdate_max_surge", "deployment.rollingupdate.max_surge"),
		as("kube_deployment_status_replicas", "deployment.replicas"),
		as("kube_deployment_status_replicas_ready", "deployment.replicas_ready"),
		as("kube_deployment_status_replicas_available", "deployment.replicas_available"),
		as("kube_deployment_status_replicas_unavailable", "deployment.replicas_unavailable"),
		as("kube_deployment_status_replicas_updated", "deployment.replicas_updated"),
		as("kube_deployment_status_condition", "deployment.condition"),
		as("kube_pod_container_status_terminated", "container.terminated"),
		as("kube_pod_container_status_waiting", "container.waiting"),
		as("kube_pod_container_status_ready", "container.ready"),
		as("kube_pod_container_status_running", "container.running"),
		as("kube_pod_container_status_restarts_total", "container.restarts"),
		as("kube_pod_init_container_status_waiting", "initcontainer.waiting"),
		as("kube_pod_init_container_status_restarts_total", "initcontainer.restarts"),
		as("kube_pod_init_container_status_ready", "initcontainer.ready"),
		as("kube_pod_init_container_status_running", "initcontainer.running"),
		as("kube_pod_status_ready", "pod.ready"),
		as("kube_pod_status_scheduled", "pod.scheduled"),
		as("kube_pod_status_unschedulable", "pod.unschedulable"),
		without("ephemeral", as("kube_pod_spec_volumes_persistentvolumeclaims_readonly", "pod.volumes.persistentvolumeclaims_readonly")),
		as("kube_pod_tolerations", "pod.tolerations"),
		as("kube_persistentvolumeclaim_status_phase", "persistentvolumeclaim.status"),
		as("kube_persistentvolumeclaim_access_mode", "persistentvolumeclaim.access_mode"),
		as("kube_persistentvolumeclaim_resource_requests_storage_bytes", "persistentvolumeclaim.request_storage"),
		as("kube_persistentvolume_capacity_bytes", "persistentvolume.capacity"),
		as("kube_poddisruptionbudget_status_current_healthy", "pdb.pods_healthy"),
		as("kube_poddisruptionbudget_status_desired_healthy", "pdb.pods_desired"),
		as("kube_poddisruptionbudget_status_pod_disruptions_allowed", "pdb.disruptions_allowed"),
		as("kube_poddisruptionbudget_status_expected_pods", "pdb.pods_total"),
		as("kube_secret_type", "secret.type"),
		as("kube_replicaset_spec_replicas", "replicaset.replicas_desired"),
		as("kube_replicaset_status_fully_labeled_replicas", "replicaset.fully_labeled_replicas"),
		as("kube_replicaset_status_ready_replicas", "replicaset.replicas_ready"),
		as("kube_replicaset_status_replicas", "replicaset.replicas"),
		as("kube_replicationcontroller_spec_replicas", "replicationcontroller.replicas_desired"),
		as("kube_replicationcontroller_status_available_replicas", "replicationcontroller.replicas_available"),
		as("kube_replicationcontroller_status_fully_labeled_replicas", "replicationcontroller.fully_labeled_replicas"),
		as("kube_replicationcontroller_status_ready_replicas", "replicationcontroller.replicas_ready"),
		as("kube_replicationcontroller_status_replicas", "replicationcontroller.replicas"),
		as("kube_statefulset_replicas", "statefulset.replicas_desired"),
		as("kube_statefulset_status_replicas", "statefulset.replicas"),
		as("kube_statefulset_status_replicas_current", "statefulset.replicas_current"),
		as("kube_statefulset_status_replicas_ready", "statefulset.replicas_ready"),
		as("kube_statefulset_status_replicas_updated", "statefulset.replicas_updated"),
		as("kube_horizontalpodautoscaler_spec_min_replicas", "hpa.min_replicas"),
		as("kube_horizontalpodautoscaler_spec_max_replicas", "hpa.max_replicas"),
		without("container", as("kube_horizontalpodautoscaler_spec_target_metric", "hpa.spec_target_metric")),
		as("kube_horizontalpodautoscaler_status_condition", "hpa.condition"),
		as("kube_horizontalpodautoscaler_status_desired_replicas", "hpa.desired_replicas"),
		as("kube_horizontalpodautoscaler_status_current_replicas", "hpa.current_replicas"),
		without("container", as("kube_horizontalpodautoscaler_status_target_metric", "hpa.status_target_metric")),
		as("kube_verticalpodautoscaler_status_recommendation_containerrecommendations_lowerbound", "vpa.lower_bound"),
		as("kube_verticalpodautoscaler_status_recommendation_containerrecommendations_target", "vpa.target"),
		as("kube_verticalpodautoscaler_status_recommendation_containerrecommendations_uncappedtarget", "vpa.uncapped_target"),
		as("kube_verticalpodautoscaler_status_recommendation_containerrecommendations_upperbound", "vpa.upperbound"), // sic
		as("kube_verticalpodautoscaler_spec_updatepolicy_updatemode", "vpa.update_mode"),
		as("kube_verticalpodautoscaler_spec_resourcepolicy_container_policies_minallowed", "vpa.spec_container_minallowed"),
		as("kube_verticalpodautoscaler_spec_resourcepolicy_container_policies_maxallowed", "vpa.spec_container_maxallowed"),
		as("kube_cronjob_spec_suspend", "cronjob.spec_suspend"),
		as("kube_ingress_path", "ingress.path"),
		as("kube_resourceclaim_status", "resourceclaim.count"),
		as("kube_resourceclaim_status_allocated_devices", "resourceclaim.devices.allocated"),
	}
}

// The reasons that are sent; there would be too many others.
func waitingReasons() map[string][]string {
	return map[string][]string{"reason": {
		"ErrImagePull", "ImagePullBackOff", "CrashLoopBackOff", "ContainerCreating",
		"CreateContainerError", "InvalidImageName", "CreateContainerConfigError",
	}}
}

func terminatedReasons() map[string][]string {
	return map[string][]string{"reason": {"OOMKilled", "ContainerCannotRun", "Error"}}
}

func podRules() []naming.Rule {
	reasons := func(family, name string, where map[string][]string) naming.Rule {
		r := as(family, name)
		r.Where = where
		return r
	}
	terminating := as("kube_pod_deletion_timestamp", "pod.terminating")
	terminating.Value = naming.One
	return []naming.Rule{
		age("kube_pod_created", "pod.age"),
		age("kube_pod_start_time", "pod.uptime"),
		terminating,
		active("kube_pod_status_phase", "pod.status_phase"),
		reasons("kube_pod_container_status_waiting_reason", "container.status_report.count.waiting", waitingReasons()),
		reasons("kube_pod_init_container_status_waiting_reason", "initcontainer.status_report.count.waiting", waitingReasons()),
		reasons("kube_pod_container_status_terminated_reason", "container.status_report.count.terminated", terminatedReasons()),
		reasons("kube_pod_init_container_status_terminated_reason", "initcontainer.status_report.count.terminated", terminatedReasons()),

		// CPU and memory in effect after an in-place resize.
		resources("kube_pod_container_resource_requests", "container.{resource}_requested", gpus()),
		resources("kube_pod_container_effective_resource_requests", "container.{resource}_requested", computing()),
		resources("kube_pod_container_extended_resource_requests", "container.{resource}_requested", bandwidth()),
		resources("kube_pod_container_resource_limits", "container.{resource}_limit", computing(), gpus()),
		resources("kube_pod_container_extended_resource_limits", "container.{resource}_limit", bandwidth()),
		resources("kube_pod_init_container_resource_requests", "initcontainer.{resource}_requested", computing(), gpus()),
		resources("kube_pod_init_container_resource_limits", "initcontainer.{resource}_limit", computing(), gpus()),
	}
}

// Names of resources in labels and in metrics.
func computing() map[string]string { return map[string]string{"cpu": "cpu", "memory": "memory"} }

func bandwidth() map[string]string {
	return map[string]string{"kubernetes_io_network_bandwidth": "network_bandwidth"}
}

func gpus() map[string]string {
	return map[string]string{
		"nvidia_com_gpu": "gpu", "amd_com_gpu": "gpu", "gpu_intel_com_i915": "gpu", migPrefix + "*": "gpu",
	}
}

// migPrefix is the prefix of resource names of GPU slices (MIG).
const migPrefix = "nvidia_com_mig"

// resources returns a rule whose metrics are named after resources.
func resources(family, name string, called ...map[string]string) naming.Rule {
	r := as(family, name)
	r.Choose = map[string]map[string]string{"resource": merged(called...)}
	r.Adjust = tagMIG
	return r
}

func merged(some ...map[string]string) map[string]string {
	all := map[string]string{}
	for _, m := range some {
		maps.Copy(all, m)
	}
	return all
}

// tagMIG adds the MIG profile of a GPU slice.
func tagMIG(p *naming.Point) bool {
	if profile, ok := strings.CutPrefix(p.Label("resource"), migPrefix); ok {
		p.Set("mig_profile", strings.ReplaceAll(strings.TrimPrefix(profile, "_"), "_", "-"))
	}
	return true
}

func nodeRules() []naming.Rule {
	onNode := map[string]string{"pods": "pods", "ephemeral_storage": "ephemeral_storage"}
	schedulable := naming.Rule{
		Family: "kube_node_spec_unschedulable", Metric: "node.status", Type: naming.Gauge, Value: naming.One,
		Filter: naming.Filter{Equal: new(0.0)}, Tags: naming.Tags{Set: map[string]string{"status": "schedulable"}},
	}
	cordoned := schedulable
	cordoned.Equal, cordoned.Set = new(1.0), map[string]string{"status": "unschedulable"}
	return []naming.Rule{
		resources("kube_node_status_allocatable", "node.{resource}_allocatable", computing(), gpus(), onNode),
		resources("kube_node_status_extended_allocatable", "node.{resource}_allocatable", bandwidth()),
		resources("kube_node_status_capacity", "node.{resource}_capacity", computing(), gpus(), onNode),
		resources("kube_node_status_extended_capacity", "node.{resource}_capacity", bandwidth()),
		active("kube_node_status_condition", "node.by_condition"),
		nodeCheck(map[string]string{"Ready": "ready"}, map[string]naming.Status{
			"true": naming.OK, "false": naming.Critical, "unknown": naming.Warning,
		}),
		nodeCheck(map[string]string{
			"OutOfDisk": "out_of_disk", "DiskPressure": "disk_pressure",
			"NetworkUnavailable": "network_unavailable", "MemoryPressure": "memory_pressure",
		}, map[string]naming.Status{"true": naming.Critical, "false": naming.OK, "unknown": naming.Unknown}),
		schedulable,
		cordoned,
		age("kube_node_created", "node.age"),
	}
}

// nodeCheck returns a rule for service checks of Node conditions.
func nodeCheck(called map[string]string, statuses map[string]naming.Status) naming.Rule {
	return naming.Rule{
		Family: "kube_node_status_condition",
		Filter: naming.Filter{Equal: new(1.0), Choose: map[string]map[string]string{"condition": called}},
		Check: &naming.Check{
			Name: "node.{condition}", Message: "condition {condition} of node {node} is {status}",
			By: "status", Statuses: statuses, Status: naming.Unknown,
		},
	}
}

func batchRules() []naming.Rule {
	jobDone := func(family, name string, status naming.Status) []naming.Rule {
		done := as(family, name)
		done.Adjust = func(p *naming.Point) bool {
			if p.Label("condition") == "true" {
				p.Drop("condition")
			}
			return tagJob(p)
		}
		check := done
		check.Metric, check.Check = "", &naming.Check{Name: "job.complete", Status: status}
		check.Filter = naming.Filter{Equal: new(1.0), Where: map[string][]string{"condition": {"true"}}}
		return []naming.Rule{done, check}
	}
	ran, runs := as("kube_job_duration", "job.duration"), age("kube_job_status_start_time", "job.duration")
	ran.Unit, ran.Adjust = "s", tagJob
	runs.Unless, runs.Adjust = "kube_job_duration", tagJob
	succeeded, failed := as("kube_job_status_succeeded", "job.succeeded"), as("kube_job_status_failed", "job.failed")
	succeeded.Adjust = tagJob
	failed.Adjust = func(p *naming.Point) bool { return (p.Label("reason") == "" || p.Value != 0) && tagJob(p) }
	rules := []naming.Rule{
		{Family: "kube_cronjob_next_schedule_time", Check: &naming.Check{Name: "cronjob.on_schedule_check", Due: true}},
		age("kube_cronjob_status_last_schedule_time", "cronjob.duration_since_last_schedule"),
		age("kube_cronjob_status_last_successful_time", "cronjob.duration_since_last_successful"),
		ran, runs, succeeded, failed,
	}
	rules = append(rules, jobDone("kube_job_complete", "job.completion.succeeded", naming.OK)...)
	return append(rules, jobDone("kube_job_failed", "job.completion.failed", naming.Critical)...)
}

// tagJob drops all reasons except two, to bound their number, and adds the CronJob derived
// from the name of the Job.
func tagJob(p *naming.Point) bool {
	reason := p.Label("reason")
	if !strings.EqualFold(reason, "BackoffLimitExceeded") && !strings.EqualFold(reason, "DeadlineExceeded") {
		p.Drop("reason")
	}
	if cronJob, number := cutNumber(p.Label("job_name")); len(number) >= 4 && len(number) <= 10 {
		p.Set("kube_cronjob", cronJob)
	}
	return true
}

// cutNumber cuts a name at its last dash, if only digits follow.
func cutNumber(name string) (before, number string) {
	dash := strings.LastIndexByte(name, '-')
	if dash < 1 || strings.Trim(name[dash+1:], "0123456789") != "" {
		return name, ""
	}
	return name[:dash], name[dash+1:]
}

// jobNumber splits the name of a Job into that of its CronJob and the number appended to it.
func jobNumber(name string) (cronJob string, number int64, ok bool) {
	cronJob, digits := cutNumber(name)
	if len(digits) < 3 || len(digits) > 18 { // more does not fit Point.Order
		return "", 0, false
	}
	number, err := strconv.ParseInt(digits, 10, 64)
	return cronJob, number, err == nil
}

func otherRules() []naming.Rule {
	quota := as("kube_resourcequota", "resourcequota.{resource}.{type}")
	quota.Choose = map[string]map[string]string{"type": {"hard": "limit", "used": "used"}}
	limit := as("kube_limitrange", "limitrange.{resource}.{constraint}")
	limit.Choose = map[string]map[string]string{"constraint": {
		"min": "min", "max": "max", "default": "default",
		"defaultRequest": "default_request", "maxLimitRequestRatio": "max_limit_request_ratio",
	}}
	tls := as("kube_ingress_tls", "ingress.tls")
	tls.Drop = []string{"secret"}
	ready := func(family, name string, called map[string]string) naming.Rule {
		r := as(family, name)
		r.Choose, r.Drop = map[string]map[string]string{"ready": called}, []string{"ready"}
		return r
	}
	pending := age("kube_resourceclaim_created", "resourceclaim.pending.age")
	pending.Unless = "kube_resourceclaim_status_allocated_devices"
	return []naming.Rule{
		quota,
		limit,
		active("kube_persistentvolume_status_phase", "persistentvolume.by_phase"),
		active("kube_service_spec_type", "service.type"),
		tls,
		ready("kube_endpoint_address", "endpoint.address_{ready}", map[string]string{"true": "available", "false": "not_ready"}),
		ready("kube_endpointslice_endpoints", "endpointslice.address_{ready}",
			map[string]string{"true": "available", "": "available", "false": "not_ready"}),
		pending,
		onNode("kube_resourceslice_spec_devices", "resourceslice.devices"),
		onNode("kube_resourceslice_capacity", "resourceslice.capacity"),
	}
}

// onNode returns a rule for families whose node label may be empty, which it then drops.
func onNode(family, name string) naming.Rule {
	r := as(family, name)
	r.Adjust = func(p *naming.Point) bool {
		if p.Label("node") == "" {
			p.Drop("node")
		}
		return true
	}
	return r
}
