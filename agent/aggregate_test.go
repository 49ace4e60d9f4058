package agent_test

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/internal/agenttest"
	"github.com/kubestate/kubestate/kind"
)

func TestAggregates(t *testing.T) {
	quotas := objects(t,
		`{apiVersion: v1, kind: ResourceQuota, metadata: {name: a, namespace: shop}, status: {hard: {cpu: "1", pods: "10"}}}`,
		`{apiVersion: v1, kind: ResourceQuota, metadata: {name: b, namespace: shop}, status: {hard: {cpu: "2"}, used: {cpu: "2"}}}`,
		`{apiVersion: v1, kind: ResourceQuota, metadata: {name: c, namespace: other}, status: {hard: {cpu: "3"}}}`,
	)
	cpu := naming.Filter{Where: map[string][]string{"resource": {"cpu"}, "type": {"hard"}}}
	total := func(op naming.Op, by ...string) naming.Aggregate {
		return naming.Aggregate{Family: "kube_resourcequota", Metric: string(op), Op: op, By: by, Filter: cpu}
	}
	for name, c := range map[string]struct {
		totals []naming.Aggregate
		want   []string
	}{
		"sum":              {[]naming.Aggregate{total(naming.Sum, "namespace")}, []string{"sum 3 namespace:other", "sum 3 namespace:shop"}},
		"count":            {[]naming.Aggregate{total(naming.Count, "namespace")}, []string{"count 1 namespace:other", "count 2 namespace:shop"}},
		"min":              {[]naming.Aggregate{total(naming.Min)}, []string{"min 1"}},
		"max":              {[]naming.Aggregate{total(naming.Max)}, []string{"max 3"}},
		"by missing label": {[]naming.Aggregate{total(naming.Sum, "namespace", "nope")}, []string{"sum 3 namespace:other nope:", "sum 3 namespace:shop nope:"}},
		"several of one group": {
			[]naming.Aggregate{total(naming.Min, "namespace"), total(naming.Max, "namespace")},
			[]string{"max 2 namespace:shop", "max 3 namespace:other", "min 1 namespace:shop", "min 3 namespace:other"},
		},
		"names with labels in them": {
			[]naming.Aggregate{{
				Family: "kube_resourcequota", Metric: "q.{resource}.{type}", Op: naming.Sum,
				Filter: naming.Filter{Choose: map[string]map[string]string{"type": {"hard": "limit"}}},
			}},
			[]string{"q.cpu.limit 6", "q.pods.limit 10"},
		},
		"two families, one total": {
			[]naming.Aggregate{
				{Family: "kube_resourcequota", Metric: "n", Op: naming.Count, Filter: cpu},
				{Family: "kube_resourcequota_created", Metric: "n", Op: naming.Count},
			},
			[]string{"n 6"},
		},
		"what a function adds to group by": {
			[]naming.Aggregate{{
				Family: "kube_resourcequota", Metric: "n", Op: naming.Sum, By: []string{"parity"}, Filter: cpu,
				Adjust: func(p *naming.Point) bool {
					p.Set("parity", fmt.Sprint(int(p.Value)%2))
					return true
				},
			}},
			[]string{"n 2 parity:0", "n 4 parity:1"},
		},
		"a check of the latest": {
			[]naming.Aggregate{{
				Family: "kube_resourcequota", Op: naming.Latest, By: []string{"namespace"}, Filter: cpu,
				Check: &naming.Check{Name: "c", By: "resourcequota", Statuses: map[string]naming.Status{"b": naming.Critical}},
				Adjust: func(p *naming.Point) bool {
					p.Order = int64(p.Value)
					return true
				},
			}},
			[]string{`check c critical "" namespace:shop`, `check c ok "" namespace:other`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			created := objects(t, `{apiVersion: v1, kind: ResourceQuota, metadata: {name: a, namespace: shop, creationTimestamp: "2026-01-02T11:00:00Z"}, status: {hard: {cpu: "1", pods: "10"}}}`,
				`{apiVersion: v1, kind: ResourceQuota, metadata: {name: b, namespace: shop, creationTimestamp: "2026-01-02T11:00:00Z"}, status: {hard: {cpu: "2"}, used: {cpu: "2"}}}`,
				`{apiVersion: v1, kind: ResourceQuota, metadata: {name: c, namespace: other, creationTimestamp: "2026-01-02T11:00:00Z"}, status: {hard: {cpu: "3"}}}`)
			x := agenttest.New(t, agent.Config{Scheme: &naming.Scheme{}, Aggregates: c.totals})
			x.Put(created...)
			expect(t, x, c.want...)
			x.Delete(quotas...)
			expect(t, x)
		})
	}
}

