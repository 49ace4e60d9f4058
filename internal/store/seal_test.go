package store

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"
)

// forms returns how many texts of a feed are open and how many are sealed.
func forms(f *Feed) (open, sealed int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, b := range f.blocks {
		for _, c := range b.cells {
			switch {
			case c == nil:
			case c.text != nil && c.text.form.Load().sealed != nil:
				sealed++
			default:
				open++
			}
		}
	}
	return open, sealed
}

// sealOpen seals everything, as if time had passed.
func sealOpen(f *Feed) {
	for range 3 {
		f.sealQuiet()
	}
}

func wantForms(t *testing.T, f *Feed, open, sealed int) {
	t.Helper()
	if o, s := forms(f); o != open || s != sealed {
		t.Errorf("%d texts are open and %d sealed, want %d and %d", o, s, open, sealed)
	}
}

// families is how many families replicaSet has samples of.
const families = 8

func TestInitialListSealsFullBlocks(t *testing.T) {
	f := newResource(t).NewFeed()
	f.Begin()
	for i := range blockSlots - 1 {
		f.Put(replicaSet(fmt.Sprint("rs-", i), 1))
	}
	wantForms(t, f, families, 0)
	f.Put(replicaSet("last", 1))
	wantForms(t, f, 0, families)
	f.Put(replicaSet("next", 1))
	wantForms(t, f, families, families)
	f.Put(replicaSet("last", 2)) // opens a text again
	wantForms(t, f, families+1, families-1)
	f.Commit()
	wantForms(t, f, 0, 2*families)
}

// TestInitialListSealsBlocksOfLargeObjects: such blocks are full with fewer objects.
func TestInitialListSealsBlocksOfLargeObjects(t *testing.T) {
	f := newResource(t).NewFeed()
	f.Begin()
	for i := range 20 {
		f.Put(largeReplicaSet(fmt.Sprint("rs-", i), maxBlockBytes/8))
		if open, _ := forms(f); open > families {
			t.Fatalf("%d texts are open after %d objects, want those of one block", open, i+1)
		}
	}
	wantForms(t, f, families, 2*families)
}

// TestBufferOfATextIsKeptOnce: of two callers that seal the same text only one may reuse
// its buffer.
func TestBufferOfATextIsKeptOnce(t *testing.T) {
	f := newResource(t).NewFeed()
	for range 50 {
		same := []*text{newText([]byte(strings.Repeat("text", 10_000)))}
		memory := make(chan []byte, 2)
		for range cap(memory) {
			go func() { memory <- f.compress(same)[0] }()
		}
		if a, b := <-memory, <-memory; a != nil && b != nil {
			t.Fatal("two callers have the buffer of one text")
		}
	}
}

// TestTextsOpenedBeforeTheFirstCommitAreBounded: changes in full blocks, such as joined
// labels, do not bring all text into memory.
func TestTextsOpenedBeforeTheFirstCommitAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // so that no round passes
		t.Setenv("KUBESTATE_VALIDATE", "0")
		r := New(Config{Table: replicaSets(t)})
		f := r.NewFeed()
		f.Begin()
		const n = 20 * blockSlots
		for i := range n {
			f.Put(longReplicaSet(fmt.Sprint("rs-", i), 1))
		}
		for i := range n { // as a second read
			f.Put(longReplicaSet(fmt.Sprint("rs-", i), 2))
			if limit := f.bytes/openFraction + minOpenBytes; f.openBytes > limit {
				t.Fatalf("%d bytes are open of %d, want at most %d", f.openBytes, f.bytes, limit)
			}
		}
		f.Commit()
		if open, _ := forms(f); open > 0 {
			t.Errorf("%d texts are open after the first commit", open)
		}
		time.Sleep(3 * round)
	})
}

func TestTextsAreSealedWhenUnchanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newResource(t)
		f := r.NewFeed()
		f.Begin()
		for i := range blockSlots {
			f.Put(replicaSet(fmt.Sprint("rs-", i), 1))
		}
		f.Commit()
		f.Put(replicaSet("rs-1", 2))
		wantForms(t, f, 1, families-1)
		for i := range 10 { // what keeps changing stays open
			time.Sleep(round)
			f.Put(replicaSet("rs-1", int32(10+i)))
			synctest.Wait()
			wantForms(t, f, 1, families-1)
		}
		time.Sleep(3 * round)
		synctest.Wait()
		wantForms(t, f, 0, families)
		if f.timer != nil || len(f.open) > 0 || f.openBytes != 0 {
			t.Errorf("all is sealed, but there are a timer %v, %d cells, %d bytes to seal", f.timer, len(f.open), f.openBytes)
		}
		wantReplicas(t, r, wantNames()...)
	})
}

func wantNames() []string {
	var names []string
	for i := range blockSlots {
		replicas := 1
		if i == 1 {
			replicas = 19
		}
		names = append(names, fmt.Sprintf("rs-%d=%d", i, replicas))
	}
	return names
}

