package store

import "time"

// Cells are sealed as follows. During the first full read the cells of a block are
// sealed as soon as the block is full, by the goroutine that filled it, so that
// no more text is open than one block for each feed. Afterwards a change opens
// the cells it changes; they are sealed again when nothing has changed them for a
// round, or earlier where much is open, or by a scrape that needs them.

const (
	// round is the time between two looks at open cells.
	round = 2 * time.Second
	// mostOpen bounds the open text of a feed: a part of all its text, and
	// something for small ones.
	mostOpenPart  = 8
	mostOpenBytes = 1 << 20
	// mostSpare bounds the number of memories kept for texts to come.
	mostSpare = 256
)

// opened notes that a cell was changed and is open. The caller holds the lock.
func (f *Feed) opened(c *cell) {
	c.changed = f.round
	if c.waiting || !f.published {
		return
	}
	c.waiting = true
	f.open = append(f.open, c)
	f.openBytes += len(c.plain)
	if f.timer == nil {
		f.timer = time.AfterFunc(round, f.sealQuiet)
	}
}

// tooMuchOpen says whether open cells are to be sealed at once. The caller holds
// the lock.
func (f *Feed) tooMuchOpen() bool { return f.openBytes > f.bytes/mostOpenPart+mostOpenBytes }

// sealQuiet seals the cells that have not changed since it was called last.
func (f *Feed) sealQuiet() {
	f.mu.Lock()
	f.round++
	texts := f.takeOpen(func(c *cell) bool { return c.changed+1 < f.round })
	f.timer = nil
	rest := len(f.open) == 0 && len(texts) == 0
	if rest {
		f.spare = nil
	} else {
		f.timer = time.AfterFunc(round, f.sealQuiet)
	}
	f.mu.Unlock()
	f.sealAll(texts)
}

// sealOpen seals all open cells.
func (f *Feed) sealOpen() {
	f.mu.Lock()
	texts := f.takeOpen(func(*cell) bool { return true })
	f.mu.Unlock()
	f.sealAll(texts)
}

// takeOpen returns the texts of those open cells that are to be sealed, and keeps
// the others in mind. The caller holds the lock.
func (f *Feed) takeOpen(due func(*cell) bool) []*text {
	var texts []*text
	kept := f.open[:0]
	f.openBytes = 0
	for _, c := range f.open {
		switch {
		case c.size() == 0: // it has left its block
			c.waiting = false
		case due(c):
			c.waiting = false
			texts = append(texts, c.share())
		default:
			kept = append(kept, c)
			f.openBytes += c.size()
		}
	}
	clear(f.open[len(kept):])
	f.open = kept
	return texts
}

// sealAll seals texts, and keeps the memory of those that no snapshot has for texts
// to come.
func (f *Feed) sealAll(texts []*text) {
	open := make([][]byte, len(texts))
	for i, t := range texts {
		open[i] = t.form.Load().open
		t.seal(f.resource.packer)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, t := range texts {
		if open[i] != nil && !t.seen && len(f.spare) < mostSpare {
			f.spare = append(f.spare, open[i][:0])
		}
	}
}

// sealBlocks seals all open texts of blocks.
func (f *Feed) sealBlocks(blocks ...*block) {
	var texts []*text
	f.mu.Lock()
	for _, b := range blocks {
		for _, c := range b.cells {
			if c != nil && c.text == nil {
				texts = append(texts, c.share())
			}
		}
	}
	f.mu.Unlock()
	f.sealAll(texts)
}

// memory returns memory for a text of some size, from what was kept if there is
// any that is large enough. The caller holds the lock.
func (f *Feed) memory(size int) []byte {
	for i := len(f.spare) - 1; i >= 0; i-- {
		if b := f.spare[i]; cap(b) >= size {
			last := len(f.spare) - 1
			f.spare[i], f.spare[last] = f.spare[last], nil
			f.spare = f.spare[:last]
			return b
		}
	}
	return make([]byte, 0, size)
}
