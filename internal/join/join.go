// Package join keeps labels that objects provide to others, by key: sources provide labels
// under a key, dependents depend on a key, and every change reports whether the labels of
// the key changed, so that the caller can update the dependents. Sources and dependents
// may come in any order. The package does not know what they are.
package join

import (
	"cmp"
	"slices"
	"strings"
)

// Label is a label that a source provides.
type Label struct{ Name, Value string }

// Index maps keys to the labels provided under them. D identifies a dependent. An Index is
// not safe for concurrent use.
type Index[D comparable] struct {
	leaves map[string]*Leaf[D]
}

// NewIndex returns an empty Index.
func NewIndex[D comparable]() *Index[D] {
	return &Index[D]{leaves: map[string]*Leaf[D]{}}
}

// Leaf has the labels provided under one key, and the dependents of the key.
type Leaf[D comparable] struct {
	Epoch uint32 // set and read by the caller: the epoch of the last update

	index      *Index[D]
	key        string
	provided   []JoinedLabels // ascending by join and source
	dependents map[D]struct{}
}

// JoinedLabels are the labels that one source provides under one key for one join.
type JoinedLabels struct {
	Join   int // number of the join
	Source Source
	Labels []Label // must not be modified after Set
}

// Source identifies what provides labels.
type Source struct{ Namespace, Name string }

// Get returns the leaf of a key, or nil if it has neither labels nor dependents.
func (x *Index[D]) Get(key []byte) *Leaf[D] { return x.leaves[string(key)] }

// Leaf returns the leaf of a key and creates it if necessary. The caller is expected to add
// labels or a dependent: a leaf is removed with the last of them.
func (x *Index[D]) Leaf(key []byte) *Leaf[D] {
	l, ok := x.leaves[string(key)]
	if !ok {
		l = &Leaf[D]{index: x, key: string(key)}
		x.leaves[l.key] = l
	}
	return l
}

// settle removes the leaf from the index if it is empty, and otherwise adds it.
func (l *Leaf[D]) settle() {
	if len(l.provided) == 0 && len(l.dependents) == 0 {
		delete(l.index.leaves, l.key)
	} else {
		l.index.leaves[l.key] = l
	}
}

// Len returns the number of leaves.
func (x *Index[D]) Len() int { return len(x.leaves) }

// Labels returns the labels that a source provides for a join.
func (l *Leaf[D]) Labels(join int, source Source) []Label {
	if i, found := l.find(join, source); found {
		return l.provided[i].Labels
	}
	return nil
}

// Provided returns the labels of all joins and sources, ascending by join and source. The
// caller must not modify them; they are valid until the next change.
func (l *Leaf[D]) Provided() []JoinedLabels { return l.provided }

// Set replaces the labels of a join and source, and reports whether the labels of the
// leaf changed.
func (l *Leaf[D]) Set(labels JoinedLabels) bool {
	i, found := l.find(labels.Join, labels.Source)
	if !found {
		l.provided = slices.Insert(l.provided, i, labels)
		l.settle()
		return len(labels.Labels) > 0
	}
	if slices.Equal(l.provided[i].Labels, labels.Labels) {
		return false
	}
	l.provided[i] = labels
	return true
}

// Delete removes the labels of a join and source, and reports whether the labels of the
// leaf changed.
func (l *Leaf[D]) Delete(join int, source Source) bool {
	i, found := l.find(join, source)
	if !found {
		return false
	}
	changed := len(l.provided[i].Labels) > 0
	l.provided = slices.Delete(l.provided, i, i+1)
	l.settle()
	return changed
}

func (l *Leaf[D]) find(join int, source Source) (int, bool) {
	return slices.BinarySearchFunc(l.provided, JoinedLabels{Join: join, Source: source}, func(a, b JoinedLabels) int {
		return cmp.Or(
			cmp.Compare(a.Join, b.Join),
			strings.Compare(a.Source.Namespace, b.Source.Namespace),
			strings.Compare(a.Source.Name, b.Source.Name),
		)
	})
}

// Depend adds a dependent.
func (l *Leaf[D]) Depend(d D) {
	if l.dependents == nil {
		l.dependents = map[D]struct{}{}
	}
	l.dependents[d] = struct{}{}
	l.settle()
}

// Forget removes a dependent.
func (l *Leaf[D]) Forget(d D) {
	delete(l.dependents, d)
	if len(l.dependents) == 0 {
		l.dependents = nil
	}
	l.settle()
}

// Dependents calls f for each dependent, in any order.
func (l *Leaf[D]) Dependents(f func(D)) {
	for d := range l.dependents {
		f(d)
	}
}
