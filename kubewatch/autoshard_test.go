package kubewatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/internal/shard"
	"github.com/kubestate/kubestate/internal/sim/apiserver"
)

// replicas is the StatefulSet of kubestate in these tests.
type replicas struct {
	cluster *cluster
	set     appsv1.StatefulSet
}

func (c *cluster) replicas(n, start int32) *replicas {
	r := &replicas{cluster: c, set: appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: "monitoring", Name: "ks"}}}
	if start > 0 {
		r.set.Spec.Ordinals = &appsv1.StatefulSetOrdinals{Start: start}
	}
	r.scale(n)
	r.ready(n)
	return r
}

func (r *replicas) put() {
	r.cluster.t.Helper()
	if err := r.cluster.store.Put(r.set.DeepCopy()); err != nil {
		r.cluster.t.Fatal(err)
	}
}

// scale changes spec.replicas, as a user does.
func (r *replicas) scale(n int32) {
	r.cluster.t.Helper()
	r.set.Spec.Replicas = &n
	r.set.Generation++
	r.put()
}

// ready changes status.readyReplicas, as the controller does.
func (r *replicas) ready(n int32) {
	r.cluster.t.Helper()
	r.set.Status.ReadyReplicas, r.set.Status.ObservedGeneration = n, r.set.Generation
	r.put()
}

func (c *cluster) putPod(name string, owner *metav1.OwnerReference) {
	c.t.Helper()
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "monitoring", Name: name}}
	if owner != nil {
		p.OwnerReferences = []metav1.OwnerReference{*owner}
	}
	if err := c.store.Put(p); err != nil {
		c.t.Fatal(err)
	}
}

func ownedBy(apiVersion, kind, name string) *metav1.OwnerReference {
	controller := true
	return &metav1.OwnerReference{APIVersion: apiVersion, Kind: kind, Name: name, UID: "u", Controller: &controller}
}

// autoshard runs an Autoshard of a Pod.
func (c *cluster) autoshard(pod string, apply func(Shard)) (a *Autoshard, stop func() error) {
	a = NewAutoshard(AutoshardConfig{Client: c.client, Namespace: "monitoring", Pod: pod, Logger: slog.New(c.log)})
	ctx, cancel := context.WithCancel(c.t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx, apply) }()
	stop = func() error {
		cancel()
		err := <-done
		done <- err
		return err
	}
	c.t.Cleanup(func() { _ = stop() })
	return a, stop
}

func TestNextShard(t *testing.T) {
	zero, none := Shard{}, shard.None()
	of := func(i int32, n int) Shard { return Shard{Index: i, Total: n} }
	for _, test := range []struct {
		name                   string
		current                Shard
		ordinal                int64
		start, replicas, ready int32
		generation, observed   int64
		want                   Shard
	}{
		{"first", zero, 1, 0, 3, 0, 1, 0, of(1, 3)},
		{"ordinals start", zero, 6, 5, 3, 0, 1, 1, of(1, 3)},
		{"before the first", zero, 4, 5, 3, 0, 1, 1, none},
		{"too many", zero, 3, 0, 3, 3, 1, 1, none},
		{"back from too many", none, 3, 0, 4, 3, 1, 1, of(3, 4)},
		{"scaled up, not ready", of(1, 2), 1, 0, 3, 2, 2, 2, of(1, 2)},
		{"scaled up, ready", of(1, 2), 1, 0, 3, 3, 2, 2, of(1, 3)},
		{"scaled up, ready in an older generation", of(1, 2), 1, 0, 3, 3, 2, 1, of(1, 2)},
		{"scaled down", of(1, 3), 1, 0, 2, 3, 3, 2, of(1, 2)},
		{"to be removed", of(2, 3), 2, 0, 2, 3, 3, 3, of(2, 3)},
		{"not ready", of(1, 3), 1, 0, 3, 1, 3, 3, of(1, 3)},
		{"scaled to none", of(1, 3), 1, 0, 0, 0, 3, 3, of(1, 3)},
	} {
		s := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Generation: test.generation}}
		s.Spec.Replicas, s.Status.ReadyReplicas, s.Status.ObservedGeneration = &test.replicas, test.ready, test.observed
		if test.start > 0 {
			s.Spec.Ordinals = &appsv1.StatefulSetOrdinals{Start: test.start}
		}
		if got := nextShard(test.current, test.ordinal, s); got != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
	}
	if got := nextShard(Shard{}, 0, &appsv1.StatefulSet{}); got != of(0, 1) {
		t.Errorf("without replicas: %+v", got)
	}
}

