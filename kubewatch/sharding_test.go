package kubewatch

import (
	"crypto/sha256"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubestate/kubestate/internal/shard"
	"github.com/kubestate/kubestate/internal/sim/apiserver"
	"github.com/kubestate/kubestate/kind"
)

// uidOf is the UID of the objects with a name in these tests.
func uidOf(name string) types.UID {
	h := sha256.Sum256([]byte(name))
	return types.UID(fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16]))
}

func shardedMeta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: "default", Name: name, UID: uidOf(name), Labels: map[string]string{"app": "shop"}}
}

func shardedObject(t *kind.Table, name string) kind.Object {
	if t == kind.Secrets {
		return &corev1.Secret{ObjectMeta: shardedMeta(name), Type: "Opaque"}
	}
	return &appsv1.ReplicaSet{ObjectMeta: shardedMeta(name)}
}

// Shards together store every object once, in whichever form the server sends objects and
// whichever way they are read, as do whole consumers of the same watch.
func TestShardsDivideObjects(t *testing.T) {
	metadata := []string{"metadata.{name,namespace,resourceVersion,uid,labels}"}
	for name, test := range map[string]struct {
		table  *kind.Table
		fields []string
		wrap   func(http.Handler) http.Handler
	}{
		"protobuf": {kind.ReplicaSets, nil, nil},
		"fields":   {kind.ReplicaSets, append(metadata, "spec.replicas"), nil},
		"metadata": {kind.ReplicaSets, metadata, nil},
		"json":     {kind.ReplicaSets, nil, jsonOnly},
		"table":    {kind.Secrets, append(metadata, "type"), nil},
	} {
		for _, way := range []string{"stream", "list"} {
			for _, ranges := range []bool{false, true} {
				t.Run(fmt.Sprint(name, " ", way, " ranges ", ranges), func(t *testing.T) {
					inCluster(t, test.wrap, func(c *cluster) {
						if way == "list" {
							c.api.Inject(apiserver.NoStreaming())
						}
						c.testShards(test.table, test.fields, ranges)
					})
				})
			}
		}
	}
}

