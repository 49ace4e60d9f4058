package agent_test

import (
	"slices"
	"testing"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/internal/agenttest"
	"github.com/kubestate/kubestate/kind"
)

// With PodMode ClusterUnassigned, an Agent ignores Pods that have a Node, even from a
// shared watch, and forgets a Pod that gets one.
func TestUnassignedPods(t *testing.T) {
	const (
		web    = `{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, uid: u}, status: {conditions: [{type: PodScheduled, status: "False"}]}}`
		webOnN = `{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, uid: u}, spec: {nodeName: n1}, status: {conditions: [{type: PodScheduled, status: "False"}]}}`
		db     = `{apiVersion: v1, kind: Pod, metadata: {name: db, namespace: shop, uid: v}, spec: {nodeName: n1}, status: {conditions: [{type: PodScheduled, status: "False"}]}}`
	)
	x := agenttest.New(t, agent.Config{PodMode: agent.ClusterUnassigned, Scheme: ready(nil), Kinds: []*kind.Table{kind.Pods}})
	x.Put(objects(t, web, db)...)
	expect(t, x, "pod 1 namespace:shop pod:web uid:u")
	x.Put(objects(t, webOnN)...)
	expect(t, x)
	x.Put(objects(t, web)...)
	expect(t, x, "pod 1 namespace:shop pod:web uid:u")

	if got := x.FieldSelector("pods"); got != "spec.nodeName=" {
		t.Errorf("field selector of pods %q", got)
	}
	if got := x.FieldSelector("nodes"); got != "" {
		t.Errorf("field selector of nodes %q", got)
	}
	if reads := kind.Reads(x.Tables()...); !slices.Contains(reads, "spec.nodeName") {
		t.Errorf("reads %q without spec.nodeName, which distinguishes Pods", reads)
	}
	every := agenttest.New(t, agent.Config{Scheme: ready(nil), Kinds: []*kind.Table{kind.Pods}})
	every.Put(objects(t, web, db)...)
	expect(t, every, "pod 1 namespace:shop pod:db uid:v", "pod 1 namespace:shop pod:web uid:u")
	if got := every.FieldSelector("pods"); got != "" {
		t.Errorf("field selector of all pods %q", got)
	}
}
