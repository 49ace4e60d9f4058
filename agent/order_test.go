package agent_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/internal/agenttest"
	"github.com/kubestate/kubestate/kind"
)

// crossed is a naming scheme in which everything depends on other objects.
func crossed() *naming.Scheme {
	return &naming.Scheme{
		Rules: []naming.Rule{
			{Family: "kube_pod_container_resource_requests", Metric: "request", Tags: naming.Tags{Drop: []string{"unit", "resource"}}},
			{Family: "kube_pod_status_unschedulable", Metric: "pod"},
		},
		Aggregates: []naming.Aggregate{
			{Family: "kube_pod_info", Metric: "count", Op: naming.Count, By: []string{"node", "namespace"}},
			{Family: "kube_pod_container_resource_requests", Metric: "total", Op: naming.Sum, By: []string{"node"}},
		},
		Joins: map[string]naming.Join{
			"kube_node_labels":      {Match: []string{"node"}, Get: []string{"label_zone"}},
			"kube_node_info":        {Match: []string{"node"}, Get: []string{"os_image"}},
			"kube_namespace_labels": {Match: []string{"namespace"}, All: true},
			"kube_pod_labels":       {Match: []string{"pod", "namespace"}, All: true},
		},
		HostTags: []string{"node"},
	}
}

// The result does not depend on the order in which objects arrive.
func TestAnyOrderOfArrival(t *testing.T) {
	all := objects(t,
		`{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, uid: u, labels: {app: web}}, spec: {nodeName: node-1,
 containers: [{name: a, resources: {requests: {cpu: "1"}}}]}, status: {conditions: [{type: PodScheduled, status: "False"}]}}`,
		`{apiVersion: v1, kind: Pod, metadata: {name: db, namespace: shop, uid: v}, spec: {nodeName: node-1,
 containers: [{name: a, resources: {requests: {cpu: "2"}}}]}}`,
		`{apiVersion: v1, kind: Node, metadata: {name: node-1, labels: {zone: z1}}, status: {nodeInfo: {osImage: Linux}}}`,
		`{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: blue}}}`,
	)
	want := []string{
		"count 2 @node-1 label_team:blue label_zone:z1 namespace:shop node:node-1 os_image:Linux",
		"pod 1 label_app:web label_team:blue namespace:shop pod:web uid:u",
		"request 1 @node-1 container:a label_app:web label_team:blue label_zone:z1 namespace:shop node:node-1 os_image:Linux pod:web uid:u",
		"request 2 @node-1 container:a label_team:blue label_zone:z1 namespace:shop node:node-1 os_image:Linux pod:db uid:v",
		"total 3 @node-1 label_zone:z1 node:node-1 os_image:Linux",
	}
	permutations(all, func(order []kind.Object) {
		x := agenttest.New(t, agent.Config{Scheme: crossed()})
		for _, o := range order {
			x.Put(o)
			x.Lines(runAt) // what is resolved in between must not stick
		}
		if diff := cmp.Diff(want, x.Lines(runAt)); diff != "" {
			t.Fatalf("%s first (-want +got):\n%s", order[0].GetName(), diff)
		}
	})
}

func permutations[T any](s []T, f func([]T)) {
	if len(s) == 0 {
		f(nil)
		return
	}
	for i := range s {
		permutations(slices.Concat(s[:i], s[i+1:]), func(rest []T) { f(append([]T{s[i]}, rest...)) })
	}
}

// An object with joined labels can be deleted, recreated and changed.
func TestJoinSourceIsDeletedAndRecreated(t *testing.T) {
	x := agenttest.New(t, agent.Config{Scheme: ready(map[string]naming.Join{
		"kube_namespace_labels": {Match: []string{"namespace"}, Get: []string{"label_team"}},
	})})
	blue := objects(t, `{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: blue}}}`)
	red := objects(t, `{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: red}}}`)
	none := objects(t, `{apiVersion: v1, kind: Namespace, metadata: {name: shop}}`)
	const without, withBlue, withRed = "pod 1 namespace:shop pod:web uid:u", "pod 1 label_team:blue namespace:shop pod:web uid:u", "pod 1 label_team:red namespace:shop pod:web uid:u"
	x.Put(objects(t, pod)...)
	expect(t, x, without)
	x.Put(blue...)
	expect(t, x, withBlue)
	x.Put(red...)
	expect(t, x, withRed)
	x.Put(none...)
	expect(t, x, without)
	x.Put(blue...)
	x.Delete(blue...)
	expect(t, x, without)
	x.Put(blue...)
	expect(t, x, withBlue)
	x.Feed("namespaces").Begin()
	x.Feed("namespaces").Commit()
	expect(t, x, without)
}

