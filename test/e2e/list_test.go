package e2e

import (
	"testing"

	"github.com/kubestate/kubestate/test/e2e/cluster"
)

// TestWithoutStreaming reads a server that refuses streaming lists, as those
// before Kubernetes 1.34 do. It does not prove that kubestate pages: a server
// answers a first list from its cache, in one piece whatever the limit.
func TestWithoutStreaming(t *testing.T) {
	t.Parallel()
	c := cluster.Start(t, apiserverBinary, "--feature-gates=WatchList=false")
	c.Grant(t, kinds()...)
	c.Create(t, "testdata/objects.yaml")
	before := c.Requests(t, replicaSets(), "LIST")
	k := start(t, c)
	k.WaitReady(t)
	if n := c.Requests(t, replicaSets(), "LIST") - before; n != 1 {
		t.Errorf("replicasets were listed %d times, not once", n)
	}
	agree(t, k, c, has(`kube_replicaset_spec_replicas{namespace="shop"`))
	remove(t, c)
	agree(t, k, c, hasNot("kube_replicaset_"))
}
