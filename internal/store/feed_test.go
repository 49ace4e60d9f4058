package store

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"unsafe"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/kubestate/kubestate/metric"
)

func TestNothingIsVisibleBeforeTheFirstCommit(t *testing.T) {
	r := newResource(t)
	f := r.NewFeed()
	f.Begin()
	f.Put(replicaSet("a", 1))
	f.Delete("shop", "b")
	if got := shown(t, r.Snapshot(Slice{})); got != "" {
		t.Errorf("shown before Commit:\n%s", got)
	}
	if r.Stats().Synced {
		t.Error("synced before Commit")
	}
	f.Begin() // the first read failed
	f.Put(replicaSet("b", 2))
	if got := shown(t, r.Snapshot(Slice{})); got != "" {
		t.Errorf("shown before Commit:\n%s", got)
	}
	f.Commit()
	wantReplicas(t, r, "b=2")
	if !r.Stats().Synced {
		t.Error("not synced after Commit")
	}
}

func TestRelistIsAtomic(t *testing.T) {
	r := newResource(t)
	f := r.NewFeed()
	f.Begin()
	f.Put(replicaSet("kept", 1))
	f.Put(replicaSet("gone", 2))
	f.Put(replicaSet("changed", 3))
	f.Commit()

	f.Begin()
	wantReplicas(t, r, "kept=1", "gone=2", "changed=3")
	f.Put(replicaSet("kept", 1))
	f.Put(replicaSet("changed", 4))
	f.Put(replicaSet("new", 5))
	wantReplicas(t, r, "kept=1", "gone=2", "changed=4", "new=5")
	f.Commit()
	wantReplicas(t, r, "kept=1", "changed=4", "new=5")
}

func TestUnfinishedRelistIsForgotten(t *testing.T) {
	r := newResource(t)
	f := r.NewFeed()
	f.Begin()
	f.Put(replicaSet("a", 1))
	f.Put(replicaSet("b", 1))
	f.Commit()

	f.Begin()
	f.Put(replicaSet("a", 2))
	f.Put(replicaSet("ghost", 2)) // gone again by the time of the next read
	f.Begin()
	wantReplicas(t, r, "a=2", "b=1", "ghost=2")
	f.Put(replicaSet("b", 3))
	f.Commit()
	wantReplicas(t, r, "b=3")
}

func TestChangesAfterCommitSurviveTheNextCommit(t *testing.T) {
	r := newResource(t)
	f := r.NewFeed()
	f.Begin()
	f.Commit()
	f.Put(replicaSet("watched", 1))
	f.Commit() // without Begin there is nothing to sweep
	wantReplicas(t, r, "watched=1")
	f.Begin()
	f.Commit()
	wantReplicas(t, r)
}

func TestDelete(t *testing.T) {
	r := newResource(t)
	f := r.NewFeed()
	f.Begin()
	f.Put(replicaSet("a", 1))
	f.Put(replicaSet("b", 2))
	f.Commit()
	before := r.Stats()
	f.Delete("shop", "unknown")
	f.Delete("other", "a")
	if after := r.Stats(); after != before {
		t.Errorf("deleting what is not there changed %+v to %+v", before, after)
	}
	f.Delete("shop", "a")
	f.Delete("shop", "a")
	wantReplicas(t, r, "b=2")
	f.Delete("shop", "b")
	if got, want := r.Stats(), (Stats{Synced: true}); got != want {
		t.Errorf("empty store has %+v, want %+v", got, want)
	}
	if got := shown(t, r.Snapshot(Slice{})); got != "" {
		t.Errorf("empty store writes:\n%s", got)
	}
}

func TestTwoFeeds(t *testing.T) {
	r := newResource(t)
	one, two := r.NewFeed(), r.NewFeed()
	for _, f := range []*Feed{two, one} {
		f.Begin()
	}
	two.Put(replicaSet("b", 2))
	two.Commit()
	wantReplicas(t, r, "b=2")
	if r.Stats().Synced {
		t.Error("synced although a feed is not")
	}
	one.Put(replicaSet("a", 1))
	wantReplicas(t, r, "b=2")
	one.Commit()
	if !r.Stats().Synced {
		t.Error("not synced although both feeds are")
	}
	body := shown(t, r.Snapshot(Slice{}))
	if want := line("a", 1) + line("b", 2); !strings.Contains(body, want) {
		t.Errorf("want the lines of the first feed before those of the second:\n%sin:\n%s", want, body)
	}
	if n := strings.Count(body, "# TYPE kube_replicaset_status_replicas "); n != 1 {
		t.Errorf("%d TYPE lines for one family of two feeds", n)
	}
	// A relist of one feed leaves the other alone.
	one.Begin()
	one.Commit()
	wantReplicas(t, r, "b=2")
	if got := r.Stats().Objects; got != 1 {
		t.Errorf("%d objects, want 1", got)
	}
}

// heldText is a cell and the text of it that is shared; nil: none.
type heldText struct {
	cell *cell
	text *text
}

// texts returns what the first block holds, by family name.
func texts(f *Feed) map[string]heldText {
	byName := map[string]heldText{}
	for i, d := range f.resource.table.Schema().Families {
		if c := f.blocks[0].cells[i]; c != nil {
			byName[d.Name] = heldText{c, c.text}
		}
	}
	return byName
}