// Any value makes a group, even one that the Kubernetes API would reject.
func TestAggregatesByAnyValue(t *testing.T) {
	n := &naming.Scheme{
		Aggregates: []naming.Aggregate{{Family: "kube_resourcequota", Metric: "sum", Op: naming.Sum, By: []string{"namespace", "type", "resource"}}},
		Entities:   []naming.Entity{{Resource: "resourcequotas", Tags: []string{"namespace"}}},
	}
	x := agenttest.New(t, agent.Config{Scheme: n})
	quota := objects(t, `{apiVersion: v1, kind: ResourceQuota, metadata: {name: a}, status: {hard: {cpu: "1"}}}`)[0].(*corev1.ResourceQuota)
	quota.Namespace = "a\xff\xffb"
	quota.Status.Hard["c\xffd"] = resource.MustParse("2")
	x.Feed("resourcequotas").Put(quota)
	expect(t, x, "sum 1 {namespace:a\xff\xffb} resource:cpu type:hard", "sum 2 {namespace:a\xff\xffb} resource:c\xffd type:hard")
	x.Feed("resourcequotas").Delete(quota.Namespace, quota.Name)
	if s := x.Stats(); s.Groups != 0 {
		t.Errorf("%d groups remain", s.Groups)
	}
}

// Aggregations are joined by the labels they are grouped by, and have hosts and owners.
func TestAggregatesAreJoined(t *testing.T) {
	n := &naming.Scheme{
		Aggregates: []naming.Aggregate{{Family: "kube_pod_info", Metric: "pods", Op: naming.Count, By: []string{"node", "created_by_kind", "created_by_name"}}},
		Joins:      map[string]naming.Join{"kube_node_labels": {Match: []string{"node"}, Get: []string{"label_zone"}}},
		HostTags:   []string{"node"},
		Owners:     &naming.Owners{Tags: map[string]string{"ReplicaSet": "rs", "Deployment": "deploy"}},
	}
	x := agenttest.New(t, agent.Config{Scheme: n})
	x.Put(objects(t, `{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, uid: u,
 ownerReferences: [{kind: ReplicaSet, name: web-6b8f7d9c5, controller: true}]}, spec: {nodeName: node-1}}`)...)
	expect(t, x, "pods 1 @node-1 deploy:web node:node-1 rs:web-6b8f7d9c5")
	x.Put(objects(t, node)...)
	expect(t, x, "pods 1 @node-1 deploy:web label_zone:z1 node:node-1 rs:web-6b8f7d9c5")
	x.Delete(objects(t, node)...)
	expect(t, x, "pods 1 @node-1 deploy:web node:node-1 rs:web-6b8f7d9c5")
}

// Aggregations of one entity share a block and differ in their own tags. Labels that a join
// matches, or that a join may add too, are in the block.
func TestAggregatesOfEntityShareBlock(t *testing.T) {
	n := &naming.Scheme{
		Aggregates: []naming.Aggregate{
			{Family: "kube_resourcequota", Metric: "sum", Op: naming.Sum, By: []string{"type", "namespace", "resource"}},
			{Family: "kube_resourcequota", Metric: "n", Op: naming.Count, By: []string{"type", "namespace", "resource"}},
			{Family: "kube_resourcequota", Op: naming.Latest, By: []string{"type", "namespace", "resource"}, Check: &naming.Check{Name: "c"}},
		},
		Entities: []naming.Entity{{Resource: "resourcequotas", Tags: []string{"namespace"}}},
	}
	x := agenttest.New(t, agent.Config{Scheme: n})
	one := objects(t, `{apiVersion: v1, kind: ResourceQuota, metadata: {name: a, namespace: shop}, status: {hard: {cpu: "1", pods: "10"}, used: {cpu: "1"}}}`)
	x.Put(one...)
	x.Put(objects(t, `{apiVersion: v1, kind: ResourceQuota, metadata: {name: b, namespace: shop}, status: {hard: {cpu: "2"}}}`)...)
	expect(t, x,
		`check c ok "" {namespace:shop} resource:cpu type:hard`, `check c ok "" {namespace:shop} resource:cpu type:used`,
		`check c ok "" {namespace:shop} resource:pods type:hard`,
		"n 1 {namespace:shop} resource:cpu type:used", "n 1 {namespace:shop} resource:pods type:hard", "n 2 {namespace:shop} resource:cpu type:hard",
		"sum 1 {namespace:shop} resource:cpu type:used", "sum 10 {namespace:shop} resource:pods type:hard", "sum 3 {namespace:shop} resource:cpu type:hard",
	)
	if n := len(blocksOf(x.NewReader().Run(runAt))); n != 1 {
		t.Errorf("aggregations of one namespace have %d blocks, want 1", n)
	}
	x.Delete(one...)
	expect(t, x, `check c ok "" {namespace:shop} resource:cpu type:hard`, "n 1 {namespace:shop} resource:cpu type:hard", "sum 2 {namespace:shop} resource:cpu type:hard")

	n.Joins = map[string]naming.Join{
		"kube_service_spec_type": {Match: []string{"type"}, Get: []string{"service"}},
		"kube_namespace_labels":  {Match: []string{"namespace"}, Tags: map[string]string{"label_resource": "resource"}},
	}
	x = agenttest.New(t, agent.Config{Scheme: n})
	x.Put(one...)
	x.Put(objects(t, `{apiVersion: v1, kind: Service, metadata: {name: s, namespace: other}, spec: {type: used}}`,
		`{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {resource: cpu}}}`)...)
	expect(t, x,
		`check c ok "" {namespace:shop} resource:cpu service:s type:used`, "n 1 {namespace:shop} resource:cpu service:s type:used", "sum 1 {namespace:shop} resource:cpu service:s type:used",
		`check c ok "" {namespace:shop} resource:cpu type:hard`, "n 1 {namespace:shop} resource:cpu type:hard", "sum 1 {namespace:shop} resource:cpu type:hard",
		`check c ok "" {namespace:shop} resource:cpu resource:pods type:hard`, "n 1 {namespace:shop} resource:cpu resource:pods type:hard",
		"sum 10 {namespace:shop} resource:cpu resource:pods type:hard",
	)
}

