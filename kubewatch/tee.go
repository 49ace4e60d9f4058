package kubewatch

import (
	"slices"

	"github.com/kubestate/kubestate/kind"
)

// Tee returns a Store that hands everything on to each of stores, in their order,
// so that one watch feeds several. A call returns when the last of them has. Tee
// may be called as its stores may: where they take calls at the same time, it does.
// All stores get the same object, so that none may change it.
func Tee(stores ...Store) Store { return tee(slices.Clone(stores)) }

type tee []Store

func (t tee) Begin() {
	for _, s := range t {
		s.Begin()
	}
}

func (t tee) Put(o kind.Object) {
	for _, s := range t {
		s.Put(o)
	}
}

func (t tee) Delete(namespace, name string) {
	for _, s := range t {
		s.Delete(namespace, name)
	}
}

func (t tee) Commit() {
	for _, s := range t {
		s.Commit()
	}
}
