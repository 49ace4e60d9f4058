package store

import "time"

// Cells are sealed as follows. During the first full read the cells of a block are
// sealed as soon as the block is full, by the goroutine that filled it, so that
// no more text is open than one block for each feed. Afterwards a change opens
// the cells it changes; they are sealed again when nothing has changed them for a
// round, or earlier where much is open, or by a scrape that needs them.

const (
	// round is the time between two looks at open cells.
	round = 5 * time.Second
	// mostOpen bounds the open text of a feed: a part of all its text, and
	// something for small ones.
	mostOpenPart  = 16
	mostOpenBytes = 1 << 20
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
	if len(f.open) > 0 {
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

func (f *Feed) sealAll(texts []*text) {
	for _, t := range texts {
		t.seal(f.resource.packer)
	}
}

// sealBlocks seals blocks of a feed that nobody has seen, and keeps the memory of
// their texts for the blocks to come.
func (f *Feed) sealBlocks(blocks ...*block) {
	var texts []*text
	var plain [][]byte
	f.mu.Lock()
	for _, b := range blocks {
		for _, c := range b.cells {
			if c != nil && c.text == nil {
				plain = append(plain, c.plain)
				texts = append(texts, c.share())
			}
		}
	}
	f.mu.Unlock()
	f.sealAll(texts)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.published {
		return // a snapshot may have seen them
	}
	for _, b := range plain {
		f.spare = append(f.spare, b[:0])
	}
}

// takeSpare returns memory for a text, nil where there is none. The caller holds
// the lock.
func (f *Feed) takeSpare() []byte {
	last := len(f.spare) - 1
	if last < 0 {
		return nil
	}
	b := f.spare[last]
	f.spare = f.spare[:last]
	return b
}
