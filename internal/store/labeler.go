package store

import (
	"bytes"
	"sync"

	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/kind"
)

// A Labeler knows labels that lines get behind those of their family, such as
// labels of other objects.
type Labeler interface {
	// Tail says which of an object's Tails the lines of a family end with; -1: none.
	Tail(family int) int
	// Hold returns the labels of an object that is about to be stored. They are
	// locked, so that they stay as they are until its lines are stored.
	Hold(f *Feed, o kind.Object) *Labels
	// HoldStored returns those of an object that is stored, likewise; nil if there
	// are none.
	HoldStored(f *Feed, namespace, name string) *Labels
}

// Labels are what the lines of one object have behind the labels of their family.
// Who changes them holds the lock, and calls Feed.Relabel before releasing it.
type Labels struct {
	sync.Mutex
	// Tails are texts as exposition.AppendLabel makes them; Labeler.Tail says which
	// of them is for which family.
	Tails [][]byte
}

// tailsOf returns which tail each family of a table has, nil where none has one.
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

// end gives the lines to come the tails of an object.
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

// Relabel exchanges the tails of the lines of an object: from are those that they
// were stored with, to those they are to have. An object that is not stored is
// left alone. The caller holds the lock of the object's Labels.
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
			c.unshare(f.resource.packer, len(to[t]), f.memory)
			f.opened(c)
		}
		lines = exposition.ReplaceTail(lines[:0], c.lines(int(p.slot), nil), from[t], to[t])
		_ = f.set(b, int(p.slot), i, lines) // as many as before
	}
	f.checkBlock(int(p.block))
	return f.takeTooMuch()
}
