package agent_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/internal/agenttest"
)

// A series that two objects have does not end when one of them is deleted, even if the
// other one did not change.
func TestSharedSeriesStayUntilLastOwnerIsDeleted(t *testing.T) {
	quota := func(name, cpu string) string {
		return `{apiVersion: v1, kind: ResourceQuota, metadata: {name: ` + name + `, namespace: shop}, status: {hard: {cpu: "` + cpu + `"}}}`
	}
	owned := func(name, kind string) string {
		return `{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: ` + name + `, namespace: shop, ownerReferences: [{kind: ` + kind + `, name: ` + name + `, controller: true}]}}`
	}
	byOwner := []naming.Aggregate{{Family: "kube_replicaset_owner", Metric: "m", Op: naming.Count, By: []string{"owner_kind", "owner_name"}}}
	rule := naming.Rule{Family: "kube_resourcequota", Metric: "m"}
	for name, c := range map[string]struct {
		names  naming.Scheme
		one    string // empty: quota("a", "1")
		other  string
		series string
	}{
		"names that become no tag": {
			names:  naming.Scheme{Rules: []naming.Rule{rule}, Labels: map[string]string{"resourcequota": ""}},
			other:  quota("b", "1"),
			series: "namespace:shop resource:cpu type:hard",
		},
		"names that become tags of other labels": {
			names:  naming.Scheme{Rules: []naming.Rule{rule}, Labels: map[string]string{"resourcequota": "x", "namespace": "x"}},
			other:  `{apiVersion: v1, kind: ResourceQuota, metadata: {name: shop, namespace: a}, status: {hard: {cpu: "1"}}}`,
			series: "resource:cpu type:hard x:a x:shop",
		},
		"one metric for two kinds": {
			names: naming.Scheme{
				Rules:  []naming.Rule{rule, {Family: "kube_limitrange", Metric: "m", Tags: naming.Tags{Rename: map[string]string{"constraint": "type"}, Values: map[string]map[string]string{"constraint": {"max": "hard"}}, Drop: []string{"type"}}}},
				Labels: map[string]string{"resourcequota": "x", "limitrange": "x"},
			},
			other:  `{apiVersion: v1, kind: LimitRange, metadata: {name: a, namespace: shop}, spec: {limits: [{type: Pod, max: {cpu: "1"}}]}}`,
			series: "namespace:shop resource:cpu type:hard x:a",
		},
		"groups of owners of kinds with the same tag": {
			names:  naming.Scheme{Aggregates: byOwner, Owners: &naming.Owners{Tags: map[string]string{"Deployment": "w", "StatefulSet": "w"}}},
			one:    owned("a", "Deployment"),
			other:  strings.Replace(owned("b", "StatefulSet"), "StatefulSet, name: b", "StatefulSet, name: a", 1),
			series: "w:a",
		},
	} {
		t.Run(name, func(t *testing.T) {
			x := agenttest.New(t, agent.Config{Scheme: &c.names})
			one, other := objects(t, cmp.Or(c.one, quota("a", "1"))), objects(t, c.other)
			x.Put(one...)
			x.Put(other...)
			r := x.NewReader()
			line := "m 1"
			if c.series != "" {
				line += " " + c.series
			}
			if diff := gocmp.Diff([]string{line, line}, agenttest.Lines(r.Run(runAt))); diff != "" {
				t.Fatalf("both must have the series (-want +got):\n%s", diff)
			}
			x.Delete(one...)
			if ended := agenttest.Series(r.Run(runAt).Ended); len(ended) > 0 {
				t.Errorf("ended %q, which the other object still has", ended)
			}
			x.Delete(other...)
			if ended := agenttest.Series(r.Run(runAt).Ended); !slices.Equal(ended, []string{line}) {
				t.Errorf("ended %q, want %q", ended, line)
			}
		})
	}
}

// Groups with the same tags are one group.
func TestGroupsWithoutTagsAreMerged(t *testing.T) {
	owned := func(kind, name string) string {
		return `{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: ` + name + `, namespace: shop, ownerReferences: [{kind: ` + kind + `, name: ` + name + `, controller: true}]}}`
	}
	for name, c := range map[string]struct {
		scheme  naming.Scheme
		objects string
	}{
		"labels that become no tag": {
			naming.Scheme{
				Aggregates: []naming.Aggregate{{Family: "kube_replicaset_owner", Metric: "m", Op: naming.Count, By: []string{"replicaset"}}},
				Labels:     map[string]string{"replicaset": ""},
			},
			owned("Deployment", "a") + "\n---\n" + owned("Deployment", "b"),
		},
		"owners of kinds without a tag": {
			naming.Scheme{
				Aggregates: []naming.Aggregate{{Family: "kube_replicaset_owner", Metric: "m", Op: naming.Count, By: []string{"owner_kind", "owner_name"}}},
				Owners:     &naming.Owners{Tags: map[string]string{"Deployment": "d"}},
			},
			owned("Rollout", "a") + "\n---\n" + owned("Machine", "b"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			x := agenttest.New(t, agent.Config{Scheme: &c.scheme})
			all := objects(t, c.objects)
			x.Put(all...)
			if got := x.Lines(runAt); !slices.Equal(got, []string{"m 2"}) {
				t.Errorf("got %q, want one group of 2", got)
			}
			x.Delete(all[0])
			if got := x.Lines(runAt); !slices.Equal(got, []string{"m 1"}) {
				t.Errorf("got %q after deleting one, want one group of 1", got)
			}
			x.Delete(all[1])
			if got := x.Lines(runAt); len(got) > 0 {
				t.Errorf("got %q after deleting all", got)
			}
		})
	}
}
