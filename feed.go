package kubestate

import (
	"sync"

	"github.com/kubestate/kubestate/internal/store"
	"github.com/kubestate/kubestate/kind"
)

// Feed receives the objects of one source, such as one watch, for an Exporter; see
// Exporter.NewFeed. It is a kubewatch.Store.
//
// A source delivers a complete list (Begin, Put for each object, Commit) and then changes
// as they happen (Put, Delete). Objects become visible with the first Commit, and from then
// on every change is visible to the next scrape. A scrape never sees half of a change or of
// a list. If Exporter.Replace changed the resource, objects become visible after the first
// Commit of all its new Feeds.
//
// A Feed is safe for concurrent use. Calls for one object must be made in the order of its
// changes. Calls after Close, or after the configuration of the Feed was replaced, do
// nothing.
type Feed struct {
	exporter *Exporter
	part     *part
	store    *store.Feed

	ending sync.RWMutex // read-locked during calls, so that none outlasts Close
	closed bool
}

// Begin starts a complete list. Objects of an earlier list stay visible. A list that was
// begun but not committed is abandoned.
func (f *Feed) Begin() {
	if f.enter() {
		defer f.ending.RUnlock()
		f.store.Begin()
	}
}

// Put stores an object that was listed, added or changed: an object with the same namespace
// and name is replaced. The object must have the type of the kind; its metrics are computed
// before Put returns, and it is not retained. A family that cannot be computed is omitted,
// logged once and counted in Stats.Failures. Put allocates nothing if no metric of the
// object changes.
func (f *Feed) Put(o kind.Object) {
	if f.enter() {
		defer f.ending.RUnlock()
		f.store.Put(o)
	}
}

// Delete removes the object with a namespace (empty for a cluster-scoped kind) and name.
// It does nothing for an object that is not stored.
func (f *Feed) Delete(namespace, name string) {
	if f.enter() {
		defer f.ending.RUnlock()
		f.store.Delete(namespace, name)
	}
}

// Commit ends a complete list: objects that were not Put since Begin are removed, all at
// once. The first Commit makes the objects of the Feed visible.
func (f *Feed) Commit() {
	f.commit()
	f.exporter.advance(f.part)
}

func (f *Feed) commit() {
	if f.enter() {
		defer f.ending.RUnlock()
		f.store.Commit()
	}
}

// Close ends the Feed when its source has ended, and removes its objects. If
// Exporter.Replace changed the resource, they stay visible until those of the new Feeds
// are.
func (f *Feed) Close() {
	f.exporter.changing.Lock()
	defer f.exporter.changing.Unlock()
	if f.part.outdated {
		f.end()
		return
	}
	f.remove()
	f.exporter.settle(f.part)
}

// enter reports whether the Feed is open. If so, it holds a lock that the caller releases.
func (f *Feed) enter() bool {
	f.ending.RLock()
	if f.closed {
		f.ending.RUnlock()
		return false
	}
	return true
}

// end makes further calls do nothing, and waits for running ones.
func (f *Feed) end() {
	f.ending.Lock()
	defer f.ending.Unlock()
	f.closed = true
}

// remove ends the Feed and removes its objects.
func (f *Feed) remove() {
	f.end()
	f.store.Close()
}

// Stats describes what an Exporter stores of one resource.
type Stats struct {
	// Objects is the number of objects, Series the number of their series, and Bytes the
	// size of all sample lines in the text format, uncompressed.
	Objects, Series, Bytes int
	// Failures counts objects with a family that could not be computed, since the start.
	Failures uint64
	// Synced reports whether there is a Feed and every Feed has had its first Commit.
	Synced bool
}
