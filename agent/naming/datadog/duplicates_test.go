package datadog_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/naming/datadog"
	"github.com/kubestate/kubestate/internal/agenttest"
)

// No aggregation sends two series with the same tags, whatever the owners of objects and
// the mapping of labels. Owners without a tag are added up.
func TestAggregationsSendEachSeriesOnce(t *testing.T) {
	for name, c := range map[string]agent.Config{
		"defaults":     {},
		"no phase tag": {LabelsMapper: map[string]string{"phase": ""}},
		"all labels":   {LabelsAsTags: map[string]map[string]string{"job": {"*": "job_%%label%%"}, "namespace": {"*": "ns_%%label%%"}, "pod": {"*": "pod_%%label%%"}}},
		"owner labels": {LabelsAsTags: map[string]map[string]string{"replicaset": {"team": "team"}}},
	} {
		t.Run(name, func(t *testing.T) {
			c.Scheme = datadog.Scheme()
			x := agenttest.New(t, c)
			r := rand.New(rand.NewPCG(1, 2))
			x.Put(agenttest.Objects(t, `{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: blue}}, status: {phase: Active}}`)...)
			x.Put(agenttest.Objects(t, `{apiVersion: v1, kind: Namespace, metadata: {name: old}, status: {phase: Terminating}}`)...)
			jobs := 0
			for i := range 200 {
				owners := "finalizers: []"
				if kinds := []string{"Rollout", "Workflow", "ReplicaSet", "Job", "CronJob", "Node", ""}; r.IntN(len(kinds)) > 0 {
					owners = fmt.Sprintf("ownerReferences: [{apiVersion: x/v1, kind: %q, name: o-%d, uid: u, controller: true}]", kinds[r.IntN(len(kinds))], r.IntN(3))
				}
				kindName, spec := "v1, kind: Pod", fmt.Sprintf(`spec: {nodeName: node-%d, containers: [{name: app, resources: {requests: {cpu: "1"}}}]}, status: {phase: Running}`, r.IntN(3))
				if i%2 == 1 {
					kindName, spec = "batch/v1, kind: Job", "spec: {}"
					jobs++
				}
				x.Put(agenttest.Objects(t, fmt.Sprintf(`{apiVersion: %s, metadata: {name: o-%d, namespace: shop, uid: u-%d, labels: {app: a-%d}, %s}, %s}`, kindName, i, i, r.IntN(2), owners, spec))...)
			}
			seen := map[string]bool{}
			counted := 0
			for _, line := range x.Lines(runAt) {
				if !strings.Contains(line, ".total ") && !strings.Contains(line, ".count ") {
					continue
				}
				metric, rest, _ := strings.Cut(line, " ")
				value, tags, _ := strings.Cut(rest, " ")
				if seen[metric+" "+tags] {
					t.Errorf("%s: duplicate series with tags %q", metric, tags)
				}
				seen[metric+" "+tags] = true
				if metric == "kubernetes_state.job.count" {
					n := 0
					if _, err := fmt.Sscan(value, &n); err != nil {
						t.Fatal(err)
					}
					counted += n
				}
			}
			if counted != jobs {
				t.Errorf("counted %d of %d Jobs", counted, jobs)
			}
		})
	}
}
