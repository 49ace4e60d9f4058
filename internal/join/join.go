// Package join says which labels things get from others that they name: sources
// give labels under a key, and dependents ask for what is given under a key and
// are told when that changes. The order in which sources and dependents come does
// not matter. The package does not know what sources, dependents and labels
// are of.
package join

import (
	"cmp"
	"slices"
	"strings"
)

// Label is a label that a source gives.
type Label struct{ Name, Value string }

// Index holds what is given under the keys of one kind. D is what identifies a
// dependent. It is not safe for concurrent use.
type Index[D comparable] struct {
	leaves map[string]*Leaf[D]
}

// NewIndex returns an Index in which nothing is given.
func NewIndex[D comparable]() *Index[D] {
	return &Index[D]{leaves: map[string]*Leaf[D]{}}
}

// Leaf is what is given under one key, and who depends on it.
type Leaf[D comparable] struct {
	Epoch uint32 // for the caller: when what is given was last said

	index      *Index[D]
	key        string
	given      []Gift
	dependents map[D]struct{}
}

// Gift is what one source gives under one key in one join.
type Gift struct {
	Join   int     // the number of the join
	Source Source  // gifts of one join stand in the order of their sources
	Labels []Label // not changed once given
}

// Source identifies what gives.
type Source struct{ Namespace, Name string }

// Get returns the leaf of a key; nil where nobody gives or depends.
func (x *Index[D]) Get(key []byte) *Leaf[D] { return x.leaves[string(key)] }

// Leaf returns the leaf of a key, made if need be. The caller gives or depends:
// a leaf without gifts and dependents is forgotten when the last of them goes.
func (x *Index[D]) Leaf(key []byte) *Leaf[D] {
	l, ok := x.leaves[string(key)]
	if !ok {
		l = &Leaf[D]{index: x, key: string(key)}
		x.leaves[l.key] = l
	}
	return l
}

// settle keeps or forgets the leaf, as it is needed.
func (l *Leaf[D]) settle() {
	if len(l.given) == 0 && len(l.dependents) == 0 {
		delete(l.index.leaves, l.key)
	} else {
		l.index.leaves[l.key] = l
	}
}

// Len returns the number of leaves.
func (x *Index[D]) Len() int { return len(x.leaves) }

// Of returns what a source gives in a join.
func (l *Leaf[D]) Of(join int, source Source) []Label {
	if i, found := l.find(Gift{Join: join, Source: source}); found {
		return l.given[i].Labels
	}
	return nil
}

// Given returns what is given, ascending by join and source. The caller must not
// change it, and it is valid until the next change.
func (l *Leaf[D]) Given() []Gift { return l.given }

// Give notes a gift in place of the one of the same join and source. It tells
// whether that changes what is given.
func (l *Leaf[D]) Give(g Gift) bool {
	i, found := l.find(g)
	if !found {
		l.given = slices.Insert(l.given, i, g)
		l.settle()
		return len(g.Labels) > 0
	}
	if slices.Equal(l.given[i].Labels, g.Labels) {
		return false
	}
	l.given[i] = g
	return true
}

// Take removes the gift of a join and source. It reports whether that changes what
// is given.
func (l *Leaf[D]) Take(join int, source Source) bool {
	i, found := l.find(Gift{Join: join, Source: source})
	if !found {
		return false
	}
	changed := len(l.given[i].Labels) > 0
	l.given = slices.Delete(l.given, i, i+1)
	l.settle()
	return changed
}

func (l *Leaf[D]) find(g Gift) (int, bool) {
	return slices.BinarySearchFunc(l.given, g, func(a, b Gift) int {
		return cmp.Or(
			cmp.Compare(a.Join, b.Join),
			strings.Compare(a.Source.Namespace, b.Source.Namespace),
			strings.Compare(a.Source.Name, b.Source.Name),
		)
	})
}

// Depend notes that d depends on the leaf.
func (l *Leaf[D]) Depend(d D) {
	if l.dependents == nil {
		l.dependents = map[D]struct{}{}
	}
	l.dependents[d] = struct{}{}
	l.settle()
}

// Forget notes that d no longer depends on the leaf.
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
