package agent_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/kubestate/kubestate/kind"
)

// BenchmarkPut takes in a Pod that is new, has changed, or is as it was.
func BenchmarkPut(b *testing.B) {
	x := filled(b, 1000)
	f := x.Feed("pods")
	pods := make([]kind.Object, 1000)
	for i := range pods {
		pods[i] = realistic(b, i)
	}
	b.Run("same", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			f.Put(pods[i%1000])
		}
	})
	changed := [2]kind.Object{realistic(b, 7), realistic(b, 8)} // they differ in restarts
	changed[1].SetName(changed[0].GetName())
	b.Run("changed", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			f.Put(changed[i%2])
		}
	})
	b.Run("new", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			f.Put(pods[i%1000])
			f.Delete("shop", pods[i%1000].GetName())
		}
	})
}

// BenchmarkRun takes a snapshot and walks it.
func BenchmarkRun(b *testing.B) {
	for _, pods := range []int{1000, 10_000} {
		x := filled(b, pods)
		r := x.NewReader()
		b.Run(fmt.Sprintf("pods=%d/snapshot", pods), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r.Run(runAt)
			}
		})
		b.Run(fmt.Sprintf("pods=%d/walk", pods), func(b *testing.B) {
			run := r.Run(runAt)
			n := count(run)
			b.ReportAllocs()
			start := time.Now()
			for b.Loop() {
				count(run)
			}
			b.ReportMetric(float64(time.Since(start).Nanoseconds())/float64(b.N)/float64(n), "ns/series")
		})
		b.Run(fmt.Sprintf("pods=%d/node", pods), func(b *testing.B) {
			nodes := [2]kind.Object{realNode(b, 3), realNode(b, 3)}
			nodes[1].SetLabels(nil)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				x.Put(nodes[i%2])
				r.Run(runAt)
			}
		})
	}
}
