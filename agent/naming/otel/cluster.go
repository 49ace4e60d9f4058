package otel

import (
	"github.com/kubestate/kubestate/agent/naming"
)

// clusterRules returns the rules for Nodes, Namespaces, Services and storage.
func clusterRules() []naming.Rule {
	namespace := renamed(upDown("k8s.namespace.phase", "{namespace}", "kube_namespace_status_phase",
		"1 for the phase that the Namespace is in, 0 for the other."), "phase", "k8s.namespace.phase")
	namespace.Values = map[string]map[string]string{"phase": {"Active": "active", "Terminating": "terminating"}}
	ingress := upDown("k8s.service.load_balancer.ingress.count", "{ingress}", "kube_service_status_load_balancer_addresses",
		"Addresses of the load balancer of the Service.")
	ingress.Type = naming.Gauge
	return []naming.Rule{
		allocatable("k8s.node.cpu.allocatable", "cpu", "{cpu}", "CPU that the Node has for Pods, in cores."),
		allocatable("k8s.node.ephemeral_storage.allocatable", "ephemeral_storage", "By", "Ephemeral storage that the Node has for Pods, in bytes."),
		allocatable("k8s.node.memory.allocatable", "memory", "By", "Memory that the Node has for Pods, in bytes."),
		allocatable("k8s.node.pod.allocatable", "pods", "{pod}", "Pods that the Node has room for."),
		renamed(renamed(upDown("k8s.node.condition.status", "{node}", "kube_node_status_every_condition",
			"1 for what is known of a condition of the Node, 0 for the rest."),
			"condition", "k8s.node.condition.type"), "status", "k8s.node.condition.status"),
		namespace,
		ingress,
		renamed(upDown("k8s.persistentvolume.status.phase", "{persistentvolume}", "kube_persistentvolume_status_phase",
			"1 for the phase that the PersistentVolume is in, 0 for every other."), "phase", "k8s.persistentvolume.status.phase"),
		upDown("k8s.persistentvolume.storage.capacity", "By", "kube_persistentvolume_capacity_bytes", "Size of the PersistentVolume, in bytes."),
		renamed(upDown("k8s.persistentvolumeclaim.status.phase", "{persistentvolumeclaim}", "kube_persistentvolumeclaim_status_phase",
			"1 for the phase that the PersistentVolumeClaim is in, 0 for every other."), "phase", "k8s.persistentvolumeclaim.status.phase"),
		upDown("k8s.persistentvolumeclaim.storage.request", "By", "kube_persistentvolumeclaim_resource_requests_storage_bytes",
			"Storage that the PersistentVolumeClaim asks for, in bytes."),
		upDown("k8s.persistentvolumeclaim.storage.capacity", "By", "kube_persistentvolumeclaim_status_capacity_storage_bytes",
			"Storage that the volume of the PersistentVolumeClaim has, in bytes."),
	}
}

func allocatable(metric, resource, unit, help string) naming.Rule {
	r := where(upDown(metric, unit, "kube_node_status_allocatable", help), "resource", resource)
	r.Drop = append(r.Drop, "unit")
	return r
}
