package store

import (
	"bytes"
	"sync"

	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/kind"
)

// A Labeler provides labels that lines have after those of their family, such as labels
// of related objects.
type Labeler interface {
	// Tail returns the index in an object's Tails of the one that the lines of a family end
	// with; -1: none.
	Tail(family int) int
	// Hold returns the labels of an object that is about to be stored. They are locked, and
	// the caller unlocks them when the lines are stored.
	Hold(f *Feed, o kind.Object) *Labels
	// HoldStored does the same for an object that is stored already; nil if it has none.
	HoldStored(f *Feed, namespace, name string) *Labels
}

// Labels are the labels that the lines of one object have after those of their family.
// Whoever changes them holds the lock, and calls Feed.Relabel before releasing it.
type Labels struct {
	sync.Mutex
	// Tails are labels as exposition.AppendLabel writes them; Labeler.Tail maps families to
	// them.
	Tails [][]byte
}

// tailsOf returns the index of the tail of each family; nil without a labeler.
func tailsOf(c Config) []int {
	if c.Labeler == nil {
		return nil
	}
	of := make([]int, len(c.Table.Schema().Families))
	for i := range of {
		of[i] = c.Labeler.Tail(i)
	}
	return of
}

// end sets the tails of the lines that are rendered next.
func (x *renderer) end(l *Labels, tailOf []int) {
	if x.tails == nil {
		x.tails = make([][]byte, len(tailOf))
	}
	for i, t := range tailOf {
		if x.tails[i] = nil; t >= 0 {
			x.tails[i] = l.Tails[t]
		}
	}
	x.lines.Tails(x.tails)
}

// Relabel replaces the tails of the lines of an object: from are those it was stored with, to
// the new ones. It does nothing for an object that is not stored. The caller holds the lock
// of the object's Labels.
func (f *Feed) Relabel(namespace, name string, from, to [][]byte) {
	f.sealAll(f.relabel(key{namespace, name}, from, to))
}

// relabel returns texts to seal.
func (f *Feed) relabel(k key, from, to [][]byte) (due []*text) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, ok := f.index[k]
	if !ok {
		return nil
	}
	b := f.blocks[p.block]
	var lines []byte
	for i, t := range f.resource.tailOf {
		c := b.cells[i]
		if t < 0 || c == nil || c.counts[p.slot] == 0 || bytes.Equal(from[t], to[t]) {
			continue
		}
		if c.text != nil {
			b.shared = nil
			c.unshare(f.resource.packer, len(to[t]), f.buffer)
			f.opened(c)
		}
		lines = exposition.ReplaceTail(lines[:0], c.lines(int(p.slot), nil), from[t], to[t])
		_ = f.set(b, int(p.slot), i, lines) // never too many: the count is unchanged
	}
	f.checkBlock(int(p.block))
	return f.takeTooMuch()
}
