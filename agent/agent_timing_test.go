package agent_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/naming/datadog"
	"github.com/kubestate/kubestate/internal/agenttest"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/sink"
)

// BenchmarkPut puts a Pod that is new, changed or unchanged.
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

// BenchmarkRun takes a snapshot and iterates over it.
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

// BenchmarkJoinedChange changes a label that is joined to other objects, and takes the next
// run: the cost of the change and what it adds to the run.
func BenchmarkJoinedChange(b *testing.B) {
	namespace := func(team string) kind.Object {
		return objects(b, fmt.Sprintf(`{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: %s}}}`, team))[0]
	}
	for _, c := range []struct {
		name    string
		pods    int // on ten Nodes, in one namespace
		objects [2]kind.Object
	}{
		{"node of 40 Pods", 400, [2]kind.Object{realNode(b, 3), unlabelled(b)}},
		{"node of 400 Pods", 4000, [2]kind.Object{realNode(b, 3), unlabelled(b)}},
		{"namespace of 5000 Pods", 5000, [2]kind.Object{namespace("blue"), namespace("red")}},
	} {
		x := agenttest.New(b, agent.Config{Scheme: datadog.Scheme(), LabelsAsTags: map[string]map[string]string{"namespace": {"team": "team"}}})
		x.Put(namespace("green"))
		for i := range c.pods {
			x.Put(realistic(b, i))
		}
		for i := range 10 {
			x.Put(realNode(b, i))
		}
		r, f := x.NewReader(), x.Feed(agenttest.TableOf(b, c.objects[0]).Name)
		r.Run(runAt)
		b.Run(strings.ReplaceAll(c.name, " ", "_"), func(b *testing.B) {
			b.ReportAllocs()
			var change time.Duration
			made := x.Stats().Blocks
			for i := 0; b.Loop(); i++ {
				start := time.Now()
				f.Put(c.objects[i%2])
				change += time.Since(start)
				r.Run(runAt)
			}
			b.ReportMetric(float64(change.Nanoseconds())/float64(b.N), "ns/change")
			b.ReportMetric(float64(b.Elapsed()-change)/float64(b.N), "ns/run")
			b.ReportMetric(float64(x.Stats().Blocks-made)/float64(b.N), "blocks/op")
		})
	}
}

func unlabelled(t testing.TB) kind.Object {
	n := realNode(t, 3)
	n.SetLabels(nil)
	return n
}

// BenchmarkBlockTags reads the tags of a block as a sink does to encode them: as they are,
// and what it would cost if some were in blocks of other objects and had to be merged in
// order without duplicates.
func BenchmarkBlockTags(b *testing.B) {
	var whole []sink.Tag
	var parts [2][]sink.Tag // of the object, and of what it is joined with
	for s := range filled(b, 1).NewReader().Run(runAt).Series {
		if s.Metric.Name == "kubernetes_state.container.memory_limit" {
			whole = s.Block.Tags
		}
	}
	for i, t := range whole {
		if i%3 == 0 { // tags of both stand among each other
			parts[1] = append(parts[1], t)
		} else {
			parts[0] = append(parts[0], t)
		}
	}
	bytes := 0
	read := func(t *sink.Tag) { bytes += len(t.Key) + len(t.Value) }
	b.Run("one_list", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for i := range whole {
				read(&whole[i])
			}
		}
	})
	b.Run("two_lists", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			merge(parts[0], parts[1], read)
		}
	})
	runtime.KeepAlive(bytes)
}

// merge calls f for the tags of two sorted lists in order, once for each.
func merge(a, b []sink.Tag, f func(*sink.Tag)) {
	for len(a) > 0 && len(b) > 0 {
		c := strings.Compare(a[0].Key, b[0].Key)
		if c == 0 {
			c = strings.Compare(a[0].Value, b[0].Value)
		}
		if c <= 0 {
			f(&a[0])
			a = a[1:]
		}
		switch {
		case c > 0:
			f(&b[0])
			fallthrough
		case c == 0:
			b = b[1:]
		}
	}
	for _, rest := range [][]sink.Tag{a, b} {
		for i := range rest {
			f(&rest[i])
		}
	}
}
