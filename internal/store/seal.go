package store

import "time"

// Cells are sealed as follows. During the first full read the cells of a block are
// sealed as soon as the block is full, by the goroutine that filled it. A change
// opens the cells it changes; they are sealed again in the background when nothing
// has changed them for a round, or by a scrape that needs them. Where much is open,
// a change seals what was opened first, about as much as it opens itself: a burst
// of changes does not bring all text into memory, and never makes a watch wait for
// more than its own part.

const (
	// round is the time between two looks at open cells.
	round = 2 * time.Second
	// mostOpen bounds the open text of a feed: a part of all its text, and
	// something for small ones.
	mostOpenPart  = 32
	mostOpenBytes = 1 << 20
	// mostSpare bounds the number of memories kept for texts to come.
	mostSpare = 256
)

// opened notes that a cell was changed and is open. The caller holds the lock.
func (f *Feed) opened(c *cell) {
	c.changed = f.round
	if c.waiting {
		return
	}
	c.waiting = true
	f.open = append(f.open, c)
	f.openBytes += c.size()
	if f.timer == nil {
		f.timer = time.AfterFunc(round, f.sealQuiet)
	}
}

// grown notes how much longer a cell of a block has become. The caller holds the
// lock.
func (f *Feed) grown(b *block, c *cell, by int) {
	f.bytes += by
	b.bytes += by
	if c.waiting {
		f.openBytes += by
	}
}

// takeTooMuch returns the texts opened first, as many as are open beyond what may
// be. The caller holds the lock.
func (f *Feed) takeTooMuch() []*text {
	var texts []*text
	for most := f.bytes/mostOpenPart + mostOpenBytes; f.openBytes > most; {
		texts = f.appendDue(texts, f.open[0])
		f.open[0], f.open = nil, f.open[1:]
	}
	return texts
}

// appendDue appends the text of a cell, which ceases to wait, unless it is empty:
// the cell has left its block then. The caller holds the lock.
func (f *Feed) appendDue(texts []*text, c *cell) []*text {
	c.waiting = false
	f.openBytes -= c.size()
	if c.size() == 0 {
		return texts
	}
	return append(texts, c.share())
}

// sealQuiet seals the cells that have not changed since it was called last.
func (f *Feed) sealQuiet() {
	f.mu.Lock()
	f.round++
	texts := f.takeQuiet()
	f.timer = nil
	if len(f.open) > 0 || len(texts) > 0 {
		f.timer = time.AfterFunc(round, f.sealQuiet)
	} else {
		f.spare = nil
	}
	f.mu.Unlock()
	f.sealAll(texts)
}

// takeQuiet returns the texts of open cells that did not change in the last round,
// and keeps the others in mind. The caller holds the lock.
func (f *Feed) takeQuiet() []*text {
	var texts []*text
	kept := f.open[:0]
	for _, c := range f.open {
		if c.size() == 0 || c.changed+1 < f.round {
			texts = f.appendDue(texts, c)
		} else {
			kept = append(kept, c)
		}
	}
	clear(f.open[len(kept):])
	f.open = kept
	return texts
}

// sealAll seals texts, and keeps the memory of those that no snapshot has for texts
// to come.
func (f *Feed) sealAll(texts []*text) {
	if len(texts) == 0 {
		return
	}
	open := f.compress(texts)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.keep(texts, open)
}

// seal is sealAll for a caller that holds the lock. Others wait for it, so that it
// takes all cores.
func (f *Feed) seal(texts []*text) {
	open := make([][]byte, len(texts))
	inParallel(len(texts), func(next func() (int, bool)) {
		for i, ok := next(); ok; i, ok = next() {
			open[i] = texts[i].takeOpen(f.resource.packer)
		}
	})
	f.keep(texts, open)
}

// compress seals texts and returns what they were, where they were open.
func (f *Feed) compress(texts []*text) (open [][]byte) {
	open = make([][]byte, len(texts))
	for i, t := range texts {
		open[i] = t.takeOpen(f.resource.packer)
	}
	return open
}

// keep keeps the memory of texts that no snapshot has, as long as more are to come
// soon. The caller holds the lock.
func (f *Feed) keep(texts []*text, memory [][]byte) {
	if f.published && f.timer == nil {
		return
	}
	for i, t := range texts {
		if memory[i] != nil && !t.seen && len(f.spare) < mostSpare {
			f.spare = append(f.spare, memory[i][:0])
		}
	}
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
