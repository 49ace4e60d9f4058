package cluster_test

import (
	"runtime"
	"testing"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
)

// BenchmarkGenerate makes the largest cluster that the project promises to
// serve and reports its size.
func BenchmarkGenerate(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		store := newStore(b, 5_000, 100_000)
		b.StopTimer()
		objects, bytes := 0, 0
		for _, r := range apiserver.Resources() {
			n := 0
			for e := range store.All(r.Name) {
				n += len(e.Bytes())
			}
			b.Logf("%-16s %7d objects, %6d bytes each", r.Name, store.Len(r.Name), n/max(1, store.Len(r.Name)))
			objects, bytes = objects+store.Len(r.Name), bytes+n
		}
		var memory runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&memory)
		b.ReportMetric(float64(objects), "objects")
		b.ReportMetric(float64(bytes)/1e6, "encoded-MB")
		b.ReportMetric(float64(memory.HeapAlloc)/1e6, "heap-MB")
		runtime.KeepAlive(store)
		b.StartTimer()
	}
}
