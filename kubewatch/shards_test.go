package kubewatch

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/exposition"
	simcluster "github.com/kubestate/kubestate/internal/sim/cluster"
	"github.com/kubestate/kubestate/metric"
)

// shardedExporter serves one shard of a cluster.
type shardedExporter struct {
	*kubestate.Exporter

	group     *Group
	consumers []*Consumer
}

// joinEverything is a configuration with joins from all sources.
func joinEverything() kubestate.Config {
	return kubestate.Config{
		Keep: func(d *metric.Desc) bool { return !d.OptIn || d.Name == "kube_pod_workload" },
		Joins: []kubestate.Join{
			{Families: "kube_pod_*", NodeLabels: []string{"*"}, NamespaceLabels: []string{"*"}, Workload: true, Node: true},
			{Families: "kube_node_info", Labels: []string{"*"}},
			{Families: "kube_replicaset_*", NamespaceLabels: []string{"*"}, Workload: true},
		},
	}
}

// export runs the exporter of a shard, or of everything if the shard is zero.
func (c *cluster) export(s Shard) *shardedExporter {
	c.t.Helper()
	x := c.exporter(s != Shard{})
	x.become(c.t, s)
	return x
}

// exporter runs an exporter that reads nothing yet.
func (c *cluster) exporter(sharded bool) *shardedExporter {
	c.t.Helper()
	config := joinEverything()
	config.Sharded = sharded
	exporter, err := kubestate.New(config)
	if err != nil {
		c.t.Fatal(err)
	}
	x := &shardedExporter{Exporter: exporter}
	x.consumers = Consumers("exporter", exporter.Tables(), exporter.NewFeed)
	sources := Consumers("joins", exporter.SourceTables(), exporter.NewSourceFeed)
	for _, s := range sources {
		s.Whole = true
	}
	if (len(sources) > 0) != sharded {
		c.t.Errorf("%d sources, sharded %t", len(sources), sharded)
	}
	x.consumers = append(x.consumers, sources...)
	x.group, err = NewGroup(c.client, nil, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(c.t.Context())
	var running sync.WaitGroup
	running.Go(func() { x.group.Run(ctx) })
	c.t.Cleanup(func() { cancel(); running.Wait() })
	return x
}

// become makes the exporter serve another shard.
func (x *shardedExporter) become(t *testing.T, s Shard) {
	t.Helper()
	if err := x.group.Apply(NewPlan(Scope{Shard: s}, x.consumers...)); err != nil {
		t.Fatal(err)
	}
}

// series returns the sample lines of exporters together, sorted.
func series(t *testing.T, exporters ...*shardedExporter) []string {
	t.Helper()
	var lines []string
	for _, x := range exporters {
		var text bytes.Buffer
		if err := x.Write(&text, exposition.Text, kubestate.Selection{}); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(text.String()) {
			if !strings.HasPrefix(line, "#") {
				lines = append(lines, line)
			}
		}
	}
	slices.Sort(lines)
	return lines
}

func (c *cluster) generate(pods int) *simcluster.Churn {
	c.t.Helper()
	now := time.Now()
	if err := simcluster.Generate(c.store, simcluster.Config{Nodes: 5, Pods: pods, Seed: 1, Time: now}); err != nil {
		c.t.Fatal(err)
	}
	churn, err := simcluster.NewChurn(c.store, simcluster.ChurnConfig{Seed: 1, Time: now})
	if err != nil {
		c.t.Fatal(err)
	}
	return churn
}

// Shards together show exactly what one instance shows, joined labels and workloads
// included, and no series twice; also while the cluster changes.
func TestShardsShowWhatOneShows(t *testing.T) {
	for name, ranges := range map[string]bool{"jump hash": false, "ranges": true} {
		t.Run(name, func(t *testing.T) {
			inCluster(t, nil, func(c *cluster) {
				const total = 3
				churn := c.generate(60)
				one := c.export(Shard{})
				var shards []*shardedExporter
				for i := range total {
					shards = append(shards, c.export(Shard{Index: int32(i), Total: total, Ranges: ranges}))
				}
				for round := range 3 {
					synctest.Wait()
					want := series(t, one)
					if diff := cmp.Diff(want, series(t, shards...)); diff != "" {
						t.Fatalf("round %d (-one +shards):\n%.2000s", round, diff)
					}
					if len(want) < 3000 || !slices.ContainsFunc(want, func(line string) bool {
						return strings.HasPrefix(line, "kube_pod_info{") && strings.Contains(line, "node_label_") &&
							strings.Contains(line, "namespace_label_") && strings.Contains(line, `workload_type="CronJob"`)
					}) {
						t.Fatalf("%d lines, or no joined labels", len(want))
					}
					for i, x := range shards {
						if n := len(series(t, x)); n < len(want)/total/2 {
							t.Errorf("shard %d shows %d of %d lines", i, n, len(want))
						}
					}
					if err := churn.Step(100); err != nil {
						t.Fatal(err)
					}
				}
			})
		})
	}
}
