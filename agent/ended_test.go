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

// A series that another object has too goes on when one of them is gone, although
// nothing of the other has changed.
func TestWhatATwinHasDoesNotEnd(t *testing.T) {
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
		twin   string
		series string
	}{
		"names that become no tag": {
			names:  naming.Scheme{Rules: []naming.Rule{rule}, Labels: map[string]string{"resourcequota": ""}},
			twin:   quota("b", "1"),
			series: "namespace:shop resource:cpu type:hard",
		},
		"names that become tags of other labels": {
			names:  naming.Scheme{Rules: []naming.Rule{rule}, Labels: map[string]string{"resourcequota": "x", "namespace": "x"}},
			twin:   `{apiVersion: v1, kind: ResourceQuota, metadata: {name: shop, namespace: a}, status: {hard: {cpu: "1"}}}`,
			series: "resource:cpu type:hard x:a x:shop",
		},
		"one metric for two kinds": {
			names: naming.Scheme{
				Rules:  []naming.Rule{rule, {Family: "kube_limitrange", Metric: "m", Tags: naming.Tags{Rename: map[string]string{"constraint": "type"}, Values: map[string]map[string]string{"constraint": {"max": "hard"}}, Drop: []string{"type"}}}},
				Labels: map[string]string{"resourcequota": "x", "limitrange": "x"},
			},
			twin:   `{apiVersion: v1, kind: LimitRange, metadata: {name: a, namespace: shop}, spec: {limits: [{type: Pod, max: {cpu: "1"}}]}}`,
			series: "namespace:shop resource:cpu type:hard x:a",
		},
		"groups whose labels become no tag": {
			names: naming.Scheme{
				Aggregates: []naming.Aggregate{{Family: "kube_resourcequota", Metric: "m", Op: naming.Sum, By: []string{"resourcequota"}}},
				Labels:     map[string]string{"resourcequota": ""},
			},
			twin: quota("b", "1"),
		},
		"groups of owners of a kind without a tag": {
			names: naming.Scheme{Aggregates: byOwner, Owners: &naming.Owners{Tags: map[string]string{"Deployment": "d"}}},
			one:   owned("a", "Rollout"),
			twin:  owned("b", "Rollout"),
		},
		"groups of owners of kinds with the same tag": {
			names:  naming.Scheme{Aggregates: byOwner, Owners: &naming.Owners{Tags: map[string]string{"Deployment": "w", "StatefulSet": "w"}}},
			one:    owned("a", "Deployment"),
			twin:   strings.Replace(owned("b", "StatefulSet"), "StatefulSet, name: b", "StatefulSet, name: a", 1),
			series: "w:a",
		},
	} {
		t.Run(name, func(t *testing.T) {
			x := agenttest.New(t, agent.Config{Scheme: &c.names})
			one, twin := objects(t, cmp.Or(c.one, quota("a", "1"))), objects(t, c.twin)
			x.Put(one...)
			x.Put(twin...)
			r := x.NewReader()
			line := "m 1"
			if c.series != "" {
				line += " " + c.series
			}
			if diff := gocmp.Diff([]string{line, line}, agenttest.Lines(r.Run(runAt))); diff != "" {
				t.Fatalf("the table makes no twins (-want +got):\n%s", diff)
			}
			x.Delete(one...)
			if ended := agenttest.Series(r.Run(runAt).Ended); len(ended) > 0 {
				t.Errorf("%q has ended, and goes on", ended)
			}
			x.Delete(twin...)
			if ended := agenttest.Series(r.Run(runAt).Ended); !slices.Equal(ended, []string{line}) {
				t.Errorf("%q has ended, want %q", ended, line)
			}
		})
	}
}
