package kind

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

type node = corev1.Node

var podCIDR = label("pod_cidr", "range of IP addresses for Pods on the Node")

// Nodes is the table of v1 Node.
var Nodes = define(Kind[node]{
	Resource: Resource{Version: "v1", Name: "nodes", Kind: "Node"},
	Identity: labels{nodeName},
	Reads: []string{
		"metadata.labels",
		"spec.{podCIDR,podCIDRs,providerID,unschedulable}",
		"spec.taints.{key,value,effect}",
		"status.{capacity,allocatable,addresses}",
		"status.nodeInfo.{kernelVersion,osImage,containerRuntimeVersion,kubeletVersion,systemUUID}",
		"status.conditions.{type,status}",
	},
	Begin: func(n *node, e *metric.Emitter, s *metric.Schema) { e.Begin(s, n.Name) },
	Rows: []Row[node]{
		annotationsOf("kube_node_annotations", alpha, "Node annotations selected by --metric-annotations-allowlist.",
			func(n *node) map[string]string { return n.Annotations }),
		timestamp("kube_node_created", stable, "When the Node was created, in Unix seconds.",
			func(n *node) *metav1.Time { return &n.CreationTimestamp }),
		timestamp("kube_node_deletion_timestamp", alpha, "When the deletion of the Node was asked for, in Unix seconds.",
			func(n *node) *metav1.Time { return n.DeletionTimestamp }),
		each("kube_node_info", stable, "What the Node is and what software it runs; always 1.", labels{
			label("kernel_version", "version of the kernel"),
			label("os_image", "name of the operating system"),
			label("container_runtime_version", "name and version of the container runtime"),
			label("kubelet_version", "version of the kubelet"),
			label("kubeproxy_version", "always the word deprecated: Kubernetes no longer knows this version"),
			label("provider_id", "ID of the machine at its cloud provider"),
			podCIDR,
			label("system_uuid", "UUID of the machine"),
			label("internal_ip", "IP address inside the cluster, the last if there are several"),
		}, nodeInfo),
		labelsOf("kube_node_labels", stable, "Node labels selected by --metric-labels-allowlist.",
			func(n *node) map[string]string { return n.Labels }),
		each("kube_node_role", alpha, "One series of value 1 per role of the Node.",
			labels{label("role", "what follows node-role.kubernetes.io/ in a label of the Node")}, nodeRoles),
		each("kube_node_spec_pod_cidrs", alpha, "One series of value 1 per range of IP addresses for Pods on the Node.", labels{podCIDR},
			func(n *node, e *metric.Emitter) {
				for _, cidr := range n.Spec.PodCIDRs {
					e.Add(1, cidr)
				}
			}),
		each("kube_node_spec_taint", stable, "One series of value 1 per taint of the Node.", labels{taintKey, taintValue, taintEffect},
			func(n *node, e *metric.Emitter) {
				for i := range n.Spec.Taints {
					t := &n.Spec.Taints[i]
					e.Add(1, t.Key, t.Value, string(t.Effect))
				}
			}),
		truth("kube_node_spec_unschedulable", stable, "1 if the Node is cordoned, so that it takes no new Pods, else 0.",
			func(n *node) bool { return n.Spec.Unschedulable }),
		each("kube_node_status_allocatable", stable, "What the Node has of a resource for Pods, in the unit that the label unit names.", labels{resource, unit},
			func(n *node, e *metric.Emitter) { nodeResources(n.Status.Allocatable, e) }),
		each("kube_node_status_capacity", stable, "What the Node has of a resource in all, in the unit that the label unit names.", labels{resource, unit},
			func(n *node, e *metric.Emitter) { nodeResources(n.Status.Capacity, e) }),
		each("kube_node_status_condition", stable, "1 for the current status of the condition (true, false or unknown), 0 for the other two.", labels{condition, status},
			func(n *node, e *metric.Emitter) {
				for i := range n.Status.Conditions {
					c := &n.Status.Conditions[i]
					conditionSeries(string(c.Status), e, string(c.Type))
				}
			}),
		each("kube_node_status_addresses", alpha, "One series of value 1 per address of the Node.", labels{
			label("type", "what the address is: Hostname, InternalIP, ExternalIP, InternalDNS or ExternalDNS"),
			label("address", "the address"),
		}, func(n *node, e *metric.Emitter) {
			for i := range n.Status.Addresses {
				a := &n.Status.Addresses[i]
				e.Add(1, string(a.Type), a.Address)
			}
		}),
		beyond(each("kube_node_status_every_condition", alpha, "1 for what is known of a condition of the Node, 0 for the rest, also of those conditions of Kubernetes itself that the Node does not have.",
			labels{condition, status}, everyCondition)),
		beyond(each("kube_node_status_extended_allocatable", alpha, "What the Node has of kubernetes.io/network-bandwidth for Pods, in bytes.", labels{resource, unit},
			func(n *node, e *metric.Emitter) { nodeBandwidth(n.Status.Allocatable, e) })),
		beyond(each("kube_node_status_extended_capacity", alpha, "What the Node has of kubernetes.io/network-bandwidth in all, in bytes.", labels{resource, unit},
			func(n *node, e *metric.Emitter) { nodeBandwidth(n.Status.Capacity, e) })),
	},
})

// ownConditions are the conditions defined by Kubernetes.
var ownConditions = [...]corev1.NodeConditionType{
	corev1.NodeReady, corev1.NodeMemoryPressure, corev1.NodeDiskPressure, corev1.NodePIDPressure, corev1.NodeNetworkUnavailable,
}

// everyCondition emits the conditions of the Node, then those defined by Kubernetes that
// the Node does not have.
func everyCondition(n *node, e *metric.Emitter) {
	has := func(t corev1.NodeConditionType) bool {
		return slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool { return c.Type == t })
	}
	for i := range n.Status.Conditions {
		c := &n.Status.Conditions[i]
		conditionSeries(string(c.Status), e, string(c.Type))
	}
	for _, t := range ownConditions {
		if !has(t) {
			conditionSeries("", e, string(t))
		}
	}
}

func nodeInfo(n *node, e *metric.Emitter) {
	var internalIP string
	for i := range n.Status.Addresses {
		if a := &n.Status.Addresses[i]; a.Type == corev1.NodeInternalIP {
			internalIP = a.Address
		}
	}
	i := &n.Status.NodeInfo
	e.Add(1, i.KernelVersion, i.OSImage, i.ContainerRuntimeVersion, i.KubeletVersion, "deprecated",
		n.Spec.ProviderID, n.Spec.PodCIDR, i.SystemUUID, internalIP)
}

func nodeRoles(n *node, e *metric.Emitter) {
	for _, key := range metric.SortedKeys(e, n.Labels) {
		if role, ok := strings.CutPrefix(key, "node-role.kubernetes.io/"); ok {
			e.Add(1, role)
		}
	}
}

// nodeResources emits the resources of a Node, with pods last.
func nodeResources(list corev1.ResourceList, e *metric.Emitter) {
	resources(list, fractional, e)
	oneResource(list, corev1.ResourcePods, fractional, e, string(corev1.ResourcePods), unitInteger)
}

func nodeBandwidth(list corev1.ResourceList, e *metric.Emitter) {
	oneResource(list, networkBandwidth, fractional, e, networkBandwidthLabel, unitByte)
}