// Until Pod and StatefulSet can be read the shard is unknown, which the error explains; a Pod
// that can have no ordinal is an error.
func TestAutoshardFinds(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		var applied []Shard
		a, stop := c.autoshard("ks-1", func(s Shard) { applied = append(applied, s) })
		want := func(shard Shard, cause string) {
			t.Helper()
			time.Sleep(time.Minute)
			synctest.Wait()
			got, err := a.Shard()
			if (cause == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), cause) || cause == "" && got != shard {
				t.Errorf("shard %+v, error %v; want %+v, %q", got, err, shard, cause)
			}
		}
		want(Shard{}, `shard of pod monitoring/ks-1 unknown: get pod monitoring/ks-1: pods "ks-1" not found`)
		c.putPod("ks-1", ownedBy("apps/v1", "StatefulSet", "ks"))
		want(Shard{}, "its StatefulSet does not exist")
		c.replicas(2, 0)
		want(Shard{Index: 1, Total: 2}, "")
		if len(applied) != 1 || stop() != nil {
			t.Errorf("applied %v", applied)
		}
		c.putPod("a-1", ownedBy("apps/v1", "ReplicaSet", "a"))
		c.putPod("b-1", ownedBy("example.com/v1", "StatefulSet", "b"))
		c.putPod("c", ownedBy("apps/v1", "StatefulSet", "c"))
		c.putPod("d--1", ownedBy("apps/v1", "StatefulSet", "d"))
		c.putPod("e-0", nil)
		for _, pod := range []string{"a-1", "b-1", "c", "d--1", "e-0"} {
			_, stop := c.autoshard(pod, func(Shard) { t.Error("applied") })
			synctest.Wait()
			if err := stop(); !errors.Is(err, ErrNoStatefulSet) || !strings.Contains(err.Error(), "monitoring/"+pod) {
				t.Errorf("%s: %v", pod, err)
			}
		}
	})
}

// scraped is what the shards show together.
type scraped struct {
	missing map[string]int // how many scrapes in a row each series was missing
	twice   int            // series shown twice by the last scrape
}

func (s *scraped) scrape(t *testing.T, want []string, shards []*shardedExporter) {
	t.Helper()
	got := map[string]int{}
	for _, line := range unchanging(series(t, shards...)) {
		got[line]++
	}
	s.twice = 0
	for _, line := range want {
		switch got[line] {
		case 0:
			s.missing[line]++
		case 1:
			delete(s.missing, line)
		default:
			delete(s.missing, line)
			s.twice++
		}
		if s.missing[line] > 1 {
			t.Fatalf("missing in %d scrapes: %s", s.missing[line], line)
		}
		delete(got, line)
	}
	if len(got) > 0 {
		t.Fatalf("unknown series: %.300v", slices.Collect(maps.Keys(got)))
	}
}

// unchanging removes the series of the StatefulSet itself and of its Pods.
func unchanging(lines []string) []string {
	return slices.DeleteFunc(lines, func(line string) bool { return strings.Contains(line, `"monitoring"`) })
}

// While the StatefulSet is scaled up and down, no series is missing: a new shard is ready when
// it has its share, the others let go of it only then. Lists take some seconds here.
func TestScale(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		c.generate(30)
		set := c.replicas(2, 3)
		for i := 3; i < 6; i++ {
			c.putPod(fmt.Sprint("ks-", i), ownedBy("apps/v1", "StatefulSet", "ks"))
		}
		start := func(i int) (*shardedExporter, func()) {
			x := c.exporter(true)
			_, stop := c.autoshard(fmt.Sprint("ks-", i), func(s Shard) { x.become(t, s) })
			return x, func() { _ = stop() }
		}
		one := c.export(Shard{})
		first, _ := start(3)
		second, _ := start(4)
		synctest.Wait()
		c.api.Inject(apiserver.Fault{Verb: apiserver.VerbWatchList, Delay: 100 * time.Millisecond})
		s := &scraped{missing: map[string]int{}}
		shards := []*shardedExporter{first, second}
		seconds := func(n int) {
			t.Helper()
			for range n {
				time.Sleep(time.Second)
				synctest.Wait()
				s.scrape(t, unchanging(series(t, one)), shards)
			}
		}
		settled := func(what string) {
			t.Helper()
			if seconds(3); s.twice > 0 {
				t.Errorf("%s: %d series twice", what, s.twice)
			}
		}
		settled("2 shards")

		set.scale(3)
		third, stopThird := start(5)
		shards = append(shards, third)
		for !third.synced() {
			seconds(1)
		}
		if len(series(t, third)) < 500 || s.twice < 500 {
			t.Errorf("the third shard shows %d series, of which %d others still show", len(series(t, third)), s.twice)
		}
		set.ready(3)
		seconds(10)
		settled("3 shards")

		set.scale(2)
		seconds(8) // the third shard is about to end, and serves until then
		stopThird()
		shards = shards[:2]
		set.ready(2)
		settled("2 shards again")
	})
}

// synced reports whether the exporter has its share.
func (x *shardedExporter) synced() bool {
	return len(x.group.Statuses()) > 0 && Ready(x.group.Statuses(), 1) == nil
}
