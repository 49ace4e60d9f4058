package e2e

import (
	"testing"

	"github.com/kubestate/kubestate/test/e2e/cluster"
)

// The API server rejects streaming lists, as before Kubernetes 1.34. This does not test
// paging: a server answers an initial list from its cache, in one page whatever the
// limit.
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