func TestUpdateTouchesOnlyTheCellsThatChange(t *testing.T) {
	r := newResource(t)
	f := r.NewFeed()
	f.Begin()
	for i := range 10 {
		f.Put(replicaSet(fmt.Sprint("rs-", i), 1))
	}
	f.Commit()
	put := func(o *appsv1.ReplicaSet) (changed []string) {
		r.Snapshot(Slice{}) // from here on a text that changes is another text
		before := texts(f)
		f.Put(o)
		after := texts(f)
		for _, d := range r.table.Schema().Families {
			if after[d.Name] != before[d.Name] {
				changed = append(changed, d.Name)
			}
		}
		slices.Sort(changed)
		return changed
	}
	if got := put(replicaSet("rs-3", 1)); got != nil {
		t.Errorf("an unchanged object touched %v", got)
	}
	if got, want := put(replicaSet("rs-3", 2)), []string{"kube_replicaset_status_replicas"}; !slices.Equal(got, want) {
		t.Errorf("one changed value touched %v, want %v", got, want)
	}
	o := replicaSet("rs-3", 2)
	o.Labels = nil // a sample with identity labels only is left
	o.Spec.Replicas = new(int32)
	want := []string{"kube_replicaset_labels", "kube_replicaset_spec_replicas"}
	if got := put(o); !slices.Equal(got, want) {
		t.Errorf("two changed families touched %v, want %v", got, want)
	}
	cell := func(family string) *cell {
		return f.blocks[0].cells[slices.IndexFunc(r.table.Schema().Families, func(d metric.Desc) bool { return d.Name == family })]
	}
	if cell("kube_replicaset_spec_replicas") == nil {
		t.Error("a family that got its first sample has no cell")
	}
	put(replicaSet("rs-3", 2))
	if c := cell("kube_replicaset_spec_replicas"); c != nil {
		t.Errorf("a family that lost its last sample has a cell with %q", c.plain)
	}
	// Without a snapshot in between, a text changes in place.
	f.Put(replicaSet("rs-4", 5))
	before := unsafe.SliceData(cell("kube_replicaset_status_replicas").plain)
	f.Put(replicaSet("rs-4", 6))
	if unsafe.SliceData(cell("kube_replicaset_status_replicas").plain) != before {
		t.Error("a text that no snapshot holds was copied")
	}
}

func TestFreedSlotsAreUsedNewestFirst(t *testing.T) {
	r := newResource(t)
	f := r.NewFeed()
	f.Begin()
	const n = 2*blockSlots + 1
	for i := range n {
		f.Put(replicaSet(fmt.Sprint("rs-", i), 1))
	}
	f.Commit()
	at := func(name string) place { return f.index[key{"shop", name}] }
	for i := range n {
		if got, want := at(fmt.Sprint("rs-", i)), (place{int32(i / blockSlots), int32(i % blockSlots)}); got != want {
			t.Fatalf("object %d is at %v, want %v", i, got, want)
		}
	}
	f.Delete("shop", "rs-5")
	f.Delete("shop", "rs-200")
	f.Delete("shop", "rs-7")
	for i, was := range []int{7, 200, 5} {
		name := fmt.Sprint("new-", i)
		f.Put(replicaSet(name, 1))
		if got, want := at(name), (place{int32(was / blockSlots), int32(was % blockSlots)}); got != want {
			t.Errorf("%s is at %v, want %v, where rs-%d was", name, got, want, was)
		}
	}
	f.Put(replicaSet("last", 1))
	if got, want := at("last"), (place{2, 1}); got != want {
		t.Errorf("last is at %v, want %v", got, want)
	}
	if len(f.blocks) != 3 {
		t.Errorf("%d blocks, want 3", len(f.blocks))
	}
}

// TestLargeObjectsShareABlockWithFew: slices are made of whole blocks, and have to
// stay small.
func TestLargeObjectsShareABlockWithFew(t *testing.T) {
	r := newResource(t)
	f := r.NewFeed()
	f.Begin()
	for i := range 20 {
		f.Put(largeReplicaSet(fmt.Sprint("rs-", i), maxBlockBytes/8))
	}
	f.Commit()
	at := func(name string) int { return int(f.index[key{"shop", name}].block) }
	for i := range 20 {
		if got, want := at(fmt.Sprint("rs-", i)), i/8; got != want {
			t.Errorf("object %d is in block %d, want %d", i, got, want)
		}
	}
	for i, b := range f.blocks {
		if b.bytes > maxBlockBytes+maxBlockBytes/4 {
			t.Errorf("block %d has %d bytes", i, b.bytes)
		}
	}
	f.Delete("shop", "rs-3")
	f.Put(replicaSet("small", 1))
	f.Put(replicaSet("smaller", 1))
	if a, b := at("small"), at("smaller"); a != 0 || b != 0 {
		t.Errorf("objects are in blocks %d and %d, want 0, where there is room again", a, b)
	}
}

func TestPutOfAnUnchangedObjectAllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("under the race detector sync.Pool drops items at random")
	}
	t.Setenv("KUBESTATE_VALIDATE", "0")
	r := New(Config{Table: replicaSets(t), Logger: slog.New(slog.DiscardHandler)})
	f := r.NewFeed()
	o := replicaSet("a", 1)
	f.Begin()
	f.Put(o)
	f.Commit()
	r.Snapshot(Slice{})
	if n := testing.AllocsPerRun(1000, func() { f.Put(o) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
