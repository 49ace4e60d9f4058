package workload

import (
	"slices"
	"sync"
)

// Index knows what owns ReplicaSets and Jobs, and who asked for it. Who asks before the
// answer is known is refreshed when it is, so that objects may be stored in any order.
// Objects that say themselves what owns them are not kept. It is safe for concurrent use.
type Index struct {
	mu     sync.RWMutex
	read   map[string]bool // kinds whose objects are read
	owners map[Owned]known
	asking map[Owned][]Asker
}

// known is an owner, and the epoch in which it was recorded.
type known struct {
	Owner
	epoch uint32
}

// Asker depends on the owner of a ReplicaSet or Job. It is compared by identity.
type Asker interface {
	// Refresh asks again, because an answer has changed. No lock of the Index is held.
	Refresh()
}

// NewIndex returns an Index that reads no kinds.
func NewIndex() *Index {
	return &Index{read: map[string]bool{}, owners: map[Owned]known{}, asking: map[Owned][]Asker{}}
}

// SetRead records whether objects of a kind are read. Of other kinds nothing will be known:
// their objects are workloads themselves.
func (x *Index) SetRead(kind string, read bool) {
	x.mu.Lock()
	var askers []Asker
	if x.read[kind] != read {
		x.read[kind] = read
		for o, of := range x.asking {
			if o.Kind == kind {
				askers = append(askers, of...)
			}
		}
	}
	x.mu.Unlock()
	refresh(askers)
}

// Owner returns what owns an object. It is not ok while the object is not known: what
// belongs to it has no workload until then. It allocates nothing.
func (x *Index) Owner(o Owned) (owner Owner, ok bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if !x.read[o.Kind] {
		return Owner{}, true
	}
	k, ok := x.owners[o]
	return k.Owner, ok
}

// Workload returns the workload of what an object owns; zero while it is unknown.
func (x *Index) Workload(o Owned) Workload {
	if owner, ok := x.Owner(o); ok {
		return o.Workload(owner)
	}
	return Workload{}
}

// Set records what owns an object. A record of a later epoch is kept: where a new source is
// about to take the place of another, its word counts.
func (x *Index) Set(o Owned, owner Owner, epoch uint32) {
	x.mu.Lock()
	old, recorded := x.owners[o]
	var askers []Asker
	if !recorded || old.epoch <= epoch {
		x.owners[o] = known{owner, epoch}
		if !recorded || old.Owner != owner {
			askers = slices.Clone(x.asking[o])
		}
	}
	x.mu.Unlock()
	refresh(askers)
}

// Delete removes an object that was deleted, or that says itself what owns it, unless its
// record is of a later epoch.
func (x *Index) Delete(o Owned, epoch uint32) {
	x.mu.RLock()
	_, recorded := x.owners[o]
	x.mu.RUnlock()
	if !recorded { // as most ReplicaSets
		return
	}
	x.mu.Lock()
	old, recorded := x.owners[o]
	var askers []Asker
	if recorded && old.epoch <= epoch {
		delete(x.owners, o)
		askers = slices.Clone(x.asking[o])
	}
	x.mu.Unlock()
	refresh(askers)
}

func refresh(askers []Asker) {
	for _, a := range askers {
		a.Refresh()
	}
}

// Ask makes a refreshed when the owner of o changes, until Forget. It is called before the
// answer is used, so that no change is missed.
func (x *Index) Ask(a Asker, o Owned) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.asking[o] = append(x.asking[o], a)
}

// Forget ends Ask.
func (x *Index) Forget(a Asker, o Owned) {
	x.mu.Lock()
	defer x.mu.Unlock()
	askers := x.asking[o]
	if i := slices.Index(askers, a); i >= 0 {
		askers[i] = askers[len(askers)-1]
		askers[len(askers)-1] = nil
		askers = askers[:len(askers)-1]
	}
	if x.asking[o] = askers; len(askers) == 0 {
		delete(x.asking, o)
	}
}
