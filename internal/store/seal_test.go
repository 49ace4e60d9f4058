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

func wantForms(t *testing.T, f *Feed, open, sealed int) {
	t.Helper()
	if o, s := forms(f); o != open || s != sealed {
		t.Errorf("%d texts are open and %d sealed, want %d and %d", o, s, open, sealed)
	}
}

// families is how many families replicaSet has samples of.
const families = 8

func TestFirstReadSealsFullBlocks(t *testing.T) {
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

func TestChangedTextsAreSealedWhenTheyRest(t *testing.T) {
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

func TestScrapeSealsAndSealedTextsStaySo(t *testing.T) {
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
}

// TestMuchOpenTextIsSealedAtOnce: a burst of changes does not bring all text into
// memory.
func TestMuchOpenTextIsSealedAtOnce(t *testing.T) {
	t.Setenv("KUBESTATE_VALIDATE", "0")
	r := New(Config{Table: replicaSets(t)})
	f := r.NewFeed()
	long := func(i, version int) *appsv1.ReplicaSet {
		o := replicaSet(fmt.Sprint("rs-", i), 1)
		o.Labels["long"] = fmt.Sprint(version, strings.Repeat("x", 5_000))
		return o
	}
	f.Begin()
	const n = 20 * blockSlots // 13 MB
	for i := range n {
		f.Put(long(i, 1))
	}
	f.Commit()
	most := 0
	for i := range n {
		f.Put(long(i, 2))
		f.mu.Lock()
		most = max(most, f.openBytes)
		f.mu.Unlock()
	}
	if limit := f.bytes/mostOpenPart + mostOpenBytes + blockSlots*6_000; most > limit || most < limit/3 {
		t.Errorf("up to %d bytes were open of %d, want some, and at most %d", most, f.bytes, limit)
	}
}
