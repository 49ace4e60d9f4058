package kubestate

import (
	"maps"
	"slices"
	"sync"

	"github.com/kubestate/kubestate/internal/store"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// workloadFamily is the family of Pods that follows the chain of owners.
const workloadFamily = "kube_pod_workload"

// ownerIndex knows what owns ReplicaSets and Jobs, for Pods whose workload is
// what owns their owner. Where that becomes known or changes after the Pod was
// rendered, the family is rendered anew: the order in which objects come does
// not matter. It keeps nothing of Pods and ReplicaSets whose names say all, which
// are most. It is safe for concurrent use.
type ownerIndex struct {
	served []string // kinds whose objects are read; of others nothing will be known
	family int      // index of workloadFamily among the families of Pods

	mu     sync.RWMutex
	owners map[kind.Owned]kind.Owner
	asking map[kind.Owned]map[podKey]struct{} // Pods that ask for an owner
	askers map[podKey]asker

	// refreshing lets one refresh end before the next begins, so that the one
	// that began last, and knows most, is stored last. What a Pod asks for changes
	// under it too, so that no refresh stores what the Pod was before. It is taken
	// before mu.
	refreshing sync.Mutex
}

type podKey struct{ namespace, name string }

// asker is a Pod that asks for owners: what its workload is made of, and where it
// is stored.
type asker struct {
	feed *store.Feed
	part kind.Object
	asks []kind.Owned
}

func newOwnerIndex() *ownerIndex {
	return &ownerIndex{
		owners: map[kind.Owned]kind.Owner{},
		asking: map[kind.Owned]map[podKey]struct{}{},
		askers: map[podKey]asker{},
	}
}

// observers returns who is to be told of the objects of a table: nobody unless
// the workload of Pods is served.
func (x *ownerIndex) observers(tables []*kind.Table) func(*kind.Table) store.Observer {
	x.family = -1
	for _, t := range tables {
		switch t.GroupVersionKind().GroupKind().String() {
		case "Pod":
			x.family = slices.IndexFunc(t.Schema().Families, func(d metric.Desc) bool { return d.Name == workloadFamily })
		case "ReplicaSet.apps", "Job.batch":
			x.served = append(x.served, t.Kind)
		}
	}
	return func(t *kind.Table) store.Observer {
		if x.family < 0 {
			return nil
		}
		switch t.GroupVersionKind().GroupKind().String() {
		case "Pod":
			return podsFeed{x}
		case "ReplicaSet.apps", "Job.batch":
			return ownersFeed{x, t}
		default:
			return nil
		}
	}
}

// of is the kind.Owners of the index.
func (x *ownerIndex) of(o kind.Owned) (kind.Owner, bool) {
	if !slices.Contains(x.served, o.Kind) {
		return kind.Owner{}, true
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	owner, ok := x.owners[o]
	return owner, ok
}

// ownersFeed observes ReplicaSets or Jobs.
type ownersFeed struct {
	*ownerIndex
	table *kind.Table
}

// Put notes what owns an object. Where Pods tell that themselves, one that had the
// name before may have given it.
func (x ownersFeed) Put(f *store.Feed, o kind.Object) {
	owned, owner, ok := kind.OwnerOf(x.table, o)
	if !ok {
		x.Delete(f, o.GetNamespace(), o.GetName())
		return
	}
	x.refresh(x.set(owned, &owner))
}

// Delete forgets what owned an object.
func (x ownersFeed) Delete(_ *store.Feed, namespace, name string) {
	x.refresh(x.set(kind.Owned{Kind: x.table.Kind, Namespace: namespace, Name: name}, nil))
}

// set notes or, with nil, forgets an owner, and returns the Pods that ask for it
// if that is news.
func (x *ownerIndex) set(o kind.Owned, owner *kind.Owner) []podKey {
	x.mu.Lock()
	defer x.mu.Unlock()
	old, known := x.owners[o]
	switch {
	case owner == nil && !known || owner != nil && known && old == *owner:
		return nil
	case owner == nil:
		delete(x.owners, o)
	default:
		x.owners[o] = *owner
	}
	return slices.Collect(maps.Keys(x.asking[o]))
}

// refresh renders the workload of Pods anew, of those that still ask.
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
		a.feed.Refresh(a.part, x.family)
	}
}

// podsFeed observes Pods.
type podsFeed struct{ *ownerIndex }

// Put notes for which owners a Pod asks. What it asked before it was noted may
// have changed meanwhile, and what it was before may have been rendered anew since
// it was stored.
func (x podsFeed) Put(f *store.Feed, o kind.Object) {
	part, asks := kind.WorkloadOf(o)
	x.refreshing.Lock()
	defer x.refreshing.Unlock()
	asked := x.note(podKey{o.GetNamespace(), o.GetName()}, asker{f, part, asks})
	if asked || len(asks) > 0 {
		f.Refresh(o, x.family)
	}
}

// Delete forgets for which owners a Pod asked.
func (x podsFeed) Delete(_ *store.Feed, namespace, name string) {
	x.refreshing.Lock()
	defer x.refreshing.Unlock()
	x.note(podKey{namespace, name}, asker{})
}

// note replaces what a Pod asks for, and tells whether it asked for anything
// before.
func (x *ownerIndex) note(p podKey, a asker) (asked bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	old, asked := x.askers[p]
	for _, o := range old.asks {
		delete(x.asking[o], p)
		if len(x.asking[o]) == 0 {
			delete(x.asking, o)
		}
	}
	if len(a.asks) == 0 {
		delete(x.askers, p)
		return asked
	}
	x.askers[p] = a
	for _, o := range a.asks {
		if x.asking[o] == nil {
			x.asking[o] = map[podKey]struct{}{}
		}
		x.asking[o][p] = struct{}{}
	}
	return asked
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

func (t twoObservers) Put(f *store.Feed, o kind.Object) {
	t.a.Put(f, o)
	t.b.Put(f, o)
}

func (t twoObservers) Delete(f *store.Feed, namespace, name string) {
	t.a.Delete(f, namespace, name)
	t.b.Delete(f, namespace, name)
}
