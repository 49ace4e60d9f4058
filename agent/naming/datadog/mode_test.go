package datadog_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/naming/datadog"
	"github.com/kubestate/kubestate/internal/agenttest"
)

// families returns the families that an Agent collects.
func families(x *agenttest.Cluster) (names []string) {
	for _, table := range x.Tables() {
		for _, d := range table.Schema().Families {
			names = append(names, d.Name)
		}
	}
	return names
}

// The instance for aggregations over all Pods reads only what they need; the other one
// omits them.
func TestClusterAggregates(t *testing.T) {
	only := agenttest.New(t, agent.Config{Scheme: datadog.Scheme(), PodMode: agent.ClusterAggregatesOnly})
	want := []string{
		"kube_pod_container_resource_with_owner_tag_limits", "kube_pod_container_resource_with_owner_tag_requests",
		"kube_pod_init_container_resource_with_owner_tag_limits", "kube_pod_init_container_resource_with_owner_tag_requests",
	}
	if got := families(only); !slices.Equal(got, want) {
		t.Errorf("the instance for aggregations collects %q, want %q", got, want)
	}
	rest := agenttest.New(t, agent.Config{Scheme: datadog.Scheme(), PodMode: agent.ClusterUnassigned, ClusterAggregates: true})
	for _, name := range families(rest) {
		if strings.Contains(name, "with_owner_tag") {
			t.Errorf("the other instance collects %s", name)
		}
	}
	pod := agenttest.Objects(t, `{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, uid: u},
 spec: {containers: [{name: app, resources: {requests: {cpu: "2"}}}]}, status: {phase: Running}}`)
	only.Put(pod...)
	rest.Put(pod...)
	if got := only.Lines(runAt); !slices.Equal(got, []string{"kubernetes_state.container.cpu_requested.total 2 kube_container_name:app kube_namespace:shop"}) {
		t.Errorf("the instance for aggregations sends %q", got)
	}
	for _, line := range rest.Lines(runAt) {
		if strings.Contains(line, ".total ") {
			t.Errorf("the other instance sends %s", line)
		}
	}
}

// Nothing that would be discarded is collected: unused labels and annotations, families
// without a name, kinds without a metric.
func TestUnusedFamiliesAreNotCollected(t *testing.T) {
	x := agenttest.New(t, agent.Config{Scheme: datadog.Scheme()})
	got := families(x)
	for _, name := range []string{
		"kube_pod_container_info", "kube_pod_container_state_started", "kube_pod_ips", "kube_pod_service_account", "kube_pod_status_qos_class",
		"kube_pod_owner", "kube_statefulset_status_replicas_available", "kube_deployment_owner", "kube_job_info", "kube_cronjob_info",
		"kube_node_role", "kube_node_spec_taint", "kube_persistentvolume_claim_ref", "kube_service_info", "kube_endpoint_info",
		"kube_namespace_labels", "kube_secret_labels", "kube_horizontalpodautoscaler_info",
	} {
		if slices.Contains(got, name) {
			t.Errorf("%s is collected", name)
		}
	}
	for _, table := range x.Tables() {
		if slices.Contains([]string{
			"certificatesigningrequests", "leases", "mutatingwebhookconfigurations", "validatingwebhookconfigurations",
			"networkpolicies", "storageclasses", "volumeattachments",
		}, table.Name) {
			t.Errorf("%s are read", table.Name)
		}
	}
}
