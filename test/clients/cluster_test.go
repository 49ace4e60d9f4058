package clients

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
	simcluster "github.com/kubestate/kubestate/internal/sim/cluster"
	"github.com/kubestate/kubestate/test/e2e/harness"
)

// The simulated cluster. Its response is larger than what clients buffer or accept by
// default, and has many pieces.
const (
	nodes       = 60
	pods        = 2500
	minimumBody = 20_000_000 // bytes of the text format
)

// cluster is a simulated cluster that changes only when a test says so.
type cluster struct {
	apiServer string // URL
	churn     *simcluster.Churn
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	store, err := apiserver.NewStore(apiserver.StoreConfig{Resources: apiserver.Resources()})
	if err != nil {
		t.Fatal(err)
	}
	if err := simcluster.Generate(store, simcluster.Config{Nodes: nodes, Pods: pods, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	churn, err := simcluster.NewChurn(store, simcluster.ChurnConfig{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	server, err := apiserver.Start(apiserver.New(store, apiserver.Config{}), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return &cluster{apiServer: server.URL, churn: churn}
}

// kubestate starts a kubestate that watches the cluster, and returns when it is ready.
func (c *cluster) kubestate(t *testing.T) *harness.Kubestate {
	t.Helper()
	var resources []string
	for _, r := range apiserver.Resources() {
		if r.Name != "events" { // kubestate has no metrics of them
			resources = append(resources, r.Name)
		}
	}
	k := harness.StartKubestate(t, kubestateBinary, "--apiserver="+c.apiServer, "--resources="+strings.Join(resources, ","))
	k.WaitReady(t)
	return k
}

// change makes n changes, and returns when the response of k equals that of a kubestate
// started afterwards.
func (c *cluster) change(t *testing.T, k *harness.Kubestate, n int) {
	t.Helper()
	before := lines(k.Scrape(t))
	if err := c.churn.Step(n); err != nil {
		t.Fatal(err)
	}
	fresh := c.kubestate(t)
	want := lines(fresh.Scrape(t))
	fresh.Kill()
	if slices.Equal(want, before) {
		t.Fatalf("%d changes of the cluster have changed no metric", n)
	}
	harness.Eventually(t, time.Minute, "kubestate catches up with one started after the changes", func() error {
		got := lines(k.Scrape(t))
		if slices.Equal(got, want) {
			return nil
		}
		return fmt.Errorf("%d lines and %d lines, and they differ", len(got), len(want))
	})
}

// lines returns the lines of a body in an order independent of the order of objects.
func lines(body string) []string {
	return slices.Sorted(strings.Lines(body))
}
