package agent_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/internal/agenttest"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/sink"
)

// cluster is a small cluster with random changes, in which names recur. The same seed makes
// the same changes.
type cluster struct {
	*rand.Rand
	objects map[string]kind.Object // what there is, by kind and name
	steps   int
	late    *agent.Feed // that of Pods in ns2; nil: they have none of their own
}

func newCluster(seed uint64) *cluster {
	return &cluster{Rand: rand.New(rand.NewPCG(seed, 1)), objects: map[string]kind.Object{}}
}

// readLate is the step at which the late Feed is synced.
const readLate = 500

// withLate gives the Pods of a namespace their own Feed, which is synced late.
func (c *cluster) withLate(t *testing.T, x *agenttest.Cluster) *cluster {
	t.Helper()
	f, err := x.NewFeed("pods")
	if err != nil {
		t.Fatal(err)
	}
	f.Begin()
	c.late = f
	return c
}

func (c *cluster) feedOf(t *testing.T, x *agenttest.Cluster, o kind.Object) *agent.Feed {
	t.Helper()
	if _, ok := o.(*corev1.Pod); ok && c.late != nil && o.GetNamespace() == "ns2" {
		return c.late
	}
	return x.Feed(agenttest.TableOf(t, o).Name)
}

// keys returns the keys of the objects, in the same order for the same seed.
func (c *cluster) keys() []string { return slices.Sorted(maps.Keys(c.objects)) }

// visible returns the objects that runs may contain.
func (c *cluster) visible() (all []kind.Object) {
	for _, k := range c.keys() {
		o := c.objects[k]
		if _, ok := o.(*corev1.Pod); ok && c.late != nil && c.steps <= readLate && o.GetNamespace() == "ns2" {
			continue
		}
		all = append(all, o)
	}
	return all
}

func (c *cluster) name(prefix string, n int) string { return fmt.Sprintf("%s%d", prefix, c.IntN(n)) }

// make returns a random object.
func (c *cluster) make() kind.Object {
	labels := map[string]string{}
	for range c.IntN(3) {
		labels[c.name("l", 3)] = c.name("v", 2)
	}
	meta := metav1.ObjectMeta{Labels: labels, UID: types.UID(c.name("u", 3))}
	if n := c.IntN(3); n > 0 {
		meta.OwnerReferences = []metav1.OwnerReference{
			{Kind: []string{"ReplicaSet", "DaemonSet"}[n-1], Name: []string{"web-6b8f7d9c5", "logs"}[n-1], Controller: new(true)},
		}
	}
	switch c.IntN(6) {
	case 0:
		meta.Name = c.name("node", 4)
		return &corev1.Node{ObjectMeta: meta, Status: corev1.NodeStatus{NodeInfo: corev1.NodeSystemInfo{OSImage: c.name("os", 2)}}}
	case 1:
		meta.Name = c.name("ns", 3)
		return &corev1.Namespace{ObjectMeta: meta}
	default:
		meta.Name, meta.Namespace = c.name("pod", 12), c.name("ns", 3)
		p := &corev1.Pod{ObjectMeta: meta, Spec: corev1.PodSpec{NodeName: c.name("node", 4)}}
		for i := range c.IntN(3) {
			p.Spec.Containers = append(p.Spec.Containers, corev1.Container{
				Name: fmt.Sprint("c", i),
				Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{
					corev1.ResourceCPU: *resource.NewMilliQuantity(c.Int64N(5)*100, resource.DecimalSI),
				}},
			})
		}
		if c.IntN(2) == 0 {
			p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse}}
		}
		return p
	}
}

func keyOf(o kind.Object) string {
	return fmt.Sprintf("%T %s %s", o, o.GetNamespace(), o.GetName())
}

// step changes the cluster and updates the Agent.
func (c *cluster) step(t *testing.T, x *agenttest.Cluster) {
	t.Helper()
	if c.steps++; c.steps == readLate+1 && c.late != nil {
		c.relist(t, x, c.late)
	}
	switch o := c.make(); c.IntN(20) {
	case 0, 1, 2, 3, 4:
		delete(c.objects, keyOf(o))
		c.feedOf(t, x, o).Delete(o.GetNamespace(), o.GetName())
	case 5:
		feeds := []*agent.Feed{x.Feed("nodes"), x.Feed("namespaces"), x.Feed("pods")}
		if c.late != nil && c.steps > readLate {
			feeds = append(feeds, c.late)
		}
		c.relist(t, x, feeds[c.IntN(len(feeds))])
	default:
		c.objects[keyOf(o)] = o
		c.feedOf(t, x, o).Put(x.Filtered(o))
	}
}

// relist lists the objects of a Feed again. Some of them have been deleted meanwhile.
func (c *cluster) relist(t *testing.T, x *agenttest.Cluster, f *agent.Feed) {
	t.Helper()
	f.Begin()
	for _, k := range c.keys() {
		o := c.objects[k]
		switch {
		case c.feedOf(t, x, o) != f:
		case c.IntN(4) == 0:
			delete(c.objects, k)
		default:
			f.Put(x.Filtered(o))
		}
	}
	f.Commit()
}

