package e2e

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/kubestate/kubestate/test/e2e/cluster"
	"github.com/kubestate/kubestate/test/e2e/harness"
)

// testOutage kills the API server and restarts it. While it is down, kubestate serves
// its stored objects and stays alive; then it catches up.
func testOutage(t *testing.T, c *cluster.Cluster) {
	c.Grant(t, kinds()...)
	c.Create(t, "testdata/objects.yaml")
	defer remove(t, c)
	k := start(t, c)
	k.WaitReady(t)
	before := agree(t, k, c, has(`kube_pod_info{namespace="shop"`))

	c.Kill()
	k.Eventually(t, time.Minute, "every kind is reported as failing", func() error {
		return watchesUp(t, k, "0", "deployments", "namespaces", "nodes", "pods", "replicasets")
	})
	if err := difference(k.Scrape(t), before); err != nil {
		t.Errorf("/metrics while the API server is down: %v", err)
	}
	if err := errors.Join(
		k.Status(t.Context(), k.Main+"/livez", http.StatusOK),
		k.Status(t.Context(), k.Main+"/healthz", http.StatusOK),
		k.Status(t.Context(), k.Main+"/readyz", http.StatusOK),
		k.Status(t.Context(), k.Telemetry+"/readyz", http.StatusOK),
	); err != nil {
		t.Errorf("while the API server is down: %v", err)
	}

	c.Restart(t)
	// These changes may happen before kubestate retries: it has to ask for what it
	// missed.
	c.Delete(t, pods(), "default", "evicted", 0)
	c.Patch(t, deployments(), "shop", "cart", `{"spec":{"replicas":77}}`)
	agree(t, k, c, has(`kube_deployment_spec_replicas{namespace="shop",deployment="cart"} 77`), hasNot(`pod="evicted"`))
	k.Eventually(t, time.Minute, "every kind is reported as working", func() error {
		return watchesUp(t, k, "1", "deployments", "namespaces", "nodes", "pods", "replicasets")
	})
}

// watchesUp returns an error unless the telemetry port has value for the watch of each
// resource.
func watchesUp(t *testing.T, k *harness.Kubestate, value string, resources ...string) error {
	t.Helper()
	response, err := harness.Get(t.Context(), k.Telemetry+"/metrics")
	if err != nil {
		return err
	}
	var errs []error
	for _, resource := range resources {
		errs = append(errs, has(`kubestate_watch_up{namespace="",resource="`+resource+`"} `+value+"\n")(response.Body))
	}
	return errors.Join(errs...)
}
