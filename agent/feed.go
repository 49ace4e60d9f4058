package agent

import (
	"errors"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/kubestate/kubestate/agent/internal/compile"
	"github.com/kubestate/kubestate/agent/internal/resolve"
	"github.com/kubestate/kubestate/agent/internal/series"
	"github.com/kubestate/kubestate/internal/logged"
	"github.com/kubestate/kubestate/kind"
)

// Feed receives the objects of one source. It implements Store of package kubewatch, and
// Put may be called concurrently for different objects. Its objects become visible to
// Readers, and count in aggregations, with the first Commit; later changes are visible
// immediately. Objects are identified by name, not UID: when a name is reused, nothing of
// the previous object remains.
type Feed struct {
	agent     *Agent
	resource  *compile.Resource
	objects   *series.Objects
	resolvers sync.Pool // of *resolver

	// Guarded by Agent.mu:
	synced   bool
	failures uint64
	logged   logged.Messages // the failures that were logged
}

var errNoName = errors.New("object has no name")

// Begin starts a list. Known objects stay until Commit. The next Begin discards a list that
// was not committed.
func (f *Feed) Begin() { f.objects.Begin() }

// Put adds or updates an object. The object is not retained. It allocates nothing if nothing
// relevant has changed.
func (f *Feed) Put(o kind.Object) {
	if f.agent.ignores(f.resource.Table.Name, o) {
		f.Delete(o.GetNamespace(), o.GetName()) // stored until it got a Node
		return
	}
	k := types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}
	if k.Name == "" {
		f.failed(k, errNoName)
		return
	}
	x := f.resolvers.Get().(*resolve.Resolver)
	defer f.resolvers.Put(x)
	d, err := x.Resolve(o, f.agent.state.Fixed())
	if err != nil {
		f.failed(k, err)
	}
	f.objects.Put(k, d)
}

// failed counts an object that failed to be collected. A recurring failure is logged once,
// outside the lock.
func (f *Feed) failed(k types.NamespacedName, err error) {
	f.agent.mu.Lock()
	f.failures++
	isNew := f.logged.New(err.Error())
	f.agent.mu.Unlock()
	if isNew {
		f.agent.config.Logger.Error("failed to compute samples of object; omitting them",
			"resource", f.resource.Table.Name, "namespace", k.Namespace, "name", k.Name, "err", err)
	}
}

// Delete removes an object. Unknown objects are ignored.
func (f *Feed) Delete(namespace, name string) {
	k := types.NamespacedName{Namespace: namespace, Name: name}
	f.objects.Delete(k)
	f.untrack(k)
}

// Commit completes a list: it removes objects that were not Put since Begin.
func (f *Feed) Commit() {
	f.untrack(f.objects.Commit()...)
	f.agent.mu.Lock()
	first := !f.synced
	f.synced = true
	f.agent.mu.Unlock()
	if first {
		f.agent.announceSynced()
	}
}

// untrack deletes objects from the Tracker.
func (f *Feed) untrack(gone ...types.NamespacedName) {
	if len(f.resource.Tracked) == 0 {
		return
	}
	for _, k := range gone {
		f.agent.tracker.delete(f.resource, k)
	}
}
