package reference

import (
	"slices"
	"testing"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/datadog"
)

func TestMadeInto(t *testing.T) {
	for metric, want := range map[string][]string{
		"kubernetes_state.pod.status_phase":        {"kube_pod_status_phase"},
		"kubernetes_state.pod.count":               {"kube_pod_info"},
		"kubernetes_state.node.ready":              {"kube_node_status_condition"},
		"kubernetes_state.node.status":             {"kube_node_spec_unschedulable"},
		"kubernetes_state.node.cpu_capacity":       {"kube_node_status_capacity"},
		"kubernetes_state.node.cpu_capacity.total": {"kube_node_status_capacity"},
		"kubernetes_state.resourcequota.pods.used": {"kube_resourcequota"},
		"kubernetes_state.resourcequota.pods.soft": nil,
		"kubernetes_state.cronjob.complete":        {"kube_job_complete", "kube_job_failed"},
		"pod.count":                                nil,
		"kubernetes_state.":                        nil,
	} {
		if got := MadeInto(datadog.Names(), metric); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", metric, got, want)
		}
	}
	plain := &agent.Names{Rules: []agent.Rule{{Family: "kube_pod_info"}, {Family: "kube_pod_labels", Metric: "{a}.{b}"}, {Family: "kube_pod_owner", Check: &agent.Check{Name: "owned"}}}}
	for metric, want := range map[string][]string{
		"kube_pod_info": {"kube_pod_info"}, "x.y": {"kube_pod_labels"}, "x": nil, "owned": {"kube_pod_owner"}, "kube_pod_owner": nil,
	} {
		if got := MadeInto(plain, metric); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", metric, got, want)
		}
	}
}
