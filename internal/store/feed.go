package store

import (
	"bytes"
	"errors"
	"fmt"
	"hash/maphash"
	"sync"
	"time"
	"unique"

	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/internal/told"
	"github.com/kubestate/kubestate/kind"
)

// key identifies an object within its kind. The name decides, not the UID: one
// name is one object at a time, so that two series can never be equal.
type key struct{ namespace, name string }

// place says where an object is kept.
type place struct{ block, slot int32 }

// Feed receives the objects of one source. What it holds becomes visible with the
// first Commit; from then on every change is visible at once. It is safe for
// concurrent use, but the order of calls for one object decides what stays.
type Feed struct {
	resource *Resource
	seed     maphash.Seed

	mu        sync.Mutex
	index     map[key]place
	blocks    []*block
	free      []place // slots to use next, the last first
	read      uint32  // the number of the current or last full read
	published bool    // a full read was complete
	series    int
	bytes     int
	failures  uint64

	told told.Texts // the failures that were logged

	// What follows is about sealing; see seal.go.
	open      []*cell // that changed and are not sealed
	openBytes int     // of their texts
	round     uint64  // counts the looks at open cells
	timer     *time.Timer
	spare     [][]byte // memory for texts to come
}

func newFeed(r *Resource) *Feed {
	return &Feed{resource: r, seed: maphash.MakeSeed(), index: map[key]place{}}
}

// Begin starts a full read of the source. What is stored stays visible. A read
// that is not complete is forgotten by the next Begin.
func (f *Feed) Begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.read++
}

// Put stores an object that was added or changed. The object is not kept.
func (f *Feed) Put(o kind.Object) {
	f.sealAll(f.put(o))
	if observer := f.resource.observer; observer != nil {
		observer.Put(f, o)
	}
}

// put renders and stores an object, and returns texts to seal.
func (f *Feed) put(o kind.Object) (due []*text) {
	x := f.resource.renderer()
	defer f.resource.renderers.Put(x)
	if f.resource.labeler != nil {
		labels := f.resource.labeler.Hold(f, o)
		defer labels.Unlock()
		x.end(labels, f.resource.tailOf)
	}
	k := key{o.GetNamespace(), o.GetName()}
	if err := f.resource.table.Collect(o, x.emitter); err != nil {
		f.failed(k, err)
	}
	due, err := f.store(k, x.lines)
	if err != nil {
		f.failed(k, err)
	}
	return due
}

// store keeps the lines of an object, and returns texts to seal. The error names
// families that it has too many lines of.
func (f *Feed) store(k key, lines *exposition.Writer) (due []*text, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, known := f.index[k]
	if !known {
		p = f.take(k)
	}
	b := f.blocks[p.block]
	s := &b.slots[p.slot]
	s.read = f.read
	for i := range b.cells {
		err = errors.Join(err, f.set(b, int(p.slot), i, lines.Lines(i)))
	}
	f.checkBlock(int(p.block))
	due = f.takeTooMuch()
	if !known && !f.published && b.full() {
		due = append(due, b.share()...)
	}
	return due, err
}

// failed counts an object that a row could not cope with. A failure that recurs
// is logged once, and never under the lock, because no scrape must wait for a log.
func (f *Feed) failed(k key, err error) {
	f.mu.Lock()
	f.failures++
	tell := f.told.New(err.Error())
	f.mu.Unlock()
	if tell {
		f.resource.logger.Error("object has families that cannot be computed; they are left out",
			"resource", f.resource.table.Name, "namespace", k.namespace, "name", k.name, "err", err)
	}
}

// Delete removes an object. One that is not stored is no error.
func (f *Feed) Delete(namespace, name string) {
	k := key{namespace, name}
	f.sealAll(f.drop(k))
	f.tellDeleted(k)
}

// drop removes an object, and returns texts to seal.
func (f *Feed) drop(k key) (due []*text) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p, ok := f.index[k]; ok {
		f.remove(p)
		f.checkBlock(int(p.block))
	}
	return f.takeTooMuch()
}

