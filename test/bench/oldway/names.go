package oldway

import (
	"maps"
	"strings"
)

// pointNames are the families that are only renamed.
func pointNames() map[string]string { //nolint:funlen // a table
	return map[string]string{
		"kube_apiservice_status_condition":                                                         "apiservice.condition",
		"kube_customresourcedefinition_status_condition":                                           "crd.condition",
		"kube_daemonset_status_current_number_scheduled":                                           "daemonset.scheduled",
		"kube_daemonset_status_desired_number_scheduled":                                           "daemonset.desired",
		"kube_daemonset_status_number_misscheduled":                                                "daemonset.misscheduled",
		"kube_daemonset_status_number_ready":                                                       "daemonset.ready",
		"kube_daemonset_status_updated_number_scheduled":                                           "daemonset.updated",
		"kube_daemonset_status_number_unavailable":                                                 "daemonset.daemons_unavailable",
		"kube_daemonset_status_number_available":                                                   "daemonset.daemons_available",
		"kube_deployment_spec_paused":                                                              "deployment.paused",
		"kube_deployment_spec_replicas":                                                            "deployment.replicas_desired",
		"kube_deployment_spec_strategy_rollingupdate_max_unavailable":                              "deployment.rollingupdate.max_unavailable",
		"kube_deployment_spec_strategy_rollingupdate_max_surge":                                    "deployment.rollingupdate.max_surge",
		"kube_deployment_status_replicas":                                                          "deployment.replicas",
		"kube_deployment_status_replicas_ready":                                                    "deployment.replicas_ready",
		"kube_deployment_status_replicas_available":                                                "deployment.replicas_available",
		"kube_deployment_status_replicas_unavailable":                                              "deployment.replicas_unavailable",
		"kube_deployment_status_replicas_updated":                                                  "deployment.replicas_updated",
		"kube_deployment_status_condition":                                                         "deployment.condition",
		"kube_pod_container_status_terminated":                                                     "container.terminated",
		"kube_pod_container_status_waiting":                                                        "container.waiting",
		"kube_pod_container_status_ready":                                                          "container.ready",
		"kube_pod_container_status_running":                                                        "container.running",
		"kube_pod_container_status_restarts_total":                                                 "container.restarts",
		"kube_pod_init_container_status_waiting":                                                   "initcontainer.waiting",
		"kube_pod_init_container_status_restarts_total":                                            "initcontainer.restarts",
		"kube_pod_init_container_status_ready":                                                     "initcontainer.ready",
		"kube_pod_init_container_status_running":                                                   "initcontainer.running",
		"kube_pod_status_ready":                                                                    "pod.ready",
		"kube_pod_status_scheduled":                                                                "pod.scheduled",
		"kube_pod_status_unschedulable":                                                            "pod.unschedulable",
		"kube_pod_spec_volumes_persistentvolumeclaims_readonly":                                    "pod.volumes.persistentvolumeclaims_readonly",
		"kube_pod_tolerations":                                                                     "pod.tolerations",
		"kube_persistentvolumeclaim_status_phase":                                                  "persistentvolumeclaim.status",
		"kube_persistentvolumeclaim_access_mode":                                                   "persistentvolumeclaim.access_mode",
		"kube_persistentvolumeclaim_resource_requests_storage_bytes":                               "persistentvolumeclaim.request_storage",
		"kube_persistentvolume_capacity_bytes":                                                     "persistentvolume.capacity",
		"kube_poddisruptionbudget_status_current_healthy":                                          "pdb.pods_healthy",
		"kube_poddisruptionbudget_status_desired_healthy":                                          "pdb.pods_desired",
		"kube_poddisruptionbudget_status_pod_disruptions_allowed":                                  "pdb.disruptions_allowed",
		"kube_poddisruptionbudget_status_expected_pods":                                            "pdb.pods_total",
		"kube_secret_type":                                                                         "secret.type",
		"kube_replicaset_spec_replicas":                                                            "replicaset.replicas_desired",
		"kube_replicaset_status_fully_labeled_replicas":                                            "replicaset.fully_labeled_replicas",
		"kube_replicaset_status_ready_replicas":                                                    "replicaset.replicas_ready",
		"kube_replicaset_status_replicas":                                                          "replicaset.replicas",
		"kube_replicationcontroller_spec_replicas":                                                 "replicationcontroller.replicas_desired",
		"kube_replicationcontroller_status_available_replicas":                                     "replicationcontroller.replicas_available",
		"kube_replicationcontroller_status_fully_labeled_replicas":                                 "replicationcontroller.fully_labeled_replicas",
		"kube_replicationcontroller_status_ready_replicas":                                         "replicationcontroller.replicas_ready",
		"kube_replicationcontroller_status_replicas":                                               "replicationcontroller.replicas",
		"kube_statefulset_replicas":                                                                "statefulset.replicas_desired",
		"kube_statefulset_status_replicas":                                                         "statefulset.replicas",
		"kube_statefulset_status_replicas_current":                                                 "statefulset.replicas_current",
		"kube_statefulset_status_replicas_ready":                                                   "statefulset.replicas_ready",
		"kube_statefulset_status_replicas_updated":                                                 "statefulset.replicas_updated",
		"kube_horizontalpodautoscaler_spec_min_replicas":                                           "hpa.min_replicas",
		"kube_horizontalpodautoscaler_spec_max_replicas":                                           "hpa.max_replicas",
		"kube_horizontalpodautoscaler_spec_target_metric":                                          "hpa.spec_target_metric",
		"kube_horizontalpodautoscaler_status_condition":                                            "hpa.condition",
		"kube_horizontalpodautoscaler_status_desired_replicas":                                     "hpa.desired_replicas",
		"kube_horizontalpodautoscaler_status_current_replicas":                                     "hpa.current_replicas",
		"kube_horizontalpodautoscaler_status_target_metric":                                        "hpa.status_target_metric",
		"kube_verticalpodautoscaler_status_recommendation_containerrecommendations_lowerbound":     "vpa.lower_bound",
		"kube_verticalpodautoscaler_status_recommendation_containerrecommendations_target":         "vpa.target",
		"kube_verticalpodautoscaler_status_recommendation_containerrecommendations_uncappedtarget": "vpa.uncapped_target",
		"kube_verticalpodautoscaler_status_recommendation_containerrecommendations_upperbound":     "vpa.upperbound",
		"kube_verticalpodautoscaler_spec_updatepolicy_updatemode":                                  "vpa.update_mode",
		"kube_verticalpodautoscaler_spec_resourcepolicy_container_policies_minallowed":             "vpa.spec_container_minallowed",
		"kube_verticalpodautoscaler_spec_resourcepolicy_container_policies_maxallowed":             "vpa.spec_container_maxallowed",
		"kube_cronjob_spec_suspend":                                                                "cronjob.spec_suspend",
		"kube_ingress_path":                                                                        "ingress.path",
		"kube_resourceclaim_status":                                                                "resourceclaim.count",
		"kube_resourceclaim_devices_allocated":                                                     "resourceclaim.devices.allocated",
		"kube_resourceslice_devices_total":                                                         "resourceslice.devices",
		"kube_resourceslice_capacity":                                                              "resourceslice.capacity",
		"kube_devicetaintrule_info":                                                                "dra.device_taint_rule",
	}
}

