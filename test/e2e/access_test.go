package e2e

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kubestate/kubestate/test/e2e/cluster"
	"github.com/kubestate/kubestate/test/e2e/harness"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// testAccessTakenAway revokes the permission to read one kind from a running kubestate
// and grants it again.
func testAccessTakenAway(t *testing.T, c *cluster.Cluster) {
	c.Grant(t, kinds()...)
	k := start(t, c)
	k.WaitReady(t)
	agree(t, k, c, has("kube_namespace_created"))

	c.Revoke(t, replicaSets())
	// The API server does not end a watch that is open.
	c.Stop(t)
	c.Restart(t)
	checkForbidden(t, k)
	c.Create(t, "testdata/objects.yaml")
	defer remove(t, c)
	agreeOn(t, k, c, others(), has("kube_deployment_spec_replicas{"))

	c.Grant(t, replicaSets())
	agree(t, k, c, has(`kube_replicaset_spec_replicas{namespace="shop"`))
	checkAllowed(t, k)
}

// testAccessMissing starts kubestate without the permission to read one kind and grants
// it later.
func testAccessMissing(t *testing.T, c *cluster.Cluster) {
	c.Grant(t, kinds()...)
	c.Revoke(t, replicaSets())
	c.Create(t, "testdata/objects.yaml")
	defer remove(t, c)
	k := start(t, c)
	checkForbidden(t, k)
	agreeOn(t, k, c, others(), has("kube_deployment_spec_replicas{"))

	c.Grant(t, replicaSets())
	agree(t, k, c, has(`kube_replicaset_spec_replicas{namespace="shop"`))
	checkAllowed(t, k)
	k.WaitReady(t)
}

// others are the kinds that stay allowed.
func others() []schema.GroupVersionResource {
	return []schema.GroupVersionResource{pods(), nodes(), deployments(), namespaces()}
}

// checkForbidden waits until replicasets, and only they, are reported as forbidden: by
// a metric, on the landing page and as the last reason in the log, which repeats no
// reason.
func checkForbidden(t *testing.T, k *harness.Kubestate) {
	t.Helper()
	k.Eventually(t, time.Minute, "replicasets are reported as forbidden, the others as working", func() error {
		telemetry, err := harness.Get(t.Context(), k.Telemetry+"/metrics")
		if err != nil {
			return err
		}
		page, err := harness.Get(t.Context(), k.Main+"/")
		if err != nil {
			return err
		}
		return errors.Join(
			watchesUp(t, k, "1", "deployments", "namespaces", "nodes", "pods"),
			watchesUp(t, k, "0", "replicasets"),
			has(`kubestate_watch_failure_info{namespace="",reason="Forbidden",resource="replicasets"} 1`)(telemetry.Body),
			has("replicasets.apps is forbidden")(page.Body),
			lastReason(reasons(k.Log()), "Forbidden"))
	})
	// A reason may return after another one: an API server that shuts down rejects a
	// watch, is down, and rejects it again when it is back.
	all := reasons(k.Log())
	if len(slices.Compact(slices.Clone(all))) < len(all) {
		t.Errorf("the log says twice in a row why replicasets cannot be watched: %q", all)
	}
}

// reasons returns the logged reasons why replicasets cannot be watched.
func reasons(log string) (all []string) {
	for line := range strings.Lines(log) {
		if _, rest, failing := strings.Cut(line, `msg="watch failed; retrying" resource=replicasets reason=`); failing {
			why, _, _ := strings.Cut(rest, " ")
			all = append(all, why)
		}
		if strings.Contains(line, `msg="some resources are not served`) && strings.Contains(line, "replicasets (forbidden)") {
			all = append(all, "Forbidden")
		}
	}
	return all
}

// lastReason returns an error unless the last of reasons is the wanted one.
func lastReason(reasons []string, want string) error {
	if len(reasons) == 0 || reasons[len(reasons)-1] != want {
		return fmt.Errorf("the log gives the reasons %q why replicasets cannot be watched, and the last should be %s", reasons, want)
	}
	return nil
}

// checkAllowed waits until all kinds are reported as working.
func checkAllowed(t *testing.T, k *harness.Kubestate) {
	t.Helper()
	k.Eventually(t, time.Minute, "every kind is reported as working", func() error {
		response, err := harness.Get(t.Context(), k.Telemetry+"/metrics")
		if err != nil {
			return err
		}
		return errors.Join(
			watchesUp(t, k, "1", "deployments", "namespaces", "nodes", "pods", "replicasets"),
			hasNot("kubestate_watch_failure_info{")(response.Body))
	})
}