// When a name is reused, nothing of the previous object remains, whether or not its
// deletion was seen.
func TestReusedNameKeepsNothingOfPredecessor(t *testing.T) {
	n := ready(map[string]naming.Join{
		"kube_pod_info":   {Match: []string{"pod", "namespace"}, Get: []string{"node"}},
		"kube_pod_labels": {Match: []string{"pod", "namespace"}, All: true},
	})
	n.Joins["kube_pod_labels"] = naming.Join{Match: []string{"pod", "namespace"}, Get: []string{"label_version"}}
	n.Aggregates = []naming.Aggregate{{Family: "kube_pod_info", Metric: "count", Op: naming.Count, By: []string{"node"}}}
	first := objects(t, `{apiVersion: v1, kind: Pod, metadata: {name: db-0, namespace: shop, uid: u1, labels: {version: a}}, spec: {nodeName: node-1},
 status: {conditions: [{type: PodScheduled, status: "False"}]}}`)
	second := objects(t, `{apiVersion: v1, kind: Pod, metadata: {name: db-0, namespace: shop, uid: u2, labels: {version: b}}, spec: {nodeName: node-2},
 status: {conditions: [{type: PodScheduled, status: "False"}]}}`)
	want := []string{"count 1 @node-2 node:node-2", "pod 1 @node-2 label_version:b namespace:shop node:node-2 pod:db-0 uid:u2"}

	x := agenttest.New(t, agent.Config{Scheme: n})
	x.Put(first...)
	x.Put(second...)
	expect(t, x, want...)

	x = agenttest.New(t, agent.Config{Scheme: n})
	x.Put(first...)
	x.Delete(first...)
	x.Put(second...)
	expect(t, x, want...)

	x = agenttest.New(t, agent.Config{Scheme: n})
	x.Put(first...)
	x.Feed("pods").Begin()
	x.Put(second...)
	x.Feed("pods").Commit()
	expect(t, x, want...)
}

// A relist keeps the objects in it and removes all others, but only at its end. An
// interrupted one has no effect except for the objects it updated.
func TestRelist(t *testing.T) {
	x := agenttest.New(t, agent.Config{Scheme: &naming.Scheme{Rules: []naming.Rule{{Family: "kube_configmap_info", Metric: "m"}}}})
	a := objects(t, `{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: ns}}`)
	b := objects(t, `{apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: ns}}`)
	f := x.Feed("configmaps")
	x.Put(a...)
	f.Begin()
	x.Put(b...)
	expect(t, x, "m 1 configmap:a namespace:ns", "m 1 configmap:b namespace:ns")
	f.Begin()
	x.Put(b...)
	f.Commit()
	expect(t, x, "m 1 configmap:b namespace:ns")
	f.Delete("ns", "a")
	f.Delete("ns", "b")
	expect(t, x)
}

// A Feed is invisible until it is synced.
func TestFeedIsInvisibleUntilSynced(t *testing.T) {
	a, err := agent.New(agent.Config{Scheme: &naming.Scheme{Rules: []naming.Rule{{Family: "kube_configmap_info", Metric: "m"}, {Family: "kube_secret_info", Metric: "m"}}}})
	if err != nil {
		t.Fatal(err)
	}
	if a.Synced() {
		t.Error("an Agent without Feeds is synced")
	}
	maps, err := a.NewFeed("configmaps")
	if err != nil {
		t.Fatal(err)
	}
	secrets, err := a.NewFeed("secrets")
	if err != nil {
		t.Fatal(err)
	}
	r := a.NewReader()
	maps.Begin()
	maps.Put(objects(t, `{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: ns}}`)[0])
	if got := agenttest.Lines(r.Run(runAt)); len(got) != 0 {
		t.Errorf("visible before the list is complete: %q", got)
	}
	maps.Commit()
	if got := agenttest.Lines(r.Run(runAt)); len(got) != 1 {
		t.Errorf("visible after the list is complete: %q", got)
	}
	if a.Synced() {
		t.Error("synced before secrets")
	}
	secrets.Begin()
	secrets.Commit()
	if !a.Synced() {
		t.Error("not synced after all lists")
	}
}