// Labels of the object itself make groups only if that is requested.
func TestAggregatesByJoinedLabels(t *testing.T) {
	total := naming.Aggregate{Family: "kube_pod_info", Metric: "pods", Op: naming.Count, By: []string{"label_team_name"}}
	joined := total
	joined.Metric, joined.Joined = "teams", true
	x := agenttest.New(t, agent.Config{Scheme: &naming.Scheme{
		Aggregates: []naming.Aggregate{total, joined},
		Joins:      map[string]naming.Join{"kube_pod_labels": {Match: []string{"pod", "namespace"}, Get: []string{"label_team_name"}}},
	}})
	x.Put(objects(t, pod)...)
	expect(t, x, "pods 1 label_team_name:", "teams 1 label_team_name:blue")
}

// The Pod mode selects the aggregations that an instance sends.
func TestPodModes(t *testing.T) {
	names := func() *naming.Scheme {
		n := ready(map[string]naming.Join{"kube_namespace_labels": {Match: []string{"namespace"}, Get: []string{"label_team"}}})
		n.Aggregates = []naming.Aggregate{
			{Family: "kube_pod_info", Metric: "local", Op: naming.Count},
			{Family: "kube_pod_created", Metric: "cluster", Op: naming.Count, By: []string{"namespace"}, Cluster: true},
		}
		return n
	}
	for _, c := range []struct {
		config agent.Config
		tables string
		want   []string
	}{
		{agent.Config{}, "namespaces pods", []string{"cluster 1 label_team:red namespace:shop", "local 1", "pod 1 label_team:red namespace:shop pod:web uid:u"}},
		{agent.Config{PodMode: agent.ClusterUnassigned}, "namespaces pods", []string{"cluster 1 label_team:red namespace:shop", "local 1", "pod 1 label_team:red namespace:shop pod:web uid:u"}},
		{
			agent.Config{PodMode: agent.ClusterUnassigned, ClusterAggregates: true}, "namespaces pods",
			[]string{"local 1", "pod 1 label_team:red namespace:shop pod:web uid:u"},
		},
		{agent.Config{PodMode: agent.ClusterAggregatesOnly}, "namespaces pods", []string{"cluster 1 label_team:red namespace:shop"}},
	} {
		c.config.Scheme = names()
		x := agenttest.New(t, c.config)
		x.Put(objects(t, `{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, uid: u, creationTimestamp: "2026-01-02T11:00:00Z"},
 status: {conditions: [{type: PodScheduled, status: "False"}]}}`, `{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: red}}}`)...)
		expect(t, x, c.want...)
		var families int
		for _, table := range x.Tables() {
			families += len(table.Schema().Families)
		}
		if want := map[agent.PodMode]int{agent.ClusterAggregatesOnly: 2}[c.config.PodMode]; want > 0 && families != want {
			t.Errorf("%s collects %d families, want %d", c.config.PodMode, families, want)
		}
	}
}

// Without an order, the check of a group has the worst status of all samples.
func TestWorstStatus(t *testing.T) {
	n := &naming.Scheme{Aggregates: []naming.Aggregate{{
		Family: "kube_node_status_condition", Op: naming.Latest, Filter: naming.Filter{Equal: new(1.0), Where: map[string][]string{"condition": {"Ready"}}},
		Check: &naming.Check{Name: "nodes", By: "status", Statuses: map[string]naming.Status{"true": naming.OK, "false": naming.Critical, "unknown": naming.Warning}},
	}}}
	x := agenttest.New(t, agent.Config{Scheme: n})
	node := func(name, ready string) []kind.Object {
		return objects(t, `{apiVersion: v1, kind: Node, metadata: {name: `+name+`}, status: {conditions: [{type: Ready, status: "`+ready+`"}]}}`)
	}
	x.Put(node("a", "True")...)
	expect(t, x, `check nodes ok ""`)
	x.Put(node("b", "False")...)
	x.Put(node("c", "Unknown")...)
	expect(t, x, `check nodes critical ""`)
	x.Put(node("b", "True")...)
	expect(t, x, `check nodes warning ""`)
}
