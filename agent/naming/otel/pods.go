package otel

import (
	"github.com/kubestate/kubestate/agent/naming"
)

// podRules returns the rules for Pods as a whole.
func podRules() []naming.Rule {
	phase := upDown("k8s.pod.status.phase", "{pod}", "kube_pod_status_phase",
		"1 for the phase that the Pod is in, 0 for every other.")
	// kube_pod_status_reason has no sample for a Pod without a reason.
	reason := upDown("k8s.pod.status.reason", "{pod}", "kube_pod_created",
		"1 for a reason why the Pod is in its state, 0 for every other.")
	reason.States = &naming.States{
		From: []string{"kube_pod_status_reason"}, Label: "reason",
		Values: []string{"Evicted", "NodeAffinity", "NodeLost", "Shutdown", "UnexpectedAdmissionError"},
	}
	return []naming.Rule{
		renamed(phase, "phase", "k8s.pod.status.phase"),
		renamed(reason, "reason", "k8s.pod.status.reason"),
	}
}

// containerRules returns the rules for containers. Init containers have no metrics.
func containerRules() []naming.Rule {
	// kube_pod_container_status_running has one sample for every container.
	reason := upDown("k8s.container.status.reason", "{container}", "kube_pod_container_status_running",
		"1 for the reason why the container waits or has ended, 0 for every other.")
	reason.States = &naming.States{
		From: []string{"kube_pod_container_status_waiting_reason", "kube_pod_container_status_terminated_reason"}, Label: "reason",
		Values: []string{
			"ContainerCreating", "CrashLoopBackOff", "CreateContainerConfigError", "ErrImagePull", "ImagePullBackOff",
			"OOMKilled", "Completed", "Error", "ContainerCannotRun",
		},
	}
	rules := []naming.Rule{
		containerState("terminated"),
		containerState("running"),
		containerState("waiting"),
		renamed(reason, "reason", "k8s.container.status.reason"),
		upDown("k8s.container.ready", "{container}", "kube_pod_container_status_ready",
			"1 if the container is ready to take traffic, else 0."),
		upDown("k8s.container.restart.count", "{restart}", "kube_pod_container_status_restarts_total",
			"How often the container was restarted; what the kubelet has forgotten is not counted."),
	}
	for _, r := range []struct{ metric, resource, unit, of, status, help string }{
		{"k8s.container.cpu.limit.desired", "cpu", "{cpu}", "limits", "", "CPU that the container may take, as its spec says, in cores."},
		{"k8s.container.cpu.limit.current", "cpu", "{cpu}", "limits", "status_", "CPU that the container may take at present, in cores."},
		{"k8s.container.cpu.request.desired", "cpu", "{cpu}", "requests", "", "CPU that the container requests, as its spec says, in cores."},
		{"k8s.container.cpu.request.current", "cpu", "{cpu}", "requests", "status_", "CPU that is kept for the container at present, in cores."},
		{"k8s.container.memory.limit.desired", "memory", "By", "limits", "", "Memory that the container may take, as its spec says, in bytes."},
		{"k8s.container.memory.limit.current", "memory", "By", "limits", "status_", "Memory that the container may take at present, in bytes."},
		{"k8s.container.memory.request.desired", "memory", "By", "requests", "", "Memory that the container requests, as its spec says, in bytes."},
		{"k8s.container.memory.request.current", "memory", "By", "requests", "status_", "Memory that is kept for the container at present, in bytes."},
		{"k8s.container.storage.limit", "storage", "By", "limits", "", "Storage that the container may take, in bytes."},
		{"k8s.container.storage.request", "storage", "By", "requests", "", "Storage that the container requests, in bytes."},
		{"k8s.container.ephemeral_storage.limit", "ephemeral_storage", "By", "limits", "", "Ephemeral storage that the container may take, in bytes."},
		{"k8s.container.ephemeral_storage.request", "ephemeral_storage", "By", "requests", "", "Ephemeral storage that the container requests, in bytes."},
	} {
		rule := where(upDown(r.metric, r.unit, "kube_pod_container_"+r.status+"resource_"+r.of, r.help), "resource", r.resource)
		rule.Drop = append(rule.Drop, "unit", "node") // the Pod has the node
		rules = append(rules, rule)
	}
	return rules
}

func containerState(state string) naming.Rule {
	r := upDown("k8s.container.status.state", "{container}", "kube_pod_container_status_"+state,
		"1 for the state that the container is in, 0 for every other.")
	r.Set = map[string]string{"k8s.container.status.state": state}
	return r
}