// tagNames are the keys of tags by label; others keep their name.
func tagNames() map[string]string {
	names := map[string]string{
		"namespace": "kube_namespace", "job_name": "kube_job", "cronjob": "kube_cronjob", "pod": "pod_name",
		"priority_class": "kube_priority_class", "daemonset": "kube_daemon_set", "replicationcontroller": "kube_replication_controller",
		"replicaset": "kube_replica_set", "statefulset": "kube_stateful_set", "deployment": "kube_deployment",
		"container": "kube_container_name", "container_id": "container_id", "image": "image_name", "endpoint": "kube_endpoint",
		"endpointslice": "kube_endpointslice", "ingress": "kube_ingress", "label_helm_sh_chart": "helm_chart",
		"annotation_admission_datadoghq_com_rc_id":  "dd_remote_config_id",
		"annotation_admission_datadoghq_com_rc_rev": "dd_remote_config_rev",
	}
	for _, what := range []string{"region", "zone"} {
		names["label_topology_kubernetes_io_"+what] = "kube_" + what
		names["label_failure_domain_beta_kubernetes_io_"+what] = "kube_" + what
	}
	for _, what := range []string{"env", "service", "version"} {
		names["label_tags_datadoghq_com_"+what] = what
	}
	for _, what := range []string{"name", "instance", "version", "component", "part_of", "managed_by"} {
		names["label_app_kubernetes_io_"+what] = "kube_app_" + what
	}
	return names
}

