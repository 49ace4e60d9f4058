package agent_test

import (
	"testing"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/internal/agenttest"
	"github.com/kubestate/kubestate/sink"
)

// requesting is a Pod whose containers have a node label.
const requesting = `{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, uid: u},
 spec: {nodeName: node-1, containers: [{name: app, resources: {requests: {cpu: "1"}}}]},
 status: {containerStatuses: [{name: app, ready: true}]}}`

// blocksOf returns the blocks of series, in any order.
func blocksOf(r *sink.Run) map[*sink.Block]bool {
	blocks := map[*sink.Block]bool{}
	for s := range r.Series {
		blocks[s.Block] = true
	}
	return blocks
}

// A dropped label does not need a separate block, even if its tag would be the host or
// describe the entity.
func TestDroppedLabelsDoNotSplitBlocks(t *testing.T) {
	requests := naming.Rule{Family: "kube_pod_container_resource_requests", Metric: "requests"}
	listed, called := requests, requests
	listed.Drop = []string{"node", "resource", "unit"}
	called.Drop = []string{"resource", "unit"}
	called.Adjust = func(p *naming.Point) bool {
		p.Drop("node")
		return true
	}
	for name, r := range map[string]naming.Rule{"by the rule": listed, "by its function": called} {
		t.Run(name, func(t *testing.T) {
			x := agenttest.New(t, agent.Config{Scheme: &naming.Scheme{
				Rules:    []naming.Rule{r, {Family: "kube_pod_container_status_ready", Metric: "ready"}},
				HostTags: []string{"node"},
				Entities: []naming.Entity{{Resource: "pods", Tags: []string{"pod", "node", "container"}}},
			}})
			x.Put(objects(t, requesting)...)
			expect(t, x,
				"ready 1 {container:app pod:web} namespace:shop uid:u",
				"requests 1 {container:app pod:web} namespace:shop uid:u",
			)
			if n := len(blocksOf(x.NewReader().Run(runAt))); n != 1 {
				t.Errorf("the series of a container have %d blocks, want 1", n)
			}
		})
	}
}
