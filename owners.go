package kubestate

import (
	"slices"
	"sync"
	"sync/atomic"
	"unique"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubestate/kubestate/internal/store"
	"github.com/kubestate/kubestate/internal/workload"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// workloadFamily is the family of Pods that follows the chain of owners.
const workloadFamily = "kube_pod_workload"

// ownsPods reports whether Pods may look up the owners of objects of a table.
func ownsPods(t *kind.Table) bool {
	switch t.GroupVersionKind().GroupKind().String() {
	case "ReplicaSet.apps", "Job.batch":
		return true
	default:
		return false
	}
}

// workloadsOf returns the index of workloadFamily in a table, or -1 if it is not there.
func workloadsOf(t *kind.Table) int {
	if t.GroupVersionKind().GroupKind().String() != "Pod" {
		return -1
	}
	return slices.IndexFunc(t.Schema().Families, func(d metric.Desc) bool { return d.Name == workloadFamily })
}

// ownerOf returns the Owners function of an index.
func ownerOf(x *workload.Index) kind.Owners {
	return func(kind, namespace, name string) (ownerKind, ownerName string, ok bool) {
		owner, ok := x.Owner(workload.Owned{Kind: kind, Namespace: namespace, Name: name})
		return owner.Kind, owner.Name, ok
	}
}

// ownerObserver records the owners of ReplicaSets or Jobs. It is a store.Observer.
type ownerObserver struct {
	index *workload.Index
	kind  string
	epoch uint32
}

// Before implements store.Observer.
func (ownerObserver) Before(*store.Feed, kind.Object) {}

// Put implements store.Observer.
func (x ownerObserver) Put(f *store.Feed, o kind.Object) {
	owned, owner, ok := workload.OwnerOf(x.kind, o)
	if !ok { // its Pods name it; an earlier object of that name may have been recorded
		x.Delete(f, o.GetNamespace(), o.GetName())
		return
	}
	x.index.Set(owned, owner, x.epoch)
}

// Delete implements store.Observer.
func (x ownerObserver) Delete(_ *store.Feed, namespace, name string) {
	x.index.Delete(workload.Owned{Kind: x.kind, Namespace: namespace, Name: name}, x.epoch)
}

// podWorkloads keeps workloadFamily of the Pods of a table up to date. It keeps only Pods
// whose workload depends on the owner of their owner, and registers them as askers before
// they are rendered, so that a Pod is rendered once unless the answer changes in the
// meantime. It is a store.Observer.
type podWorkloads struct {
	index  *workload.Index
	family int // index of workloadFamily

	mu     sync.RWMutex
	askers map[podKey]*podAsker

	rendering sync.Mutex // guards scratch
	scratch   corev1.Pod
}

type podKey struct {
	feed            *store.Feed
	namespace, name string
}

// podAsker has the fields that workloadFamily reads of a Pod that looks up owners.
type podAsker struct {
	of    *podWorkloads
	key   podKey
	uid   types.UID
	refs  []workload.Owner
	hash  map[string]string // its labels, if it has any that are read
	asks  []workload.Owned
	stale atomic.Bool // an answer changed since the last rendering began

	mu    sync.Mutex // locked during Refresh, so that end can wait for it
	ended bool
}

func newPodWorkloads(x *workload.Index, family int) *podWorkloads {
	return &podWorkloads{index: x, family: family, askers: map[podKey]*podAsker{}}
}

// Before registers a Pod that looks up owners.
func (x *podWorkloads) Before(f *store.Feed, o kind.Object) {
	p, ok := o.(*corev1.Pod)
	if !ok {
		return
	}
	x.Delete(f, p.Namespace, p.Name)
	var asks []workload.Owned
	for i := range p.OwnerReferences {
		if _, ask := workload.Through(p, &p.OwnerReferences[i]); ask != (workload.Owned{}) {
			asks = append(asks, ask)
		}
	}
	if asks == nil {
		return
	}
	a := &podAsker{of: x, key: podKey{f, unique.Make(p.Namespace).Value(), p.Name}, uid: p.UID, hash: workload.Hashes(p.Labels), asks: asks}
	for i := range p.OwnerReferences {
		a.refs = append(a.refs, workload.Owner{Kind: p.OwnerReferences[i].Kind, Name: p.OwnerReferences[i].Name})
	}
	x.mu.Lock()
	x.askers[a.key] = a
	x.mu.Unlock()
	for _, ask := range asks {
		x.index.Ask(a, ask)
	}
}

// Put renders the family again if an answer changed while the Pod was rendered and stored.
func (x *podWorkloads) Put(f *store.Feed, o kind.Object) {
	if a := x.asker(podKey{f, o.GetNamespace(), o.GetName()}); a != nil && a.stale.Load() {
		a.Refresh()
	}
}

// Delete removes a Pod. Most are not registered.
func (x *podWorkloads) Delete(f *store.Feed, namespace, name string) {
	a := x.asker(podKey{f, namespace, name})
	if a == nil {
		return
	}
	x.mu.Lock()
	delete(x.askers, a.key)
	x.mu.Unlock()
	a.end()
}

func (x *podWorkloads) asker(k podKey) *podAsker {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.askers[k]
}

// end revokes Ask, and waits for a running Refresh.
func (a *podAsker) end() {
	for _, ask := range a.asks {
		a.of.index.Forget(a, ask)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended = true
}

// Refresh renders the family of the Pod again.
func (a *podAsker) Refresh() {
	a.stale.Store(true)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended {
		return
	}
	x := a.of
	x.rendering.Lock()
	defer x.rendering.Unlock() // also after a panic, from which the watch recovers
	p := &x.scratch
	p.Namespace, p.Name, p.UID, p.Labels = a.key.namespace, a.key.name, a.uid, a.hash
	p.OwnerReferences = p.OwnerReferences[:0]
	for _, r := range a.refs {
		p.OwnerReferences = append(p.OwnerReferences, metav1.OwnerReference{Kind: r.Kind, Name: r.Name})
	}
	a.key.feed.Refresh(p, x.family)
}

// both returns an observer that calls two observers; either may be nil.
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
