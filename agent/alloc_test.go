package agent_test

import (
	"fmt"
	"testing"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/agent/naming/datadog"
	"github.com/kubestate/kubestate/agent/naming/ksm"
	"github.com/kubestate/kubestate/agent/naming/otel"
	"github.com/kubestate/kubestate/internal/agenttest"
	"github.com/kubestate/kubestate/internal/kindtest"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
	"github.com/kubestate/kubestate/sink"
)

// realistic returns a typical Pod, varied by i.
func realistic(t testing.TB, i int) kind.Object {
	return objects(t, fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata:
  name: web-6b8f7d9c5-%05d
  namespace: shop
  uid: 7a1c0b5e-0000-4000-8000-%012d
  creationTimestamp: "2026-01-02T11:00:00Z"
  labels: {app.kubernetes.io/name: web, app.kubernetes.io/instance: web-eu, pod-template-hash: 6b8f7d9c5, team: blue, tags.datadoghq.com/env: prod}
  annotations: {kubectl.kubernetes.io/restartedAt: "2026-01-02T11:00:00Z", other: x}
  ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-6b8f7d9c5, uid: u, controller: true}]
spec:
  nodeName: node-%d
  tolerations: [{key: a, operator: Exists, effect: NoExecute, tolerationSeconds: 300}, {key: b, operator: Exists, effect: NoExecute, tolerationSeconds: 300}]
  containers:
  - {name: app, resources: {requests: {cpu: 500m, memory: 1Gi}, limits: {memory: 1Gi}}}
  - {name: proxy, resources: {requests: {cpu: 100m, memory: 128Mi}, limits: {memory: 128Mi}}}
status:
  phase: Running
  startTime: "2026-01-02T11:00:00Z"
  conditions: [{type: Ready, status: "True"}, {type: PodScheduled, status: "True"}]
  containerStatuses:
  - {name: app, ready: true, restartCount: %d, state: {running: {startedAt: "2026-01-02T11:00:00Z"}}}
  - {name: proxy, ready: true, restartCount: 0, state: {running: {startedAt: "2026-01-02T11:00:00Z"}}}
`, i, i, i%10, i%3))[0]
}

func realNode(t testing.TB, i int) kind.Object {
	return objects(t, fmt.Sprintf(`
apiVersion: v1
kind: Node
metadata: {name: node-%d, labels: {topology.kubernetes.io/zone: z1, topology.kubernetes.io/region: r1}}
status: {nodeInfo: {kubeletVersion: v1.36.0, osImage: Linux, kernelVersion: "6.1", containerRuntimeVersion: "containerd://2"}}
`, i))[0]
}

func filled(t testing.TB, pods int) *agenttest.Cluster {
	t.Helper()
	x := agenttest.New(t, agent.Config{Scheme: datadog.Scheme(), ClusterName: "c"})
	for i := range pods {
		x.Put(realistic(t, i))
	}
	for i := range 10 {
		x.Put(realNode(t, i))
	}
	return x
}

func count(r *sink.Run) (n int) {
	for s := range r.Series {
		if s.Value >= 0 {
			n++
		}
	}
	return n
}

// Iterating over a run does not allocate per series.
func TestRunAllocs(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	for _, pods := range []int{1, 50} {
		run := filled(t, pods).NewReader().Run(runAt)
		if n := testing.AllocsPerRun(10, func() { count(run) }); n > 4 {
			t.Errorf("%d pods: iterating over %d series allocates %v times, want a few in total", pods, count(run), n)
		}
	}
}

// Putting an unchanged object does not allocate, nor does putting one with only irrelevant
// changes.
func TestPutAllocs(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	x := filled(t, 50)
	same, other := realistic(t, 7), realistic(t, 7)
	other.SetResourceVersion("8")
	other.SetAnnotations(nil)
	f := x.Feed("pods")
	if n := testing.AllocsPerRun(100, func() {
		f.Put(same)
		f.Put(other)
	}); n != 0 {
		t.Errorf("putting an unchanged object allocates %v times", n)
	}
	before := x.Stats().Blocks
	f.Put(realistic(t, 7))
	if after := x.Stats().Blocks; after != before {
		t.Errorf("putting an unchanged object builds %d blocks", after-before)
	}
}

// nowhere discards samples.
type nowhere struct{}

func (nowhere) Begin(*metric.Schema, []string) {}
func (nowhere) Sample(*metric.Sample)          {}

// That is true for every kind, whatever the object contains, in every naming scheme.
func TestPutAllocsForAllKinds(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	for _, names := range []func() *naming.Scheme{ksm.Scheme, datadog.Scheme, otel.Scheme} {
		all := map[string][]string{"*": {"*"}}
		x := agenttest.New(t, agent.Config{
			Scheme: names(), Kinds: kind.All(), Labels: all, Annotations: all, Keep: func(*metric.Desc) bool { return true },
		})
		for _, table := range x.Tables() {
			for _, c := range kindtest.Load(t, "../kind/testdata/"+table.Name+".txtar") {
				o := x.Filtered(kindtest.Decode(t, table, c.Object))
				f := x.Feed(table.Name)
				f.Put(o)
				put := testing.AllocsPerRun(10, func() { f.Put(o) })
				e := metric.NewEmitter(nowhere{})
				collect := testing.AllocsPerRun(10, func() { _ = table.Collect(o, e) }) // objects that are odd are reported
				if put != collect {
					t.Errorf("%s: %s of %s: putting an unchanged object allocates %v times, its samples alone %v times",
						names().Name, c.Name, table.Name, put, collect)
				}
			}
		}
	}
}

// A change of values rebuilds no block, and a change of a Node only the blocks of Pods that
// name it.
func TestChangesRebuildFewBlocks(t *testing.T) {
	x := filled(t, 50) // five Pods on each Node
	x.NewReader().Run(runAt)
	before := x.Stats().Blocks
	restarted := realistic(t, 8)
	restarted.SetName("web-6b8f7d9c5-00018") // on the same Node, with fewer restarts
	restarted.SetUID("7a1c0b5e-0000-4000-8000-000000000018")
	x.Put(restarted, realNode(t, 3))
	x.NewReader().Run(runAt)
	if n := x.Stats().Blocks - before; n != 0 {
		t.Errorf("a changed value and an unchanged Node build %d blocks", n)
	}
	changed := realNode(t, 3)
	changed.SetLabels(map[string]string{"topology.kubernetes.io/zone": "z2"})
	x.Put(changed)
	x.NewReader().Run(runAt)
	if n := x.Stats().JoinKeys; n != 10 {
		t.Errorf("%d join keys, want one per Node", n)
	}
	// The Node's own block, one for each of its Pods, and that of the aggregation over its
	// Pods.
	if n := x.Stats().Blocks - before; n != 1+5+1 {
		t.Errorf("a Node whose labels change builds %d blocks, want 7", n)
	}
}