func (c *cluster) testShards(table *kind.Table, fields []string, ranges bool) {
	const shards = 3
	t := c.t
	var names []string
	put := func(name string) {
		if err := c.store.Put(shardedObject(table, name)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 40 {
		names = append(names, fmt.Sprint("s", i))
		put(names[i])
	}
	sharded, whole := make([]*memory, shards), make([]*memory, shards)
	var watches []Watch
	for i := range shards {
		sharded[i], whole[i] = &memory{}, &memory{}
		w := Watch{Table: table, Fields: fields, Store: sharded[i], Shard: Shard{Index: int32(i), Total: shards, Ranges: ranges}}
		if i > 0 { // the first drops what it does not own
			w.Store, w.Others = Tee(sharded[i], whole[i]), whole[i]
			w.OtherFields = []string{"metadata.{name,namespace,resourceVersion}"}
		}
		watches = append(watches, w)
	}
	g, _ := c.watch(watches...)
	check := func() {
		t.Helper()
		synctest.Wait()
		want := make([]string, shards)
		for _, name := range slices.Sorted(slices.Values(names)) {
			for i := range shards {
				if shard.Owns(watches[i].Shard, string(uidOf(name))) {
					want[i] += name + " "
				}
			}
		}
		for i := range shards {
			if got := sharded[i].names() + " "; got != want[i] || len(want[i]) < 20 {
				t.Errorf("shard %d has %q, want %q", i, got, want[i])
			}
			if i > 0 && len(whole[i].objects) != len(names) {
				t.Errorf("the whole consumer of shard %d has %d objects, want %d", i, len(whole[i].objects), len(names))
			}
		}
	}
	check()
	for i := range 30 {
		names = append(names, fmt.Sprint("new", i))
		put(names[len(names)-1])
		put(names[i]) // again
	}
	for range 20 {
		resource := table.Name
		if found, err := c.store.Delete(resource, "default", names[0]); !found || err != nil {
			t.Fatal(found, err)
		}
		names = names[1:]
	}
	time.Sleep(time.Minute)
	check()
	selected := false
	for _, query := range slices.Concat(c.queries(apiserver.VerbList), c.queries(apiserver.VerbWatch), c.queries(apiserver.VerbWatchList)) {
		selector := query.Get("shardSelector")
		if selector != "" && (selector != watches[0].Shard.Selector() || !ranges) {
			t.Errorf("ranges %t: unexpected shard selector %q", ranges, selector)
		}
		selected = selected || selector != ""
	}
	if selected != ranges { // the first watch is for one shard only
		t.Errorf("ranges %t: a shard selector is sent: %t", ranges, selected)
	}
	for i, s := range g.Statuses() {
		if s.Counts.DecodeErrors+s.Counts.Relists > 0 || s.State != Synced || s.ResourceVersion != g.Statuses()[0].ResourceVersion {
			t.Errorf("shard %d: %+v", i, s)
		}
	}
}

// An object of another shard is dropped from the encoded list.
func TestOthersAreDropped(t *testing.T) {
	w, err := newWatcher(&Client{}, Watch{Table: kind.ReplicaSets, Store: &memory{}, Shard: Shard{Index: 0, Total: 2}}, newWorkers(), newOutage(nil), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	_, cancel := w.begin(t.Context())
	defer cancel(nil)
	in := &intake{watcher: w, codec: protobufCodec{}}
	kept := 0
	for i := range 100 {
		object, err := shardedObject(kind.ReplicaSets, fmt.Sprint("s", i)).(*appsv1.ReplicaSet).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(1, func() { w.owns(protobufCodec{}, object) }); n != 0 {
			t.Fatalf("%v allocations", n)
		}
		if in.put(object); w.owns(protobufCodec{}, object) {
			kept++
		}
		if in.batch != nil && len(in.batch.objects) != kept || in.batch == nil && kept > 0 {
			t.Fatalf("the batch has %+v, want %d objects", in.batch, kept)
		}
	}
	if kept < 30 || kept > 70 {
		t.Errorf("%d of 100 objects kept", kept)
	}
}

// A change of the shard lists objects again, into the same stores: what stays in the shard
// is stored all the time, and what the shard gains is stored before what it loses goes.
func TestReshard(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		for i := range 50 {
			if err := c.store.Put(shardedObject(kind.ReplicaSets, fmt.Sprint("s", i))); err != nil {
				t.Fatal(err)
			}
		}
		own := func(s Shard) map[string]bool {
			names := map[string]bool{}
			for i := range 50 {
				if name := fmt.Sprint("s", i); shard.Owns(s, string(uidOf(name))) {
					names["default/"+name] = true
				}
			}
			return names
		}
		s, w := &stores{}, &stores{}
		consumer, whole := s.consumer("x", kind.ReplicaSets), w.consumer("y", kind.ReplicaSets)
		whole.Whole = true
		two, three := Shard{Index: 1, Total: 2}, Shard{Index: 1, Total: 3}
		planOf := func(s Shard) Plan { return NewPlan(Scope{Shard: s}, consumer, whole) }
		g := c.applied(planOf(two))
		check := func(want map[string]bool) {
			t.Helper()
			synctest.Wait()
			got := map[string]bool{}
			for key := range s.made[0].objects {
				got[key] = true
			}
			if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if len(s.made) != 1 || len(w.made[0].objects) != 50 || !g.Synced() {
				t.Errorf("%d stores, %d objects of the whole consumer", len(s.made), len(w.made[0].objects))
			}
		}
		check(own(two))
		if d := planOf(two).Diff(planOf(three)); len(d.Resharded) != 1 || len(d.Changed)+len(d.Kept)+len(d.Added)+len(d.Removed) > 0 {
			t.Errorf("diff %+v", d)
		}
		// Nothing goes while the list cannot be read.
		forbid := c.api.Inject(apiserver.Forbidden("replicasets"))
		c.apply(g, planOf(three))
		check(own(two))
		forbid()
		time.Sleep(time.Minute)
		check(own(three))
		s.made[0].onPut = func(kind.Object) {
			for key := range own(three) {
				if s.made[0].objects[key] == nil {
					t.Errorf("%s is gone while objects are listed", key)
				}
			}
		}
		c.apply(g, planOf(two))
		check(own(two))
		s.made[0].onPut = nil
		if relists := g.Statuses()[0].Counts.Relists; relists == 0 {
			t.Error("nothing was listed again")
		}
		for _, shard := range []Shard{{Total: 1}, {}} { // everything, either way
			c.apply(g, planOf(shard))
			if len(s.made[0].objects) != 50 {
				t.Errorf("%+v has %d objects", shard, len(s.made[0].objects))
			}
		}
	})
}

// An entry reads all objects if one of its consumers needs them all, and is not sharded if
// each does.
func TestPlanOfShards(t *testing.T) {
	s := &stores{}
	pods, nodes, jobs := s.consumer("x", kind.Pods), s.consumer("x", kind.Nodes), s.consumer("x", kind.Jobs)
	source, other := s.consumer("x sources", kind.Nodes), s.consumer("x sources", kind.Jobs)
	source.Whole, other.Whole, jobs.Whole = true, true, true
	two := Shard{Index: 1, Total: 2}
	plan := NewPlan(Scope{Shard: two}, pods, nodes, jobs, source, other)
	got := map[string]Shard{}
	for _, e := range plan.Entries {
		got[e.String()] = e.Shard
		w, _, err := e.watch()
		if wantOthers := e.String() != "pods"; err != nil || (w.Others != nil) != wantOthers || w.Shard != e.Shard {
			t.Errorf("%s: %+v, %v", e, w, err)
		}
	}
	if want := map[string]Shard{"pods": two, "nodes": two, "jobs": {}}; !maps.Equal(got, want) {
		t.Errorf("shards %v, want %v", got, want)
	}
}

// Without the UID among the fields that are read, rows of a Table could not be told apart.
func TestShardNeedsUID(t *testing.T) {
	fields := []string{"metadata.{name,namespace,resourceVersion}", "type"}
	_, err := NewGroup(&Client{}, []Watch{{Table: kind.Secrets, Fields: fields, Store: &memory{}, Shard: Shard{Total: 2}}}, nil)
	if want := "watch secrets: fields: metadata.uid must be among them"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestJSONUID(t *testing.T) {
	for object, want := range map[string]string{
		`{"spec":{"metadata":{"uid":"b"}},"metadata":{"name":"n","ownerReferences":[{"uid":"o"}],"uid":"a"}}`: "a",
		`{"Metadata":{"uid":"b"},"metadata":{"UID":"b"}}`:                                                     "",
		`{"metadata":null}`: "",
		`{"metadata":`:      "",
		`[]`:                "",
	} {
		if got := string(jsonCodec{}.uid([]byte(object))); got != want {
			t.Errorf("%s: %q, want %q", object, got, want)
		}
	}
}