// override replaces entries of tagNames for families whose name starts with prefix.
type override struct {
	prefix string
	tags   map[string]string
}

func overrides() []override {
	return []override{
		{"kube_pod", map[string]string{"phase": "pod_phase"}},
		{"kube_ingress", map[string]string{
			"host": "kube_ingress_host", "path": "kube_ingress_path", "service_name": "kube_service", "service_port": "kube_service_port"}},
		{"kube_service", map[string]string{"service": "kube_service"}},
	}
}

// overridesOf returns the overrides of a family.
func (c *Check) overridesOf(family string) map[string]string {
	all := map[string]string{}
	for _, o := range c.override {
		if strings.HasPrefix(family, o.prefix) {
			maps.Copy(all, o.tags)
		}
	}
	return all
}

// ownerTags are the keys of tags for the name of an owner, by its kind.
func ownerTags() map[string]string {
	return map[string]string{
		"Deployment": "kube_deployment", "DaemonSet": "kube_daemon_set", "StatefulSet": "kube_stateful_set", "ReplicaSet": "kube_replica_set",
		"ReplicationController": "kube_replication_controller", "Job": "kube_job", "CronJob": "kube_cronjob",
	}
}

// allTotals are the default aggregations.
func allTotals() []total {
	count := func(family, name string, by ...string) total { return total{family: family, name: name, by: by} }
	sum := func(family, name string, by ...string) total {
		return total{family: family, name: name, by: by, sum: true}
	}
	totals := []total{
		count("kube_configmap_info", "configmap.count", "namespace"),
		count("kube_secret_info", "secret.count", "namespace"),
		count("kube_apiservice_labels", "apiservice.count"),
		count("kube_customresourcedefinition_labels", "crd.count"),
		sum("kube_persistentvolume_status_phase", "persistentvolumes.by_phase", "storageclass", "phase"),
		count("kube_service_spec_type", "service.count", "namespace", "type"),
		sum("kube_namespace_status_phase", "namespace.count", "phase"),
		count("kube_replicaset_owner", "replicaset.count", "namespace", "owner_name", "owner_kind"),
		count("kube_job_owner", "job.count", "namespace", "owner_name", "owner_kind"),
		count("kube_node_info", "node.count", "kubelet_version", "container_runtime_version", "kernel_version", "os_image"),
		count("kube_pod_info", "pod.count", "node", "namespace", "created_by_kind", "created_by_name"),
	}
	for family, name := range countedByLabels() {
		totals = append(totals, count(family, name, "namespace"))
	}
	of := func(family, name string, resources []string, by ...string) {
		t := sum(family, name, by...)
		t.resources = resources
		totals = append(totals, t)
	}
	some, all := []string{"cpu", "memory"}, []string{"cpu", "memory", "gpu", "mig"}
	of("kube_node_status_allocatable", "node."+resourceMark+"_allocatable.total", all)
	of("kube_node_status_capacity", "node."+resourceMark+"_capacity.total", all)
	for family, name := range map[string]string{"kube_pod_container": "container.", "kube_pod_init_container": "initcontainer."} {
		family += "_resource_with_owner_tag_"
		name += resourceMark
		of(family+"requests", name+"_requested.total", some, "namespace", "container", "owner_name", "owner_kind")
		of(family+"limits", name+"_limit.total", all, "namespace", "container", "owner_name", "owner_kind")
	}
	return totals
}

// countedByLabels are the families with one sample per object that count objects by
// namespace.
func countedByLabels() map[string]string {
	return map[string]string{
		"kube_deployment_labels": "deployment.count", "kube_daemonset_labels": "daemonset.count", "kube_statefulset_labels": "statefulset.count",
		"kube_cronjob_labels": "cronjob.count", "kube_endpoint_labels": "endpoint.count", "kube_ingress_labels": "ingress.count",
		"kube_horizontalpodautoscaler_labels": "hpa.count", "kube_verticalpodautoscaler_labels": "vpa.count",
	}
}