// Commit ends a full read: objects that were not Put since Begin are removed, all
// in one moment.
func (f *Feed) Commit() {
	gone, due := f.sweep()
	f.sealAll(due)
	f.tellDeleted(gone...)
}

// sweep removes what the full read did not meet, and makes visible what is left.
// It returns texts to seal: after the first read all that are open.
func (f *Feed) sweep() (gone []key, due []*text) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, b := range f.blocks {
		for j := range b.slots {
			if s := &b.slots[j]; s.used && s.read != f.read {
				gone = append(gone, s.key)
				f.remove(place{int32(i), int32(j)})
			}
		}
		f.seal(f.takeTooMuch()) // with the lock held: no scrape may see half of this
		if !f.published {
			due = append(due, b.share()...)
		}
	}
	f.check()
	f.published, f.spare = true, nil
	return gone, due
}

// tellDeleted tells the observer; no lock is held then.
func (f *Feed) tellDeleted(gone ...key) {
	if f.resource.observer == nil {
		return
	}
	for _, k := range gone {
		f.resource.observer.Delete(f, k.namespace, k.name)
	}
}

// take gives a free slot to an object.
func (f *Feed) take(k key) place {
	p := f.freePlace()
	k.namespace = unique.Make(k.namespace).Value() // one string for many objects
	f.index[k] = p
	b := f.blocks[p.block]
	b.slots[p.slot] = slot{key: k, used: true}
	b.used++
	return p
}

// freePlace returns the slot that was freed last, so that churn stays in few
// blocks, or one of a new block.
func (f *Feed) freePlace() place {
	for len(f.free) > 0 {
		p := f.free[len(f.free)-1]
		f.free = f.free[:len(f.free)-1]
		b := f.blocks[p.block]
		if !b.full() {
			return p
		}
		b.closed = append(b.closed, p)
	}
	f.blocks = append(f.blocks, newBlock(len(f.resource.table.Schema().Families)))
	for i := blockSlots - 1; i > 0; i-- {
		f.free = append(f.free, place{int32(len(f.blocks) - 1), int32(i)})
	}
	return place{int32(len(f.blocks) - 1), 0}
}

func (f *Feed) remove(p place) {
	b := f.blocks[p.block]
	s := &b.slots[p.slot]
	delete(f.index, s.key)
	for i := range b.cells {
		_ = f.set(b, int(p.slot), i, nil) // nothing is never too much
	}
	*s = slot{}
	b.used--
	f.free = append(append(f.free, b.closed...), p)
	b.closed = b.closed[:0]
}

// set makes lines those of a slot in family i. Where they are already, it touches
// nothing. An error says that there are too many, and then there are none.
func (f *Feed) set(b *block, slot, i int, lines []byte) (err error) {
	c, now := b.cells[i], sum(f.seed, lines)
	if c == nil && now == (hash{}) || c != nil && now == c.hashes[slot] {
		return nil
	}
	b.shared = nil
	count := bytes.Count(lines, []byte("\n"))
	if count > mostLines {
		err = fmt.Errorf("%s: %d series of one object; at most %d are possible", f.resource.table.Schema().Families[i].Name, count, mostLines)
		lines, count, now = nil, 0, hash{}
	}
	if c == nil {
		c = &cell{}
		b.cells[i] = c
	}
	size, shared := c.size(), c.text != nil
	c.unshare(f.resource.packer, len(lines), f.memory) // before the books: it panics if memory went bad
	if shared || f.published {                         // and not still being filled
		f.opened(c)
	}
	series := count - int(c.counts[slot])
	f.series += series
	b.slots[slot].series += series
	c.hashes[slot] = now
	c.replace(slot, lines, count)
	f.grown(b, c, c.size()-size)
	if c.size() == 0 {
		b.cells[i] = nil
	}
	return err
}
