package e2e

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kubestate/kubestate/test/e2e/cluster"
	"github.com/kubestate/kubestate/test/e2e/harness"
)

// startStandby starts an exporter that competes for the Lease that the deployed Role grants.
func startStandby(t *testing.T, c *cluster.Cluster) *harness.Kubestate {
	t.Helper()
	k := harness.StartKubestate(t, kubestateBinary, "--kubeconfig="+c.Kubeconfig(t, cluster.Kubestate),
		"--resources=pods,nodes", "--leader-election", "--leader-election-namespace="+leaseNamespace, "--leader-election-name=kubestate-agent")
	k.WaitReady(t)
	return k
}

// leads waits until a replica serves series, which no other may do.
func leads(t *testing.T, k *harness.Kubestate, limit time.Duration, others ...*harness.Kubestate) {
	t.Helper()
	k.Eventually(t, limit, "series", func() error {
		body := k.Scrape(t)
		for _, other := range others {
			if body != "" && other.Scrape(t) != "" {
				t.Fatal("two replicas serve series")
			}
		}
		if !strings.Contains(body, "kube_node_info{") {
			return errors.New("no series yet")
		}
		return nil
	})
}

// testStandby runs two exporters, of which one serves series. The other follows when that one
// shuts down, and within 20 seconds when it is killed.
func testStandby(t *testing.T, c *cluster.Cluster) {
	c.Grant(t, kinds()...)
	defer c.GrantIn(t, leaseNamespace, "../../deploy/agent-leader-election.yaml")()
	c.Create(t, "testdata/objects.yaml")
	defer remove(t, c)

	first := startStandby(t, c)
	leads(t, first, 3*time.Minute) // the Lease may have a holder that was killed
	second := startStandby(t, c)
	if body := second.Scrape(t); body != "" {
		t.Errorf("the standby answers %.200q", body)
	}
	leads(t, first, time.Minute, second)

	first.Signal(syscall.SIGTERM)
	if code := first.ExitCode(t, 30*time.Second); code != 0 {
		t.Errorf("exit code %d after SIGTERM, not 0", code)
	}
	leads(t, second, 10*time.Second)

	third := startStandby(t, c)
	second.Kill()
	leads(t, third, 20*time.Second+5*time.Second) // and what a busy machine adds
}
