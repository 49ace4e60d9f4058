package kubestate

import (
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
	asking map[kind.Owned]map[podKey]asker // Pods that ask for an owner
	asks   map[podKey][]kind.Owned

	// refreshing lets one refresh end before the next begins, so that the one
	// that began last, and knows most, is stored last.
	refreshing sync.Mutex
}

type podKey struct{ namespace, name string }

// asker is what the workload of a Pod is made of, and where it is stored.
type asker struct {
	feed *store.Feed
	part kind.Object
}

func newOwnerIndex() *ownerIndex {
	return &ownerIndex{
		owners: map[kind.Owned]kind.Owner{},
		asking: map[kind.Owned]map[podKey]asker{},
		asks:   map[podKey][]kind.Owned{},
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

// Put notes what owns an object.
func (x ownersFeed) Put(_ *store.Feed, o kind.Object) {
	if owned, owner, ok := kind.OwnerOf(x.table, o); ok {
		x.refresh(x.set(owned, &owner))
	}
}

// Delete forgets what owned an object.
func (x ownersFeed) Delete(_ *store.Feed, namespace, name string) {
	x.refresh(x.set(kind.Owned{Kind: x.table.Kind, Namespace: namespace, Name: name}, nil))
}

// set notes or, with nil, forgets an owner, and returns the Pods that ask for it
// if that is news.
func (x *ownerIndex) set(o kind.Owned, owner *kind.Owner) []asker {
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
	askers := make([]asker, 0, len(x.asking[o]))
	for _, a := range x.asking[o] {
		askers = append(askers, a)
	}
	return askers
}

// podsFeed observes Pods.
type podsFeed struct{ *ownerIndex }

// Put notes for which owners a Pod asks. What it asked before it was noted may
// have changed meanwhile.
func (x podsFeed) Put(f *store.Feed, o kind.Object) {
	part, asks := kind.WorkloadOf(o)
	a := asker{f, part}
	if x.note(podKey{o.GetNamespace(), o.GetName()}, a, asks) {
		x.refresh([]asker{a})
	}
}

// Delete forgets for which owners a Pod asked.
func (x podsFeed) Delete(_ *store.Feed, namespace, name string) {
	x.note(podKey{namespace, name}, asker{}, nil)
}

// note replaces what a Pod asks for, and tells whether it asks for anything.
func (x *ownerIndex) note(p podKey, a asker, asks []kind.Owned) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, o := range x.asks[p] {
		delete(x.asking[o], p)
		if len(x.asking[o]) == 0 {
			delete(x.asking, o)
		}
	}
	delete(x.asks, p)
	if len(asks) == 0 {
		return false
	}
	x.asks[p] = asks
	for _, o := range asks {
		if x.asking[o] == nil {
			x.asking[o] = map[podKey]asker{}
		}
		x.asking[o][p] = a
	}
	return true
}

func (x *ownerIndex) refresh(askers []asker) {
	for _, a := range askers {
		x.refreshing.Lock()
		a.feed.Refresh(a.part, x.family)
		x.refreshing.Unlock()
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

func (t twoObservers) Put(f *store.Feed, o kind.Object) {
	t.a.Put(f, o)
	t.b.Put(f, o)
}

func (t twoObservers) Delete(f *store.Feed, namespace, name string) {
	t.a.Delete(f, namespace, name)
	t.b.Delete(f, namespace, name)
}
