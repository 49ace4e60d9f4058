package agent

import (
	"errors"
	"sync"

	"github.com/kubestate/kubestate/internal/told"
	"github.com/kubestate/kubestate/kind"
)

// Feed receives the objects of one source. It is what kubewatch calls a Store,
// but Put may be called for different objects at the same time. What it holds
// becomes visible to runs, and counts in totals, with the first Commit; from then on
// every change is at once. The name decides which object it is, not the UID: where a
// name is used anew, nothing is left of the object before.
type Feed struct {
	agent     *Agent
	resource  *resource
	resolvers sync.Pool // of *resolver
	shelf     *shelf

	// These are guarded by the mutex of the Agent's state.
	entries  map[objectName]*entry
	read     uint32 // the number of the current or last full read
	failures uint64
	told     told.Texts // the failures that were logged
}

var errNoName = errors.New("object has no name")

// Begin starts a full read of the source. What is known stays. A read that is not
// complete is forgotten by the next Begin.
func (f *Feed) Begin() {
	s := f.state()
	s.mu.Lock()
	defer s.mu.Unlock()
	f.read++
}

func (f *Feed) state() *state { return &f.agent.state }

// Put says that an object was added or changed. The object is not kept. Where
// nothing that matters has changed it allocates nothing.
func (f *Feed) Put(o kind.Object) {
	if f.agent.ignores(f.resource.table.Name, o) {
		f.Delete(o.GetNamespace(), o.GetName()) // stored until it got a Node
		return
	}
	x := f.resolvers.Get().(*resolver)
	defer f.resolvers.Put(x)
	k := objectName{o.GetNamespace(), o.GetName()}
	if k.name == "" {
		f.failed(k, errNoName)
		return
	}
	s := f.state()
	d, err := x.resolve(o, *s.maker.fixed.Load())
	if err != nil {
		f.failed(k, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := f.entries[k]
	if !ok {
		e = f.add(k)
	}
	e.read = f.read
	s.update(e, k, d)
}

func (f *Feed) add(k objectName) *entry {
	s := f.state()
	e := &entry{}
	e.home, e.place = f.shelf, f.shelf.take()
	f.entries[s.keep.keepName(k)] = e
	s.objects++
	return e
}

// failed counts an object that a row could not cope with. A failure that recurs
// is logged once, and never under the lock.
func (f *Feed) failed(k objectName, err error) {
	s := f.state()
	s.mu.Lock()
	f.failures++
	tell := f.told.New(err.Error())
	s.mu.Unlock()
	if tell {
		f.agent.config.Logger.Error("object has samples that cannot be computed; leaving them out",
			"resource", f.resource.table.Name, "namespace", k.namespace, "name", k.name, "err", err)
	}
}

// Delete says that an object is gone. One that is not known is no error.
func (f *Feed) Delete(namespace, name string) {
	k := objectName{namespace, name}
	f.drop(k)
	f.tellDeleted(k)
}

func (f *Feed) drop(k objectName) {
	s := f.state()
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := f.entries[k]; ok {
		delete(f.entries, k)
		s.forget(e, k)
	}
}

// Commit ends a full read: objects that were not Put since Begin are gone.
func (f *Feed) Commit() { f.tellDeleted(f.sweep()...) }

func (f *Feed) sweep() (gone []objectName) {
	s := f.state()
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, e := range f.entries {
		if e.read != f.read {
			gone = append(gone, k)
			delete(f.entries, k)
			s.forget(e, k)
		}
	}
	if !f.shelf.published {
		f.shelf.published = true
		close(s.published)
		s.published = make(chan struct{})
		for _, e := range f.entries {
			s.count(e)
		}
	}
	return gone
}

// tellDeleted tells the Tracker.
func (f *Feed) tellDeleted(gone ...objectName) {
	if len(f.resource.tracked) == 0 {
		return
	}
	for _, k := range gone {
		f.agent.tracker.delete(f.resource, k)
	}
}
