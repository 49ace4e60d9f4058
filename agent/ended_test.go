package agent_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/internal/agenttest"
)

// A series that another object has too goes on when one of them is gone, although
// nothing of the other has changed.
func TestWhatATwinHasDoesNotEnd(t *testing.T) {
	quota := func(name, cpu string) string {
		return `{apiVersion: v1, kind: ResourceQuota, metadata: {name: ` + name + `, namespace: shop}, status: {hard: {cpu: "` + cpu + `"}}}`
	}
	rule := agent.Rule{Family: "kube_resourcequota", Metric: "m"}
	for name, c := range map[string]struct {
		names  agent.Names
		twin   string
		series string
	}{
		"names that become no tag": {
			names:  agent.Names{Rules: []agent.Rule{rule}, Labels: map[string]string{"resourcequota": ""}},
			twin:   quota("b", "1"),
			series: "namespace:shop resource:cpu type:hard",
		},
		"names that become tags of other labels": {
			names:  agent.Names{Rules: []agent.Rule{rule}, Labels: map[string]string{"resourcequota": "x", "namespace": "x"}},
			twin:   `{apiVersion: v1, kind: ResourceQuota, metadata: {name: shop, namespace: a}, status: {hard: {cpu: "1"}}}`,
			series: "resource:cpu type:hard x:a x:shop",
		},
		"one metric for two kinds": {
			names: agent.Names{
				Rules:  []agent.Rule{rule, {Family: "kube_limitrange", Metric: "m", Tags: agent.Tags{Rename: map[string]string{"constraint": "type"}, Values: map[string]map[string]string{"constraint": {"max": "hard"}}, Drop: []string{"type"}}}},
				Labels: map[string]string{"resourcequota": "x", "limitrange": "x"},
			},
			twin:   `{apiVersion: v1, kind: LimitRange, metadata: {name: a, namespace: shop}, spec: {limits: [{type: Pod, max: {cpu: "1"}}]}}`,
			series: "namespace:shop resource:cpu type:hard x:a",
		},
		"groups whose labels become no tag": {
			names: agent.Names{
				Aggregates: []agent.Aggregate{{Family: "kube_resourcequota", Metric: "m", Op: agent.Sum, By: []string{"resourcequota"}}},
				Labels:     map[string]string{"resourcequota": ""},
			},
			twin: quota("b", "1"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			x := agenttest.New(t, agent.Config{Names: &c.names})
			one, twin := objects(t, quota("a", "1")), objects(t, c.twin)
			x.Put(one...)
			x.Put(twin...)
			r := x.NewReader()
			line := "m 1"
			if c.series != "" {
				line += " " + c.series
			}
			if diff := cmp.Diff([]string{line, line}, agenttest.Lines(r.Run(runAt))); diff != "" {
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