func TestScrapeSealsTexts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // so that no round passes
		r := newResource(t)
		f := r.NewFeed()
		f.Begin()
		f.Put(replicaSet("a", 1))
		f.Commit()
		f.Put(replicaSet("a", 2))
		wantForms(t, f, 1, families-1)
		r.Snapshot(Slice{})
		wantForms(t, f, 1, families-1)
		inAllEncodings(t, r.Snapshot(Slice{}), 0)
		wantForms(t, f, 0, families)
		time.Sleep(3 * round)
	})
}

// largeReplicaSet has a label of some size.
func largeReplicaSet(name string, size int) *appsv1.ReplicaSet {
	o := replicaSet(name, 1)
	o.Labels["large"] = strings.Repeat("x", size)
	return o
}

// longReplicaSet has a label of some 5,000 bytes.
func longReplicaSet(name string, version int) *appsv1.ReplicaSet {
	o := replicaSet(name, 1)
	o.Labels["long"] = fmt.Sprint(version, strings.Repeat("x", 5_000))
	return o
}

// TestBurstsSealAtOnce: a burst of changes does not bring all text into memory, whatever
// changes.
func TestBurstsSealAtOnce(t *testing.T) {
	t.Setenv("KUBESTATE_VALIDATE", "0")
	const n = 20 * blockSlots // 13 MB
	name := func(i int) string { return fmt.Sprint("rs-", i) }
	bursts := map[string]func(f *Feed, look func()){
		"other text": func(f *Feed, look func()) {
			for i := range n {
				f.Put(longReplicaSet(name(i), 2))
				look()
			}
		},
		"new objects": func(f *Feed, look func()) {
			for i := range n {
				f.Put(longReplicaSet("new-"+name(i), 1))
				look()
			}
		},
		"a read that no longer finds every second": func(f *Feed, look func()) {
			f.Begin()
			for i := 0; i < n; i += 2 {
				f.Put(longReplicaSet(name(i), 1))
			}
			f.Commit()
			look()
		},
	}
	for what, burst := range bursts {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // so that no round passes
				r := New(Config{Table: replicaSets(t)})
				f := r.NewFeed()
				f.Begin()
				for i := range n {
					f.Put(longReplicaSet(name(i), 1))
				}
				f.Commit()
				most := 0
				burst(f, func() {
					f.mu.Lock()
					defer f.mu.Unlock()
					if err := f.validateOpen(); err != nil {
						t.Fatal(err)
					}
					most = max(most, f.openBytes)
				})
				if limit := f.bytes/openFraction + minOpenBytes; most > limit || most < limit/4 {
					t.Errorf("up to %d bytes were open of %d, want some, and at most %d", most, f.bytes, limit)
				}
				time.Sleep(3 * round)
				if open, _ := forms(f); open > 0 {
					t.Errorf("%d texts are open after a while", open)
				}
			})
		})
	}
}

// An open cell that lost its last lines is not compressed.
func TestEmptiedCellsAreNotSealed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // so that no round passes
		f := newResource(t).NewFeed()
		f.Begin()
		f.Put(replicaSet("a", 1))
		f.Commit()
		f.Put(replicaSet("a", 2))
		f.Delete("shop", "a")
		f.mu.Lock()
		defer f.mu.Unlock()
		if len(f.open) == 0 {
			t.Fatal("no cell is queued")
		}
		if texts := f.takeQuiet(); len(texts) > 0 {
			t.Errorf("%d empty texts to seal", len(texts))
		}
		f.timer.Stop()
		f.timer = nil
	})
}

// The buffer of a sealed text is reused while more texts are to come: during the first
// list, and as long as a timer runs. A Commit drops all buffers.
func TestBuffersAreReused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // so that no round passes
		f := newResource(t).NewFeed()
		kept := func() int {
			f.mu.Lock()
			defer f.mu.Unlock()
			return len(f.spare)
		}
		buffer := func(size int) []byte {
			f.mu.Lock()
			defer f.mu.Unlock()
			return f.buffer(size)
		}
		seal := func(size, want int) {
			t.Helper()
			sealed := newText(make([]byte, size))
			f.sealAll([]*text{sealed})
			if n := kept(); n != want {
				t.Errorf("%d buffers are kept, want %d", n, want)
			}
		}
		f.Begin()
		seal(1000, 1)
		if b := buffer(1001); cap(b) != 1001 || kept() != 1 {
			t.Errorf("a buffer of %d bytes for a larger text", cap(b))
		}
		if b := buffer(1000); cap(b) != 1000 || len(b) != 0 || kept() != 0 {
			t.Errorf("the only buffer is not reused: one of %d bytes, %d kept", cap(b), kept())
		}
		seal(1000, 1)
		f.Commit()
		seal(1000, 0)
		f.Put(replicaSet("a", 1)) // starts the timer
		seal(1000, 1)
		time.Sleep(5 * round)
		synctest.Wait()
		if n := kept(); n != 0 {
			t.Errorf("%d buffers are kept at rest", n)
		}
		seen := newText(make([]byte, 1000))
		seen.seen = true
		f.Put(replicaSet("a", 2))
		f.sealAll([]*text{seen})
		if kept() != 0 {
			t.Error("the buffer of a text that a snapshot has is reused")
		}
		time.Sleep(5 * round)
	})
}
