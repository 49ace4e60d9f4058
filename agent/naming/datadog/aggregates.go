package datadog

import (
	"github.com/kubestate/kubestate/agent/naming"
)

// count returns an aggregate that counts samples of a family.
func count(family, name string, by ...string) naming.Aggregate {
	return naming.Aggregate{Family: family, Metric: name, Op: naming.Count, By: by}
}

// sum returns an aggregate that sums the samples of a family.
func sum(family, name string, by ...string) naming.Aggregate {
	return naming.Aggregate{Family: family, Metric: name, Op: naming.Sum, By: by}
}

func aggregates() []naming.Aggregate {
	owned := []string{"namespace", "owner_name", "owner_kind"}
	return []naming.Aggregate{
		count("kube_configmap_info", "configmap.count", "namespace"),
		count("kube_secret_info", "secret.count", "namespace"),
		count("kube_apiservice_labels", "apiservice.count"),
		count("kube_customresourcedefinition_labels", "crd.count"),
		sum("kube_persistentvolume_status_phase", "persistentvolumes.by_phase", "storageclass", "phase"),
		count("kube_service_spec_type", "service.count", "namespace", "type"),
		sum("kube_namespace_status_phase", "namespace.count", "phase"),
		count("kube_replicaset_owner", "replicaset.count", owned...),
		count("kube_job_owner", "job.count", owned...),
		count("kube_deployment_labels", "deployment.count", "namespace"),
		count("kube_daemonset_labels", "daemonset.count", "namespace"),
		count("kube_statefulset_labels", "statefulset.count", "namespace"),
		count("kube_cronjob_labels", "cronjob.count", "namespace"),
		count("kube_endpoint_labels", "endpoint.count", "namespace"),
		count("kube_horizontalpodautoscaler_labels", "hpa.count", "namespace"),
		count("kube_verticalpodautoscaler_labels", "vpa.count", "namespace"),
		count("kube_ingress_labels", "ingress.count", "namespace"),
		count("kube_node_info", "node.count", nodeVersions()...),
		count("kube_pod_info", "pod.count", "node", "namespace", "created_by_kind", "created_by_name"),
		lastJob("kube_job_complete", naming.OK),
		lastJob("kube_job_failed", naming.Critical),
		total("kube_node_status_allocatable", "node.{resource}_allocatable.total", computing(), gpus()),
		total("kube_node_status_capacity", "node.{resource}_capacity.total", computing(), gpus()),
		ofContainers("kube_pod_container_resource_with_owner_tag_requests", "container.{resource}_requested.total"),
		ofContainers("kube_pod_container_resource_with_owner_tag_limits", "container.{resource}_limit.total"),
		ofContainers("kube_pod_init_container_resource_with_owner_tag_requests", "initcontainer.{resource}_requested.total"),
		ofContainers("kube_pod_init_container_resource_with_owner_tag_limits", "initcontainer.{resource}_limit.total"),
	}
}

// total returns an aggregate that sums a family, separately for each of some resources.
func total(family, name string, called ...map[string]string) naming.Aggregate {
	a := sum(family, name)
	a.Choose = map[string]map[string]string{"resource": merged(called...)}
	return a
}

// ofContainers returns an aggregate that sums over the containers of a workload. The
// families have only CPU and memory.
func ofContainers(family, name string) naming.Aggregate {
	a := total(family, name, computing())
	a.By = []string{"namespace", "container", "owner_name", "owner_kind"}
	a.Cluster = true
	return a
}

// lastJob returns the check with the result of the last Job of each CronJob.
func lastJob(family string, status naming.Status) naming.Aggregate {
	return naming.Aggregate{
		Family: family, Op: naming.Latest, By: []string{"namespace", "cronjob"},
		Filter: naming.Filter{Equal: new(1.0), Where: map[string][]string{"condition": {"true"}}},
		Check:  &naming.Check{Name: "cronjob.complete", Status: status},
		Adjust: func(p *naming.Point) bool {
			cronJob, number, ok := jobNumber(p.Label("job_name"))
			p.Set("cronjob", cronJob)
			p.Order = number
			return ok
		},
	}
}
