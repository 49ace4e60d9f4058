package kubewatch

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/kubestate/kubestate/kind"
)

// versioned is a ReplicaSet of a version, so large that few fill a batch.
func versioned(name, version string) *appsv1.ReplicaSet {
	o := replicaSet(name)
	o.ResourceVersion = version
	o.Annotations = map[string]string{"large": strings.Repeat("x", batchSize/4)}
	return o
}

// manyAdded returns events and names of objects that fill several batches.
func manyAdded(t *testing.T) (events []byte, names string) {
	t.Helper()
	var all []string
	for i := range 40 {
		all = append(all, fmt.Sprintf("r%02d", i))
		events = append(events, protobufFrame(t, watch.Added, versioned(all[i], "1"))...)
	}
	return events, strings.Join(all, " ")
}

// versions returns "name@version" of all that is stored.
func (m *memory) versions() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []string
	for _, o := range m.objects {
		all = append(all, o.GetName()+"@"+o.GetResourceVersion())
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// The objects of a full read are stored by several goroutines at once.
func TestDecodedOnAllCores(t *testing.T) {
	added, names := manyAdded(t)
	list := &appsv1.ReplicaSetList{}
	list.ResourceVersion = "5"
	for name := range strings.FieldsSeq(names) {
		list.Items = append(list.Items, *versioned(name, "1"))
	}
	for how, bodies := range map[string][][]byte{
		"stream": {slices.Concat(added, endOfInitialEvents(t), hold)},
		"list":   {nil, inEnvelope(t, "ReplicaSetList", list)},
	} {
		t.Run(how, func(t *testing.T) {
			inCluster(t, script(new(atomic.Int32), bodies...), func(c *cluster) {
				var inside atomic.Int32
				both := make(chan struct{})
				m := &memory{onPut: func(kind.Object) {
					if inside.Add(1) == 2 {
						close(both)
					}
					select {
					case <-both:
					case <-time.After(time.Hour):
						t.Error("nothing else is stored while an object is")
					}
				}}
				g, _ := c.watch(Watch{Table: kind.ReplicaSets, Store: m})
				time.Sleep(time.Minute)
				m.want(t, names)
				if s := g.Statuses()[0]; !s.Synced || m.commits != 1 || s.Counts.DecodeErrors != 0 || how == "stream" && s.Counts.Added != 40 {
					t.Errorf("status %+v, %d commits", s, m.commits)
				}
			})
		})
	}
}

// A full read is committed when all its objects are stored, however long that
// takes.
func TestCommitWaits(t *testing.T) {
	added, names := manyAdded(t)
	inCluster(t, script(new(atomic.Int32), slices.Concat(added, endOfInitialEvents(t), hold)), func(c *cluster) {
		m := &memory{onPut: func(kind.Object) { time.Sleep(time.Second) }}
		g, _ := c.watch(Watch{Table: kind.ReplicaSets, Store: m})
		time.Sleep(2 * time.Second)
		if m.commits != 0 || g.Synced() || m.names() == names {
			t.Errorf("%d commits, synced %v, stored %s", m.commits, g.Synced(), m.names())
		}
		time.Sleep(time.Minute)
		m.want(t, names)
		if m.commits != 1 || !g.Synced() {
			t.Errorf("%d commits, synced %v", m.commits, g.Synced())
		}
	})
}

// What happens to an object between the initial events is stored after it.
func TestOrderOfInitialEvents(t *testing.T) {
	added, _ := manyAdded(t)
	stream := slices.Concat(added,
		protobufFrame(t, watch.Modified, versioned("r39", "2")),
		protobufFrame(t, watch.Added, versioned("gone", "3")),
		protobufFrame(t, watch.Deleted, versioned("gone", "4")),
		protobufFrame(t, watch.Added, versioned("again", "1")),
		protobufFrame(t, watch.Deleted, versioned("again", "5")),
		protobufFrame(t, watch.Added, versioned("again", "6")),
		endOfInitialEvents(t),
		protobufFrame(t, watch.Modified, versioned("again", "7")),
		hold)
	inCluster(t, script(new(atomic.Int32), stream), func(c *cluster) {
		// The older a version is the longer it takes to store it.
		m := &memory{onPut: func(o kind.Object) {
			if o.GetResourceVersion() < "6" {
				time.Sleep(time.Second)
			}
		}}
		g, _ := c.watch(Watch{Table: kind.ReplicaSets, Store: m})
		time.Sleep(time.Minute)
		if got := m.versions(); !strings.HasPrefix(got, "again@7 r00@1 ") || !strings.HasSuffix(got, " r39@2") {
			t.Errorf("stored %s", got)
		}
		if s := g.Statuses()[0]; s.Counts.Added != 43 || s.Counts.Modified != 2 || s.Counts.Deleted != 2 {
			t.Errorf("counts %+v", s.Counts)
		}
	})
}

// A fault in a store, in whatever goroutine, ends the attempt: the rest is stored
// and nothing is committed, and the next attempt starts over.
func TestPanicInWorker(t *testing.T) {
	added, names := manyAdded(t)
	full := slices.Concat(added, endOfInitialEvents(t), hold)
	inCluster(t, script(new(atomic.Int32), full, full), func(c *cluster) {
		var panics atomic.Int32
		m := &memory{onPut: func(o kind.Object) {
			if o.GetName() == "r05" && panics.Add(1) == 1 {
				panic("no room for r05")
			}
		}}
		g, _ := c.watch(Watch{Table: kind.ReplicaSets, Store: m})
		s := c.wantStatus(g, Failing, Panicked)
		if want := "streaming list of replicasets: panic: no room for r05"; s.Error != want || m.commits != 0 {
			t.Errorf("error %q, %d commits", s.Error, m.commits)
		}
		if got := m.names(); strings.Contains(got, "r05") || !strings.HasPrefix(got, "r00 ") || !strings.HasSuffix(got, " r39") {
			t.Errorf("stored %s", got)
		}
		time.Sleep(time.Minute)
		m.want(t, names)
		c.wantStatus(g, Synced, "")
		c.log.want(t, "ERROR panic in a watch", "WARN watch failed; retrying Panicked", "INFO watch recovered")
	})
}

// A fault in the goroutine of the watch ends the attempt, but not before everything
// is stored that was handed on: the next attempt starts over with the store.
func TestPanicBesideWorkers(t *testing.T) {
	added, _ := manyAdded(t)
	list := &appsv1.ReplicaSetList{}
	for i := range 40 {
		list.Items = append(list.Items, *versioned(fmt.Sprintf("r%02d", i), "1"))
	}
	for how, bodies := range map[string][][]byte{
		"stream": {slices.Concat(added, endOfInitialEvents(t), hold)},
		"list":   {nil, inEnvelope(t, "ReplicaSetList", list)},
	} {
		t.Run(how, func(t *testing.T) {
			inCluster(t, script(new(atomic.Int32), bodies...), func(c *cluster) {
				var under, stored atomic.Int32
				m := &memory{onPut: func(kind.Object) {
					under.Add(1)
					defer under.Add(-1)
					time.Sleep(time.Second)
					stored.Add(1)
				}}
				g, err := NewGroup(c.client, []Watch{{Table: kind.ReplicaSets, Store: m}}, slog.New(c.log))
				if err != nil {
					t.Fatal(err)
				}
				w, made := g.members[0].watcher, 0
				newBatch := w.workers.batches.New
				w.workers.batches.New = func() any {
					if made++; made == 2 {
						panic("no room for another batch")
					}
					return newBatch()
				}
				err = w.attempt(c.t.Context())
				if err == nil || !strings.Contains(err.Error(), "panic: no room for another batch") || w.complete {
					t.Errorf("error %v", err)
				}
				if under.Load() != 0 || stored.Load() == 0 {
					t.Errorf("%d objects are being stored, %d are", under.Load(), stored.Load())
				}
			})
		})
	}
}

// An object has nothing of the one that was decoded before it into the same memory.
func TestObjectsDoNotMix(t *testing.T) {
	for name, wrap := range map[string]func(http.Handler) http.Handler{"protobuf": nil, "json": jsonOnly} {
		t.Run(name, func(t *testing.T) {
			inCluster(t, wrap, func(c *cluster) {
				pod := func(name, message string) *corev1.Pod {
					return &corev1.Pod{
						ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
						Spec:       corev1.PodSpec{NodeName: message},
						Status:     corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: "Ready", Message: message}}},
					}
				}
				for _, p := range []*corev1.Pod{pod("a", "more"), pod("b", "")} {
					if err := c.store.Put(p); err != nil {
						t.Fatal(err)
					}
				}
				m := &memory{}
				c.watch(Watch{Table: kind.Pods, Store: m})
				m.want(t, "a b")
				got := m.objects["default/b"].(*corev1.Pod)
				want := pod("b", "")
				want.ResourceVersion, want.TypeMeta = got.ResourceVersion, got.TypeMeta
				if !apiequality.Semantic.DeepEqual(got, want) {
					t.Errorf("got %v, want %v", got, want)
				}
			})
		})
	}
}

// More jobs than there are workers are done by who brings them, so that what is
// under way stays bounded.
func TestWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, release := newWorkers(), make(chan struct{})
		var running sync.WaitGroup
		for range runtime.GOMAXPROCS(0) {
			running.Add(1)
			p.do(func() {
				defer running.Done()
				<-release
			})
		}
		done := false
		p.do(func() { done = true })
		if !done {
			t.Error("a job too many is left to a goroutine")
		}
		close(release)
		running.Wait()
		synctest.Wait()
		done = false
		p.do(func() { <-t.Context().Done() })
		p.do(func() {})
		if len(p.busy) == 0 {
			t.Error("no goroutine takes a job again")
		}
	})
}

// A huge object does not make a batch huge for ever.
func TestHugeBatchIsDropped(t *testing.T) {
	p := newWorkers()
	for range 100 {
		b := p.batches.Get().(*batch)
		if cap(b.data) > maxKept || len(b.data) > 0 || len(b.objects) > 0 {
			t.Fatalf("a batch with %d bytes and room for %d", len(b.data), cap(b.data))
		}
		b.data, b.objects = append(b.data, bytes.Repeat([]byte{1}, maxKept+1)...), append(b.objects, batched{1, true})
		p.release(b)
	}
}
