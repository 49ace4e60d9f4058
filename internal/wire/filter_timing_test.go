package wire_test

import (
	"testing"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
	"github.com/kubestate/kubestate/internal/sim/cluster"
	"github.com/kubestate/kubestate/internal/wire"
	"github.com/kubestate/kubestate/kind"
)

// BenchmarkFilterPod drops from Pods of a simulated cluster the fields that default
// families do not read. BenchmarkPod in kubewatch includes decoding.
func BenchmarkFilterPod(b *testing.B) {
	store, err := apiserver.NewStore(apiserver.StoreConfig{Resources: apiserver.Resources()})
	if err != nil {
		b.Fatal(err)
	}
	if err := cluster.Generate(store, cluster.Config{Nodes: 10, Pods: 300, Seed: 1}); err != nil {
		b.Fatal(err)
	}
	var pods [][]byte
	for e := range store.All("pods") {
		pods = append(pods, e.Message())
	}
	planned, err := kind.Pods.Plan(kind.Options{})
	if err != nil {
		b.Fatal(err)
	}
	filter, err := wire.Compile(kind.Pods.New(), kind.Reads(planned))
	if err != nil {
		b.Fatal(err)
	}
	var buf []byte
	b.ReportAllocs()
	size := 0
	for i := 0; b.Loop(); i++ {
		buf = filter.Append(buf[:0], pods[i%len(pods)])
		size += len(buf)
	}
	b.ReportMetric(float64(size)/float64(b.N), "wire-B/op")
}