// Nor does it count in aggregations: those of other Feeds do not change.
func TestFeedIsNotAggregatedUntilSynced(t *testing.T) {
	var totals []naming.Aggregate
	for _, op := range []naming.Op{naming.Sum, naming.Count, naming.Min, naming.Max} {
		totals = append(totals, naming.Aggregate{Family: "kube_secret_created", Metric: string(op), Op: op, By: []string{"namespace"}})
	}
	x := agenttest.New(t, agent.Config{Scheme: &naming.Scheme{Aggregates: totals}})
	second, err := x.NewFeed("secrets")
	if err != nil {
		t.Fatal(err)
	}
	created := func(name string, at int64) kind.Object {
		return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name, CreationTimestamp: metav1.Unix(at, 0)}}
	}
	of := func(sum, count, least, most int) []string {
		return []string{
			fmt.Sprintf("sum %d namespace:ns", sum), fmt.Sprintf("count %d namespace:ns", count),
			fmt.Sprintf("min %d namespace:ns", least), fmt.Sprintf("max %d namespace:ns", most),
		}
	}
	second.Begin()
	second.Put(created("gone", 1))
	second.Put(created("changes", 2))
	expect(t, x)
	x.Put(created("first", 10))
	expect(t, x, of(10, 1, 10, 10)...)
	second.Begin() // the read broke off
	second.Put(created("changes", 30))
	second.Put(created("deleted", 3))
	second.Delete("ns", "deleted")
	x.Put(created("first", 20))
	expect(t, x, of(20, 1, 20, 20)...)
	x.Delete(created("first", 20))
	expect(t, x)
	x.Put(created("first", 20))
	second.Commit()
	expect(t, x, of(50, 2, 20, 30)...)
	second.Delete("ns", "changes")
	x.Delete(created("first", 20))
	expect(t, x)
	if n := x.Stats().Groups; n != 0 {
		t.Errorf("%d groups remain", n)
	}
}

// If several Feeds share a resource, such as one per namespace, joins and aggregations span
// all of them.
func TestFeedsShareJoinsAndAggregates(t *testing.T) {
	a, err := agent.New(agent.Config{Scheme: crossed()})
	if err != nil {
		t.Fatal(err)
	}
	feed := func(resource string, all ...kind.Object) *agent.Feed {
		f, err := a.NewFeed(resource)
		if err != nil {
			t.Fatal(err)
		}
		f.Begin()
		for _, o := range all {
			f.Put(o)
		}
		f.Commit()
		return f
	}
	requests := func(namespace string) kind.Object {
		return objects(t, strings.Replace(requesting, "namespace: shop", "namespace: "+namespace, 1))[0]
	}
	shop, other := feed("pods", requests("shop")), feed("pods", requests("other"))
	feed("nodes", objects(t, node)...)
	lines := func() []string { return agenttest.Lines(a.NewReader().Run(runAt)) }
	want := []string{
		"count 1 @node-1 label_zone:z1 namespace:other node:node-1",
		"count 1 @node-1 label_zone:z1 namespace:shop node:node-1",
		"request 1 @node-1 container:app label_zone:z1 namespace:other node:node-1 pod:web uid:u",
		"request 1 @node-1 container:app label_zone:z1 namespace:shop node:node-1 pod:web uid:u",
		"total 2 @node-1 label_zone:z1 node:node-1",
	}
	if diff := cmp.Diff(want, lines()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	shop.Delete("shop", "web")
	other.Delete("shop", "web") // which it does not know
	want = []string{want[0], want[2], strings.Replace(want[4], "total 2", "total 1", 1)}
	if diff := cmp.Diff(want, lines()); diff != "" {
		t.Errorf("after deleting one (-want +got):\n%s", diff)
	}
}
