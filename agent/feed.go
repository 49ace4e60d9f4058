package agent

import "github.com/kubestate/kubestate/kind"

// Feed receives the objects of one source. It is what kubewatch calls a Store,
// but Put may be called for different objects at the same time.
type Feed struct{}

// Begin starts a full read of the source. What is known stays. A read that is not
// complete is forgotten by the next Begin.
func (f *Feed) Begin() {}

// Put says that an object was added or changed. The object is not kept.
func (f *Feed) Put(o kind.Object) {}

// Delete says that an object is gone. One that is not known is no error.
func (f *Feed) Delete(namespace, name string) {}

// Commit ends a full read: objects that were not Put since Begin are gone.
func (f *Feed) Commit() {}