// fromScratch returns the lines of an Agent that sees the cluster for the first time, in any
// order.
func (c *cluster) fromScratch(t *testing.T) []string {
	t.Helper()
	x := agenttest.New(t, agent.Config{Scheme: modelled(&sizes{})})
	all := c.visible()
	c.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	x.Put(all...)
	return x.Lines(runAt)
}

// After thousands of random changes, the result is the same as for an Agent that sees only
// the final state: joins and aggregations retain nothing stale and miss nothing.
func TestChangesLeaveNoTrace(t *testing.T) {
	if raceDetector {
		t.Skip("slow, and one goroutine: make without-race runs it")
	}
	for seed := range uint64(4) {
		tracker := &sizes{}
		x := agenttest.New(t, agent.Config{Scheme: modelled(tracker)})
		c := newCluster(seed).withLate(t, x)
		for i := range 3000 {
			c.step(t, x)
			if i%37 == 0 {
				x.NewReader().Run(runAt)
			}
			if i%100 != 0 {
				continue
			}
			lines := x.Lines(runAt)
			if diff := cmp.Diff(c.fromScratch(t), lines); diff != "" {
				t.Fatalf("seed %d, step %d (-fresh +changed):\n%s", seed, i, diff)
			}
			if diff := cmp.Diff(c.wantTotals(), totalsOf(lines)); diff != "" {
				t.Fatalf("seed %d, step %d: aggregations (-want +got):\n%s", seed, i, diff)
			}
		}
		for _, k := range c.keys() {
			o := c.objects[k]
			c.feedOf(t, x, o).Delete(o.GetNamespace(), o.GetName())
		}
		if s := x.Stats(); s.Objects != 0 || s.Series != 0 || s.Groups != 0 || s.JoinKeys != 0 {
			t.Errorf("seed %d: stats without objects: %+v", seed, s)
		}
		if x.Lines(runAt) != nil || len(tracker.known) != 0 {
			t.Errorf("seed %d: lines remain, or the Tracker still has %v", seed, tracker.known)
		}
	}
}

// Ended series of runs and the contents of runs of changes add up to the full state for
// whoever follows them.
func TestChangesAddUpToFullRun(t *testing.T) {
	for seed := range uint64(4) {
		x := agenttest.New(t, agent.Config{Scheme: modelled(&sizes{})})
		c := newCluster(seed).withLate(t, x)
		whole, changes := x.NewReader(), x.NewReader()
		var before map[string]float64
		known := map[string]float64{}
		for i := range 1500 {
			c.step(t, x)
			if c.IntN(5) > 0 {
				continue
			}
			run := whole.Run(runAt)
			now := values(run)
			compareEnded(t, run, before, now)
			before = now

			run = changes.Changes(runAt)
			for s := range run.Ended {
				delete(known, identity(s))
			}
			for s := range run.Series {
				known[identity(s)] = s.Value
			}
			if diff := cmp.Diff(now, known); diff != "" {
				t.Fatalf("seed %d, step %d: changes do not add up (-run +changes):\n%s", seed, i, diff)
			}
		}
	}
}

func compareEnded(t *testing.T, r *sink.Run, before, now map[string]float64) {
	t.Helper()
	var want []string
	for id := range before {
		if _, ok := now[id]; !ok {
			want = append(want, id)
		}
	}
	var got []string
	for s := range r.Ended {
		got = append(got, identity(s))
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("ended (-want +got):\n%s", diff)
	}
}

func identity(s *sink.Series) string {
	x := *s
	x.Value = 0
	return agenttest.Series(func(yield func(*sink.Series) bool) { yield(&x) })[0]
}

func values(r *sink.Run) map[string]float64 {
	all := map[string]float64{}
	for s := range r.Series {
		all[identity(s)] = s.Value
	}
	return all
}

// Kinds change concurrently while runs are read, and each run stays the same.
func TestConcurrency(t *testing.T) {
	x := agenttest.New(t, agent.Config{Scheme: modelled(&sizes{})})
	lists := map[string][]kind.Object{}
	c := newCluster(9)
	for range 2000 {
		o := c.make()
		c.objects[keyOf(o)] = o
		resource := agenttest.TableOf(t, o).Name
		lists[resource] = append(lists[resource], o)
	}
	var feeders, readers sync.WaitGroup
	for _, list := range lists {
		feeders.Go(func() {
			for i, o := range list {
				x.Put(o)
				if i%50 == 49 {
					x.Delete(o)
					x.Put(o)
				}
			}
		})
	}
	feeders.Go(func() {
		for range 20 {
			x.SetClusterID("c")
		}
	})
	stop := make(chan struct{})
	for range 2 {
		readers.Go(func() {
			for r := x.NewReader(); ; {
				run := r.Run(time.Now())
				if first, second := agenttest.Lines(run), agenttest.Lines(run); !slices.Equal(first, second) {
					t.Error("run changed")
				}
				for range run.Ended {
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	feeders.Wait()
	close(stop)
	readers.Wait()
	if diff := cmp.Diff(c.fromScratch(t), x.Lines(runAt)); diff != "" {
		t.Errorf("(-fresh +concurrent):\n%s", diff)
	}
}
