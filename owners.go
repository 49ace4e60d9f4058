package kubestate

import (
	"slices"
	"sync"
	"unique"

	"github.com/kubestate/kubestate/internal/store"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// workloadFamily is the family of Pods that follows the chain of owners.
const workloadFamily = "kube_pod_workload"

// ownerIndex knows what owns ReplicaSets and Jobs, for Pods whose workload is
// what owns their owner. What a Pod asks for is noted before it is rendered; where
// the answer changes later, the family alone is rendered again. So objects may come
// in any order. Nothing is kept of Pods and ReplicaSets whose names and labels say
// it all, which are most. It is safe for concurrent use.
type ownerIndex struct {
	mu     sync.RWMutex
	read   map[string]bool // kinds whose objects are read; of others nothing will be known
	owners map[kind.Owned]recorded
	asking map[kind.Owned][]podKey // Pods that ask for an owner
	askers map[podKey]*asker

	// refreshing serializes refreshes, so that the last one stores the latest
	// answer. What a Pod asks for changes under it too, so that no refresh stores a
	// previous state of the Pod. It is taken before mu and guards scratch.
	refreshing sync.Mutex
	scratch    kind.Object // a Pod to render from
}

// recorded is an owner, and the epoch of the table from which it is known; see joined.Index.
type recorded struct {
	kind.Owner
	epoch uint32
}

type podKey struct {
	feed            *store.Feed // in which it is stored
	namespace, name string
}

// asker is a Pod that asks for owners.
type asker struct {
	family int // index of workloadFamily
	kind.PodOwners
	stale bool // an answer changed since the Pod was noted; guarded by mu
}

func newOwnerIndex() *ownerIndex {
	return &ownerIndex{
		read:    map[string]bool{},
		owners:  map[kind.Owned]recorded{},
		asking:  map[kind.Owned][]podKey{},
		askers:  map[podKey]*asker{},
		scratch: kind.Pods.New(),
	}
}

// ownsPods reports whether Pods may ask what owns objects of a table.
func ownsPods(t *kind.Table) bool {
	switch t.GroupVersionKind().GroupKind().String() {
	case "ReplicaSet.apps", "Job.batch":
		return true
	default:
		return false
	}
}

// workloadsOf returns the index of workloadFamily in a table; -1: it does not have it.
func workloadsOf(t *kind.Table) int {
	if t.GroupVersionKind().GroupKind().String() != "Pod" {
		return -1
	}
	return slices.IndexFunc(t.Schema().Families, func(d metric.Desc) bool { return d.Name == workloadFamily })
}

// setRead records whether objects of a kind are read, and updates the Pods that ask for
// their owners.
func (x *ownerIndex) setRead(kind string, read bool) {
	x.mu.Lock()
	var pods []podKey
	if x.read[kind] != read {
		x.read[kind] = read
		for o := range x.asking {
			if o.Kind == kind {
				pods = append(pods, x.stale(o)...)
			}
		}
	}
	x.mu.Unlock()
	x.refresh(pods)
}

// stale marks the Pods that ask for an owner, and returns them.
func (x *ownerIndex) stale(o kind.Owned) []podKey {
	for _, p := range x.asking[o] {
		x.askers[p].stale = true
	}
	return slices.Clone(x.asking[o])
}

// of is the kind.Owners of the index.
func (x *ownerIndex) of(o kind.Owned) (kind.Owner, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if !x.read[o.Kind] {
		return kind.Owner{}, true
	}
	r, ok := x.owners[o]
	return r.Owner, ok
}

// ownersFeed observes ReplicaSets or Jobs.
type ownersFeed struct {
	*ownerIndex
	table *kind.Table
	epoch uint32
}

// Before implements store.Observer.
func (x ownersFeed) Before(*store.Feed, kind.Object) {}

// Put notes what owns an object. Where Pods can tell it themselves, what an object of
// the same name had before is forgotten.
func (x ownersFeed) Put(f *store.Feed, o kind.Object) {
	owned, owner, ok := kind.OwnerOf(x.table, o)
	if !ok {
		x.Delete(f, o.GetNamespace(), o.GetName())
		return
	}
	x.refresh(x.set(owned, &owner, x.epoch))
}

// Delete forgets what owned an object.
func (x ownersFeed) Delete(_ *store.Feed, namespace, name string) {
	x.refresh(x.set(kind.Owned{Kind: x.table.Kind, Namespace: namespace, Name: name}, nil, x.epoch))
}

// set notes or, with nil, forgets an owner, and returns the Pods that ask for it
// if that is news.
func (x *ownerIndex) set(o kind.Owned, owner *kind.Owner, epoch uint32) []podKey {
	x.mu.Lock()
	defer x.mu.Unlock()
	old, known := x.owners[o]
	switch {
	case known && epoch < old.epoch || owner == nil && !known:
		return nil
	case owner == nil:
		delete(x.owners, o)
	default:
		x.owners[o] = recorded{*owner, epoch}
		if known && old.Owner == *owner {
			return nil
		}
	}
	return x.stale(o)
}

// refresh renders the workload of those Pods again that still ask.
func (x *ownerIndex) refresh(pods []podKey) {
	for _, p := range pods {
		x.refreshOne(p)
	}
}

func (x *ownerIndex) refreshOne(p podKey) {
	x.refreshing.Lock()
	defer x.refreshing.Unlock() // also after a panic, from which the watch goes on
	x.mu.RLock()
	a, ok := x.askers[p]
	x.mu.RUnlock()
	if ok {
		a.Fill(x.scratch, p.namespace, p.name)
		p.feed.Refresh(x.scratch, a.family)
	}
}

// podsFeed observes Pods.
type podsFeed struct {
	*ownerIndex
	family int
}

// Before notes for which owners a Pod asks, so that it can be rendered with what is
// known of them.
func (x podsFeed) Before(f *store.Feed, o kind.Object) {
	p := podKey{f, o.GetNamespace(), o.GetName()}
	owners, asks := kind.OwnersOf(o)
	if !asks {
		x.forget(p)
		return
	}
	x.refreshing.Lock()
	defer x.refreshing.Unlock()
	x.mu.Lock()
	defer x.mu.Unlock()
	x.drop(p)
	p.namespace = unique.Make(p.namespace).Value()
	x.askers[p] = &asker{family: x.family, PodOwners: owners}
	for _, ask := range owners.Asks {
		x.asking[ask] = append(x.asking[ask], p)
	}
}

// Put renders the workload of a Pod again if an answer changed while the Pod was
// rendered and stored.
func (x podsFeed) Put(f *store.Feed, o kind.Object) {
	p := podKey{f, o.GetNamespace(), o.GetName()}
	x.mu.RLock()
	a := x.askers[p]
	stale := a != nil && a.stale
	x.mu.RUnlock()
	if stale {
		x.refreshOne(p)
	}
}

// Delete forgets for which owners a Pod asked.
func (x podsFeed) Delete(f *store.Feed, namespace, name string) {
	x.forget(podKey{f, namespace, name})
}

// forget forgets what a Pod asks for. Most Pods never asked.
func (x *ownerIndex) forget(p podKey) {
	x.mu.RLock()
	asked := x.askers[p] != nil
	x.mu.RUnlock()
	if !asked {
		return
	}
	x.refreshing.Lock()
	defer x.refreshing.Unlock()
	x.mu.Lock()
	defer x.mu.Unlock()
	x.drop(p)
}

// drop is forget with both locks held.
func (x *ownerIndex) drop(p podKey) {
	a := x.askers[p]
	if a == nil {
		return
	}
	delete(x.askers, p)
	for _, ask := range a.Asks {
		pods := x.asking[ask]
		if i := slices.Index(pods, p); i >= 0 {
			pods[i] = pods[len(pods)-1]
			pods = pods[:len(pods)-1]
		}
		if x.asking[ask] = pods; len(pods) == 0 {
			delete(x.asking, ask)
		}
	}
}

// both returns an observer that tells two, of which either may be nil.
func both(a, b store.Observer) store.Observer {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	default:
		return twoObservers{a, b}
	}
}

type twoObservers struct{ a, b store.Observer }

func (t twoObservers) Before(f *store.Feed, o kind.Object) {
	t.a.Before(f, o)
	t.b.Before(f, o)
}

func (t twoObservers) Put(f *store.Feed, o kind.Object) {
	t.a.Put(f, o)
	t.b.Put(f, o)
}

func (t twoObservers) Delete(f *store.Feed, namespace, name string) {
	t.a.Delete(f, namespace, name)
	t.b.Delete(f, namespace, name)
}
