package e2e

import (
	"strings"
	"testing"

	"github.com/kubestate/kubestate/test/e2e/cluster"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// testMetricsEqualRender follows objects from creation to deletion. At each stage, the
// output of kubestate equals that of "kubestate render" for a dump of the same objects.
func testMetricsEqualRender(t *testing.T, c *cluster.Cluster) {
	c.Grant(t, kinds()...)
	before := c.Requests(t, replicaSets(), "LIST")
	k := start(t, c)
	k.WaitReady(t)
	if n := c.Requests(t, replicaSets(), "LIST") - before; n > 0 {
		t.Errorf("replicasets were listed %d times: this server streams them", n)
	}

	agree(t, k, c, has(`kube_namespace_created{namespace="default"} `), hasNot("kube_pod_", "kube_node_", "kube_deployment_"))

	c.Create(t, "testdata/objects.yaml")
	defer remove(t, c)
	text := agree(t, k, c,
		has(`kube_pod_info{namespace="shop",pod="cart-6f9d-aaaaa",`, `kube_node_info{node="gpu-1",`,
			`kube_deployment_spec_replicas{namespace="shop",deployment="cart"} 10`,
			`kube_replicaset_owner{namespace="shop",replicaset="cart-6f9d",owner_kind="Deployment",owner_name="cart",owner_is_controller="true"} 1`,
			`kube_namespace_labels{namespace="shop",`, `kube_pod_nodeselectors{`,
			`reason="CrashLoopBackOff"} 1`))
	t.Logf("%d lines of metrics agree", strings.Count(text, "\n"))
	for name, dump := range map[string]func(*testing.T, []unstructured.Unstructured) []byte{
		"YAML documents": documents, "JSON lines": jsonLines,
	} {
		if err := difference(render(t, dump(t, c.List(t, kinds()...)), showAll()...), text); err != nil {
			t.Errorf("render of the objects as %s: %v", name, err)
		}
	}

	change(t, c)
	agree(t, k, c,
		has(`kube_deployment_spec_replicas{namespace="shop",deployment="cart"} 3`,
			`kube_namespace_status_phase{namespace="shop",phase="Terminating"} 1`,
			`kube_replicaset_status_ready_replicas{namespace="shop",replicaset="cart-6f9d"} 2`,
			`kube_node_spec_unschedulable{node="gpu-1"} 1`, `label_pool_conflict2="cpu"`, `reason="NodeLost"} 1`,
			`kube_pod_deletion_timestamp{namespace="shop",pod="cart-6f9d-aaaaa",`),
		hasNot(`label_pool_conflict2="gpu"`, `pod="evicted"`))

	remove(t, c)
	agree(t, k, c, has(`kube_namespace_created{namespace="default"} `),
		hasNot("kube_pod_", "kube_node_", "kube_deployment_", "kube_replicaset_", "shop"))
}

// change modifies objects of every kind: spec, status, labels, and both kinds of
// deletion.
func change(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	c.Patch(t, deployments(), "shop", "cart", `{"spec":{"replicas":3}}`)
	c.Patch(t, replicaSets(), "shop", "cart-6f9d",
		`{"status":{"replicas":3,"fullyLabeledReplicas":3,"readyReplicas":2,"availableReplicas":1,"terminatingReplicas":null}}`, "status")
	c.Patch(t, nodes(), "", "gpu-1", `{"metadata":{"labels":{"pool":"cpu"}},"spec":{"unschedulable":true}}`)
	c.Patch(t, pods(), "shop", "too-big", `{"status":{"phase":"Failed","reason":"NodeLost"}}`, "status")
	c.Delete(t, pods(), "shop", "cart-6f9d-aaaaa", 3600)
	c.Delete(t, pods(), "default", "evicted", 0)
	c.Delete(t, namespaces(), "", "shop", 0)
}

// remove deletes what is left of objects.yaml.
func remove(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	for _, namespace := range []string{"shop", "default"} {
		c.DeleteAll(t, pods(), namespace)
		c.DeleteAll(t, deployments(), namespace)
		c.DeleteAll(t, replicaSets(), namespace)
	}
	c.DeleteAll(t, nodes(), "")
	c.DeleteNamespace(t, "shop")
}
