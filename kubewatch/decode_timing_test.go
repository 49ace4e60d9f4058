package kubewatch

import (
	"testing"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
	simcluster "github.com/kubestate/kubestate/internal/sim/cluster"
	"github.com/kubestate/kubestate/internal/wire"
	"github.com/kubestate/kubestate/kind"
)

// simulatedPods returns encoded Pods of a simulated cluster.
func simulatedPods(b *testing.B) (messages [][]byte) {
	b.Helper()
	store, err := apiserver.NewStore(apiserver.StoreConfig{Resources: apiserver.Resources()})
	if err != nil {
		b.Fatal(err)
	}
	if err := simcluster.Generate(store, simcluster.Config{Nodes: 10, Pods: 300, Seed: 1}); err != nil {
		b.Fatal(err)
	}
	for e := range store.All("pods") {
		messages = append(messages, e.Message())
	}
	return messages
}

// BenchmarkPod decodes a Pod whole, without the fields that the default families do
// not read, and that into the memory of the one before. BenchmarkFilterPod in
// internal/wire has the filter's part alone.
func BenchmarkPod(b *testing.B) {
	pods := simulatedPods(b)
	planned, err := kind.Pods.Plan(kind.Options{})
	if err != nil {
		b.Fatal(err)
	}
	filter, err := wire.Compile(kind.Pods.New(), kind.Reads(planned))
	if err != nil {
		b.Fatal(err)
	}
	var buf []byte
	decode := func(o kind.Object) {
		if err := o.Unmarshal(buf); err != nil {
			b.Fatal(err)
		}
	}
	reused := kind.Pods.New()
	for _, bench := range []struct {
		name   string
		filter *wire.Filter
		decode func()
	}{
		{"whole", nil, func() { decode(kind.Pods.New()) }},
		{"filtered", filter, func() { decode(kind.Pods.New()) }},
		{"reused", filter, func() { kind.Pods.Reset(reused); decode(reused) }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			size := 0
			for i := 0; b.Loop(); i++ {
				buf = bench.filter.Append(buf[:0], pods[i%len(pods)])
				size += len(buf)
				bench.decode()
			}
			b.ReportMetric(float64(size)/float64(b.N), "wire-B/op")
		})
	}
}
