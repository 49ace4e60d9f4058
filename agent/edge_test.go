package agent_test

import (
	"math"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/internal/agenttest"
)

// One metric with two operations over the same groups has both.
func TestOperationsOfOneMetricAreSeparate(t *testing.T) {
	of := func(op naming.Op) naming.Aggregate {
		return naming.Aggregate{Family: "kube_resourcequota", Metric: "m", Op: op, By: []string{"type"}}
	}
	x := agenttest.New(t, agent.Config{Scheme: &naming.Scheme{Aggregates: []naming.Aggregate{of(naming.Sum), of(naming.Count)}}})
	x.Put(objects(t, quota)...)
	expect(t, x, "m 1 type:used", "m 1 type:used", "m 22 type:hard", "m 3 type:hard")
}

// The check of a group gets new tags even if its status stays the same.
func TestGroupCheckFollowsTags(t *testing.T) {
	x := agenttest.New(t, agent.Config{Scheme: &naming.Scheme{
		Aggregates: []naming.Aggregate{{
			Family: "kube_resourcequota", Op: naming.Latest, By: []string{"namespace", "resource"}, Check: &naming.Check{Name: "c"},
		}},
		Entities: []naming.Entity{{Resource: "resourcequotas", Tags: []string{"namespace"}}},
	}})
	of := func(resource string) string {
		return `{apiVersion: v1, kind: ResourceQuota, metadata: {name: q, namespace: shop}, status: {hard: {` + resource + `: "1"}}}`
	}
	x.Put(objects(t, of("cpu"))...)
	expect(t, x, `check c ok "" {namespace:shop} resource:cpu`)
	x.Put(objects(t, of("pods"))...)
	expect(t, x, `check c ok "" {namespace:shop} resource:pods`)
}

// A join of all labels adds empty ones too, even those that have a tag of their own.
func TestJoinOfAllLabelsAddsEmptyOnes(t *testing.T) {
	for name, c := range map[string]struct {
		join naming.Join
		want string
	}{
		"all":       {naming.Join{Match: []string{"namespace"}, All: true, Template: "%%label%%", Tags: map[string]string{"label_team": "owner"}}, "m 1 namespace:shop owner: secret:s zone:"},
		"those two": {naming.Join{Match: []string{"namespace"}, Get: []string{"label_team", "label_zone"}}, "m 1 namespace:shop secret:s"},
	} {
		t.Run(name, func(t *testing.T) {
			x := agenttest.New(t, agent.Config{Scheme: &naming.Scheme{
				Rules: []naming.Rule{{Family: "kube_secret_info", Metric: "m"}},
				Joins: map[string]naming.Join{"kube_namespace_labels": c.join},
			}})
			x.Put(objects(t, `{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: "", zone: ""}}}`)...)
			x.Put(objects(t, `{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: shop}}`)...)
			expect(t, x, c.want)
		})
	}
}

// An empty label does not remove the host that another label sets.
func TestEmptyLabelIsNotHost(t *testing.T) {
	x := agenttest.New(t, agent.Config{Scheme: &naming.Scheme{
		Rules:    []naming.Rule{{Family: "kube_secret_info", Metric: "m"}},
		Labels:   map[string]string{"secret": "host"},
		Joins:    map[string]naming.Join{"kube_namespace_labels": {Match: []string{"namespace"}, All: true, Template: "%%label%%"}},
		HostTags: []string{"host"},
	}})
	x.Put(objects(t, `{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {host: ""}}}`)...)
	x.Put(objects(t, `{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: shop}}`)...)
	expect(t, x, "m 1 @s host: host:s namespace:shop")
}

// A state comes from the sample with value 1 if a family has a sample for each state.
func TestStateIsFromSampleWithValueOne(t *testing.T) {
	x := agenttest.New(t, agent.Config{Scheme: &naming.Scheme{Rules: []naming.Rule{{
		Family: "kube_pod_created", Metric: "m",
		States: &naming.States{From: []string{"kube_pod_status_phase"}, Label: "phase", Values: []string{"Running", "Pending"}},
		Tags:   naming.Tags{Drop: []string{"uid"}},
	}}}})
	x.Put(objects(t, `{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, creationTimestamp: "2026-01-02T11:00:00Z"}, status: {phase: Running}}`)...)
	expect(t, x, "m 0 namespace:shop phase:Pending pod:web uid:", "m 1 namespace:shop phase:Running pod:web uid:")
}

// NaN is counted, but not summed.
func TestNaNIsOnlyCounted(t *testing.T) {
	of := func(metric string, op naming.Op) naming.Aggregate {
		return naming.Aggregate{Family: "kube_secret_info", Metric: metric, Op: op, Adjust: func(p *naming.Point) bool {
			p.Value = math.NaN()
			return true
		}}
	}
	x := agenttest.New(t, agent.Config{Scheme: &naming.Scheme{Aggregates: []naming.Aggregate{of("count", naming.Count), of("sum", naming.Sum)}}})
	x.Put(objects(t, `{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: shop}}`)...)
	expect(t, x, "count 1")
}

// The group is by the last tag set.
func TestGroupByUsesLastTagSet(t *testing.T) {
	x := agenttest.New(t, agent.Config{Scheme: &naming.Scheme{Aggregates: []naming.Aggregate{{
		Family: "kube_secret_info", Metric: "m", Op: naming.Count, By: []string{"set"},
		Adjust: func(p *naming.Point) bool {
			p.Set("set", "first")
			p.Set("set", "last")
			return true
		},
	}}}})
	x.Put(objects(t, `{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: shop}}`)...)
	expect(t, x, "m 1 set:last")
}

// An object without a name counts as a failure and is not stored.
func TestObjectWithoutNameIsRejected(t *testing.T) {
	x := agenttest.New(t, agent.Config{Scheme: &naming.Scheme{Rules: []naming.Rule{{Family: "kube_secret_info"}}}})
	x.Feed("secrets").Put(&corev1.Secret{})
	if s := x.Stats(); s.Objects != 0 || s.Series != 0 || s.Failures != 1 {
		t.Errorf("got %d objects, %d series and %d failures; want only a failure", s.Objects, s.Series, s.Failures)
	}
}
