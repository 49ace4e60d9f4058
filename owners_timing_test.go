package kubestate_test

import (
	"testing"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/internal/sim/apiserver"
	simcluster "github.com/kubestate/kubestate/internal/sim/cluster"
	"github.com/kubestate/kubestate/internal/wire"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// BenchmarkPodWorkload stores the Pods, ReplicaSets and Jobs of a simulated cluster:
// without kube_pod_workload, with it, and with it if no Pod has the label that identifies
// its Deployment.
func BenchmarkPodWorkload(b *testing.B) {
	store, err := apiserver.NewStore(apiserver.StoreConfig{Resources: apiserver.Resources()})
	if err != nil {
		b.Fatal(err)
	}
	if err := simcluster.Generate(store, simcluster.Config{Nodes: 100, Pods: 4000, Seed: 1}); err != nil {
		b.Fatal(err)
	}
	for _, bench := range []struct {
		name             string
		workload, labels bool
	}{{"plain", false, true}, {"workload", true, true}, {"unlabelled", true, false}} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				x, err := kubestate.New(kubestate.Config{
					Kinds: []*kind.Table{kind.Pods, kind.ReplicaSets, kind.Jobs},
					Keep:  func(d *metric.Desc) bool { return !d.OptIn || bench.workload && d.Name == "kube_pod_workload" },
				})
				if err != nil {
					b.Fatal(err)
				}
				for _, t := range x.Tables() {
					fill(b, x, t, store, bench.labels)
				}
			}
		})
	}
}

// fill stores the objects of a table as a watch would.
func fill(b *testing.B, x *kubestate.Exporter, t *kind.Table, store *apiserver.Store, labels bool) {
	b.Helper()
	f, err := x.NewFeed(t.Resource)
	if err != nil {
		b.Fatal(err)
	}
	filter, err := wire.Compile(t.New(), kind.Reads(t))
	if err != nil {
		b.Fatal(err)
	}
	f.Begin()
	var buf []byte
	o := t.New()
	for e := range store.All(t.Name) {
		buf = filter.Append(buf[:0], e.Message())
		t.Reset(o)
		if err := o.Unmarshal(buf); err != nil {
			b.Fatal(err)
		}
		if !labels {
			o.SetLabels(nil)
		}
		f.Put(o)
	}
	f.Commit()
}
