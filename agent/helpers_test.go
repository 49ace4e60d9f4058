package agent_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/internal/agenttest"
	"github.com/kubestate/kubestate/kind"
)

// runAt is the time of runs in tests that do not depend on it.
var runAt = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// ready is a naming scheme with one metric per Pod, and joins.
func ready(joins map[string]naming.Join) *naming.Scheme {
	return &naming.Scheme{
		Name:     "test",
		Rules:    []naming.Rule{{Family: "kube_pod_status_unschedulable", Metric: "pod"}},
		Joins:    joins,
		HostTags: []string{"node"},
	}
}

// pod is a Pod that has the metric of ready.
const pod = `{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, uid: u, labels: {app.kubernetes.io/name: x, teamName: blue, empty: ""}},
 spec: {nodeName: node-1}, status: {phase: Running, conditions: [{type: PodScheduled, status: "False"}]}}`

const node = `{apiVersion: v1, kind: Node, metadata: {name: node-1, labels: {zone: z1}}}`

func objects(t testing.TB, docs ...string) []kind.Object {
	t.Helper()
	return agenttest.Objects(t, strings.Join(docs, "\n---\n"))
}

func expect(t *testing.T, x *agenttest.Cluster, want ...string) {
	t.Helper()
	slices.Sort(want)
	if diff := cmp.Diff(want, x.Lines(runAt)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
