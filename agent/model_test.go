package agent_test

import (
	"fmt"
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

// cluster is a small cluster that changes at random, so that names recur.
type cluster struct {
	*rand.Rand
	objects map[string]kind.Object // what there is, by kind and name
}

func newCluster(seed uint64) *cluster {
	return &cluster{rand.New(rand.NewPCG(seed, 1)), map[string]kind.Object{}}
}

func (c *cluster) name(prefix string, n int) string { return fmt.Sprintf("%s%d", prefix, c.IntN(n)) }

// make returns a random object.
func (c *cluster) make() kind.Object {
	labels := map[string]string{}
	for range c.IntN(3) {
		labels[c.name("l", 3)] = c.name("v", 2)
	}
	meta := metav1.ObjectMeta{Labels: labels, UID: types.UID(c.name("u", 3))}
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

// step changes the cluster, and the Agent with it.
func (c *cluster) step(t *testing.T, x *agenttest.Cluster) {
	t.Helper()
	switch o := c.make(); c.IntN(20) {
	case 0, 1, 2, 3, 4:
		delete(c.objects, keyOf(o))
		x.Delete(o)
	case 5:
		c.relist(t, x, []string{"pods", "nodes", "namespaces"}[c.IntN(3)])
	default:
		c.objects[keyOf(o)] = o
		x.Put(o)
	}
}

// relist reads a resource anew. Some of its objects have gone meanwhile.
func (c *cluster) relist(t *testing.T, x *agenttest.Cluster, resource string) {
	t.Helper()
	x.Feed(resource).Begin()
	for k, o := range c.objects {
		switch {
		case agenttest.TableOf(t, o).Name != resource:
		case c.IntN(4) == 0:
			delete(c.objects, k)
		default:
			x.Put(o)
		}
	}
	x.Feed(resource).Commit()
}

// anew returns the lines of an Agent that sees the cluster for the first time, in
// any order.
func (c *cluster) anew(t *testing.T, n *agent.Names) []string {
	t.Helper()
	x := agenttest.New(t, agent.Config{Names: n})
	var all []kind.Object
	for _, o := range c.objects {
		all = append(all, o)
	}
	x.Put(all...)
	return x.Lines(runAt)
}

// modelled is crossed with all kinds of totals.
func modelled() *agent.Names {
	n := crossed()
	n.Entities = []agent.Entity{{Resource: "pods", Tags: []string{"namespace", "pod"}}}
	for _, op := range []agent.Op{agent.Sum, agent.Count, agent.Min, agent.Max} {
		n.Aggregates = append(n.Aggregates, agent.Aggregate{
			Family: "kube_pod_container_resource_requests", Metric: string(op), Op: op, By: []string{"namespace", "label_l0"}, Joined: true,
		})
	}
	n.Joins["kube_pod_info"] = agent.Join{Match: []string{"namespace"}, Get: []string{"uid"}} // many sources for each
	return n
}

// Thousands of random changes leave what seeing only their result gives: joins and
// totals keep nothing of what was, and miss nothing that is.
func TestChangesLeaveNoTrace(t *testing.T) {
	if raceDetector {
		t.Skip("slow, and one goroutine: make without-race runs it")
	}
	for seed := range uint64(4) {
		c, x := newCluster(seed), agenttest.New(t, agent.Config{Names: modelled()})
		for i := range 3000 {
			c.step(t, x)
			if i%37 == 0 {
				x.NewReader().Run(runAt)
			}
			if i%100 != 0 {
				continue
			}
			if diff := cmp.Diff(c.anew(t, modelled()), x.Lines(runAt)); diff != "" {
				t.Fatalf("seed %d, step %d (-anew +changed):\n%s", seed, i, diff)
			}
		}
		for _, o := range c.objects {
			x.Delete(o)
		}
		if s := x.Stats(); s.Objects != 0 || s.Series != 0 || s.Groups != 0 || s.JoinKeys != 0 {
			t.Errorf("seed %d: of nothing there is left: %+v", seed, s)
		}
		if x.Lines(runAt) != nil {
			t.Errorf("seed %d: lines are left", seed)
		}
	}
}

// A Reader's runs tell what has ended, and runs of changes what has changed, so
// that whoever follows them knows what there is.
func TestReadersFollow(t *testing.T) {
	for seed := range uint64(4) {
		c, x := newCluster(seed), agenttest.New(t, agent.Config{Names: modelled()})
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

// Kinds change at the same time while runs are read, and each run stays as it is.
func TestConcurrency(t *testing.T) {
	x := agenttest.New(t, agent.Config{Names: modelled()})
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
					t.Error("a run has changed")
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
	if diff := cmp.Diff(c.anew(t, modelled()), x.Lines(runAt)); diff != "" {
		t.Errorf("(-anew +concurrently):\n%s", diff)
	}
}
