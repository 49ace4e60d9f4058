package datadog

import (
	"slices"

	"github.com/kubestate/kubestate/agent/naming"
)

// rolloutLabel marks Pods of an Argo Rollout.
const rolloutLabel = "label_rollouts_pod_template_hash"

// standardLabels maps labels of objects to Datadog's standard tags.
func standardLabels() map[string]string {
	return map[string]string{
		"label_tags_datadoghq_com_env":       "env",
		"label_tags_datadoghq_com_service":   "service",
		"label_tags_datadoghq_com_version":   "version",
		"label_app_kubernetes_io_name":       "kube_app_name",
		"label_app_kubernetes_io_instance":   "kube_app_instance",
		"label_app_kubernetes_io_version":    "kube_app_version",
		"label_app_kubernetes_io_component":  "kube_app_component",
		"label_app_kubernetes_io_part_of":    "kube_app_part_of",
		"label_app_kubernetes_io_managed_by": "kube_app_managed_by",
		"label_helm_sh_chart":                "helm_chart",
	}
}

// placeLabels are the topology labels of a Node.
func placeLabels() map[string]string {
	return map[string]string{
		"label_topology_kubernetes_io_region":            "kube_region",
		"label_failure_domain_beta_kubernetes_io_region": "kube_region",
		"label_topology_kubernetes_io_zone":              "kube_zone",
		"label_failure_domain_beta_kubernetes_io_zone":   "kube_zone",
	}
}

// labelTags maps labels to tags.
func labelTags() map[string]string {
	tags := map[string]string{
		"namespace":             "kube_namespace",
		"job_name":              "kube_job",
		"cronjob":               "kube_cronjob",
		"pod":                   "pod_name",
		"priority_class":        "kube_priority_class",
		"daemonset":             "kube_daemon_set",
		"replicationcontroller": "kube_replication_controller",
		"replicaset":            "kube_replica_set",
		"statefulset":           "kube_stateful_set",
		"deployment":            "kube_deployment",
		"container":             "kube_container_name",
		"container_id":          "container_id",
		"image":                 "image_name",
		"endpoint":              "kube_endpoint",
		"endpointslice":         "kube_endpointslice",
		"ingress":               "kube_ingress",
	}
	return merged(tags, standardLabels(), placeLabels())
}

func overrides() []naming.Override {
	return []naming.Override{
		{Prefix: "kube_pod", Tags: map[string]string{"phase": "pod_phase"}},
		{Prefix: "kube_ingress", Tags: map[string]string{
			"host": "kube_ingress_host", "path": "kube_ingress_path", "service_name": "kube_service", "service_port": "kube_service_port",
		}},
		{Prefix: "kube_service", Tags: map[string]string{"service": "kube_service"}},
	}
}

// ownerTags maps kinds of owners to tags.
func ownerTags() map[string]string {
	return map[string]string{
		"CronJob":               "kube_cronjob",
		"DaemonSet":             "kube_daemon_set",
		"Deployment":            "kube_deployment",
		"Job":                   "kube_job",
		"Namespace":             "kube_namespace",
		"Pod":                   "pod_name",
		"ReplicaSet":            "kube_replica_set",
		"ReplicationController": "kube_replication_controller",
		"Service":               "kube_service",
		"StatefulSet":           "kube_stateful_set",
	}
}

// remoteConfig are the annotations of Datadog Remote Configuration.
func remoteConfig() map[string]map[string]string {
	tags := map[string]string{
		"admission.datadoghq.com/rc.id":  "dd_remote_config_id",
		"admission.datadoghq.com/rc.rev": "dd_remote_config_rev",
	}
	return map[string]map[string]string{"pod": tags, "deployment": tags}
}

func defaultJoins() map[string]naming.Join {
	standard := keys(standardLabels())
	join := func(match []string, get ...string) naming.Join { return naming.Join{Match: match, Get: get} }
	return map[string]naming.Join{
		"kube_pod_status_phase":                 join([]string{"pod", "namespace"}, "phase"),
		"kube_pod_info":                         join([]string{"pod", "namespace"}, "node", "created_by_kind", "created_by_name", "priority_class"),
		"kube_pod_labels":                       join([]string{"pod", "namespace"}, append(standard, rolloutLabel)...),
		"kube_pod_status_reason":                join([]string{"pod", "namespace"}, "reason"),
		"kube_persistentvolume_info":            join([]string{"persistentvolume"}, "storageclass"),
		"kube_persistentvolumeclaim_info":       join([]string{"persistentvolumeclaim", "namespace"}, "storageclass"),
		"kube_horizontalpodautoscaler_ownerref": join([]string{"horizontalpodautoscaler", "namespace"}, "ownerref_kind", "ownerref_name"),
		"kube_deployment_labels":                join([]string{"deployment", "namespace"}, standard...),
		"kube_replicaset_labels":                join([]string{"replicaset", "namespace"}, standard...),
		"kube_daemonset_labels":                 join([]string{"daemonset", "namespace"}, standard...),
		"kube_statefulset_labels":               join([]string{"statefulset", "namespace"}, standard...),
		"kube_job_labels":                       join([]string{"job_name", "namespace"}, standard...),
		"kube_cronjob_labels":                   join([]string{"cronjob", "namespace"}, standard...),
		"kube_node_labels":                      join([]string{"node"}, keys(placeLabels())...),
		"kube_node_info":                        join([]string{"node"}, nodeVersions()...),
	}
}

// nodeVersions are the labels with the software versions of a Node.
func nodeVersions() []string {
	return []string{"kubelet_version", "container_runtime_version", "kernel_version", "os_image"}
}

func keys(m map[string]string) []string {
	var k []string
	for key := range m {
		k = append(k, key)
	}
	slices.Sort(k)
	return slices.Clip(k)
}
