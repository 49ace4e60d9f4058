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

// Feed receives the objects of one source. It is what kubewatch calls a Store,
// but Put may be called for different objects at the same time. What it holds
// becomes visible to runs, and counts in totals, with the first Commit; from then on
// every change is at once. The name decides which object it is, not the UID: where a
// name is used anew, nothing is left of the object before.
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

// Begin starts a list of the source. Objects that are known stay. A list that is not
// completed is superseded by the next Begin.
func (f *Feed) Begin() { f.objects.Begin() }

// Put adds or updates an object. The object is not kept. Where nothing that matters
// has changed it allocates nothing.
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

// failed counts an object that a row could not cope with. A failure that recurs
// is logged once, and never under the lock.
func (f *Feed) failed(k types.NamespacedName, err error) {
	f.agent.mu.Lock()
	f.failures++
	isNew := f.logged.New(err.Error())
	f.agent.mu.Unlock()
	if isNew {
		f.agent.config.Logger.Error("object has samples that cannot be computed; leaving them out",
			"resource", f.resource.Table.Name, "namespace", k.Namespace, "name", k.Name, "err", err)
	}
}

// Delete removes an object. One that is not known is no error.
func (f *Feed) Delete(namespace, name string) {
	k := types.NamespacedName{Namespace: namespace, Name: name}
	f.objects.Delete(k)
	f.untrack(k)
}

// Commit completes a list: objects that were not Put since Begin are removed.
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

// untrack tells the Tracker that objects are gone.
func (f *Feed) untrack(gone ...types.NamespacedName) {
	if len(f.resource.Tracked) == 0 {
		return
	}
	for _, k := range gone {
		f.agent.tracker.delete(f.resource, k)
	}
}
