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
	"github.com/kubestate/kubestate/internal/logged"
	"github.com/kubestate/kubestate/kind"
)

// key identifies an object within its kind, by name instead of UID: a name belongs to
// one object at a time, which rules out duplicate series.
type key struct{ namespace, name string }

// place is the location of an object.
type place struct{ block, slot int32 }

// Feed receives the objects of one source. They become visible with the first Commit,
// and every later change immediately. It is safe for concurrent use; calls for one
// object must be in the order of its changes.
type Feed struct {
	resource *Resource
	first    int // offset for Slice.has
	seed     maphash.Seed

	mu        sync.Mutex
	index     map[key]place
	blocks    []*block
	free      []place // free list of slots, used from its end
	list      uint32  // number of the current or last list
	published bool    // there was a Commit
	series    int
	bytes     int
	failures  uint64

	logged logged.Messages // failures that were logged

	// For sealing; see seal.go.
	open      []*cell // queue of cells that changed and are not sealed
	openBytes int     // size of their lines
	round     uint64  // counts the rounds of sealing
	timer     *time.Timer
	spare     [][]byte // buffers for reuse
}

func newFeed(r *Resource) *Feed {
	return &Feed{resource: r, seed: maphash.MakeSeed(), index: map[key]place{}}
}

// Begin starts a list of all objects. What is stored stays visible. A list that was not
// committed is abandoned.
func (f *Feed) Begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list++
}

var errNoName = errors.New("object has no name")

// Put stores an object that was listed, added or changed. The object is not retained.
// One without a name is a failure, and nothing is stored.
func (f *Feed) Put(o kind.Object) {
	if o.GetName() == "" {
		f.failed(key{namespace: o.GetNamespace()}, errNoName)
		return
	}
	observer := f.resource.observer
	if observer != nil {
		observer.Before(f, o)
	}
	f.sealAll(f.put(o))
	if observer != nil {
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

// store stores the lines of an object, and returns texts to seal. The error names families
// with too many lines.
func (f *Feed) store(k key, lines *exposition.Writer) (due []*text, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, known := f.index[k]
	if !known {
		p = f.take(k)
	}
	b := f.blocks[p.block]
	s := &b.slots[p.slot]
	s.list = f.list
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

// failed counts an object with a family that cannot be computed. A recurring failure is
// logged once, and never under the lock: no scrape must wait for the log.
func (f *Feed) failed(k key, err error) {
	f.mu.Lock()
	f.failures++
	isNew := f.logged.New(err.Error())
	f.mu.Unlock()
	if isNew {
		f.resource.logger.Error("failed to compute metrics of object; leaving them out",
			"resource", f.resource.table.Name, "namespace", k.namespace, "name", k.name, "err", err)
	}
}

// Delete removes an object, if it is stored.
func (f *Feed) Delete(namespace, name string) {
	k := key{namespace, name}
	f.sealAll(f.drop(k))
	f.notifyDeleted(k)
}

// drop removes an object and returns texts to seal.
func (f *Feed) drop(k key) (due []*text) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p, ok := f.index[k]; ok {
		f.remove(p)
		f.checkBlock(int(p.block))
	}
	return f.takeTooMuch()
}

// Commit ends a list: objects that were not Put since Begin are removed atomically.
func (f *Feed) Commit() {
	removed, due := f.sweep()
	f.sealAll(due)
	f.notifyDeleted(removed...)
}

// Close removes the feed and all its objects from its Resource atomically. The feed
// must not be used afterwards.
func (f *Feed) Close() {
	f.resource.remove(f)
	f.Begin()
	f.Commit()
}

// sweep removes objects that were not listed, and makes the others visible. It returns
// texts to seal: after the initial list, all open ones.
func (f *Feed) sweep() (removed []key, due []*text) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, b := range f.blocks {
		for j := range b.slots {
			if s := &b.slots[j]; s.used && s.list != f.list {
				removed = append(removed, s.key)
				f.remove(place{int32(i), int32(j)})
			}
		}
		f.seal(f.takeTooMuch()) // under the lock: no scrape may see half of the change
		if !f.published {
			due = append(due, b.share()...)
		}
	}
	f.check()
	f.published, f.spare = true, nil
	return removed, due
}

// notifyDeleted calls the observer. No lock is held.
func (f *Feed) notifyDeleted(removed ...key) {
	if f.resource.observer == nil {
		return
	}
	for _, k := range removed {
		f.resource.observer.Delete(f, k.namespace, k.name)
	}
}

// take assigns a free slot to an object.
func (f *Feed) take(k key) place {
	p := f.freePlace()
	k.namespace = unique.Make(k.namespace).Value() // one string for many objects
	f.index[k] = p
	b := f.blocks[p.block]
	b.slots[p.slot] = slot{key: k, used: true}
	b.used++
	return p
}

// freePlace returns the slot that was freed last, so that churn stays in few blocks, or a
// slot of a new block.
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
		_ = f.set(b, int(p.slot), i, nil) // no lines are never too many
	}
	*s = slot{}
	b.used--
	f.free = append(append(f.free, b.closed...), p)
	b.closed = b.closed[:0]
}

// set replaces the lines of a slot in family i. If they are unchanged, nothing is
// touched. An error reports too many lines; the slot has none then.
func (f *Feed) set(b *block, slot, i int, lines []byte) (err error) {
	c, now := b.cells[i], sum(f.seed, lines)
	if c == nil && now == (hash{}) || c != nil && now == c.hashes[slot] {
		return nil
	}
	b.shared = nil
	count := bytes.Count(lines, []byte("\n"))
	if count > maxLines {
		err = fmt.Errorf("%s: %d series of one object: must be at most %d", f.resource.table.Schema().Families[i].Name, count, maxLines)
		lines, count, now = nil, 0, hash{}
	}
	if c == nil {
		c = &cell{}
		b.cells[i] = c
	}
	size, shared := c.size(), c.text != nil
	c.unshare(f.resource.packer, len(lines), f.buffer) // before any accounting: it panics if memory is corrupt
	if shared || f.published {                         // not being filled by the initial list
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
