package store

import "time"

// When cells are sealed: during the initial list, the cells of a block as soon as the block
// is full, by the goroutine that filled it. A change opens the cells it changes; they are
// sealed again in the background when nothing has changed them for a round, or by a scrape
// that needs them compressed. While the open cells exceed a limit, a change seals those
// that were opened first, about as much as it opens itself: a burst of changes cannot bring
// all text into memory uncompressed, and never delays a watch by more than its own share.

const (
	// round is the interval at which open cells are looked at.
	round = 2 * time.Second
	// The open lines of a feed may have minOpenBytes and the fraction 1/openFraction of
	// all its bytes.
	openFraction = 32
	minOpenBytes = 1 << 20
	// maxSpare bounds the buffers kept for reuse.
	maxSpare = 256
)

// opened queues a cell that was changed. The caller holds the lock.
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

// grown adds to the sizes what a cell of a block has grown by. The caller holds the lock.
func (f *Feed) grown(b *block, c *cell, by int) {
	f.bytes += by
	b.bytes += by
	if c.waiting {
		f.openBytes += by
	}
}

// takeTooMuch dequeues the cells that were opened first, as many as exceed the limit, and
// returns their texts. The caller holds the lock.
func (f *Feed) takeTooMuch() []*text {
	var texts []*text
	for most := f.bytes/openFraction + minOpenBytes; f.openBytes > most; {
		texts = f.appendDue(texts, f.open[0])
		f.open[0], f.open = nil, f.open[1:]
	}
	return texts
}

// appendDue marks a cell as dequeued and appends its text, unless it is empty: the cell is no
// longer in its block then. The caller holds the lock.
func (f *Feed) appendDue(texts []*text, c *cell) []*text {
	c.waiting = false
	f.openBytes -= c.size()
	if c.size() == 0 {
		return texts
	}
	return append(texts, c.share())
}

// sealQuiet seals the cells that have not changed for a round.
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

// takeQuiet dequeues the open cells that did not change in the last round, and returns their
// texts. The caller holds the lock.
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

// sealAll seals texts, and keeps the buffers of those that no snapshot has for reuse.
func (f *Feed) sealAll(texts []*text) {
	if len(texts) == 0 {
		return
	}
	open := f.compress(texts)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.keep(texts, open)
}

// seal is sealAll for a caller that holds the lock. It works on several cores, because
// others wait for the lock.
func (f *Feed) seal(texts []*text) {
	open := make([][]byte, len(texts))
	inParallel(len(texts), func(next func() (int, bool)) {
		for i, ok := next(); ok; i, ok = next() {
			open[i] = texts[i].takeOpen(f.resource.packer)
		}
	})
	f.keep(texts, open)
}

// compress seals texts, and returns the buffers of those that were open.
func (f *Feed) compress(texts []*text) (open [][]byte) {
	open = make([][]byte, len(texts))
	for i, t := range texts {
		open[i] = t.takeOpen(f.resource.packer)
	}
	return open
}

// keep keeps the buffers of texts that no snapshot has, while more texts are expected soon.
// The caller holds the lock.
func (f *Feed) keep(texts []*text, buffers [][]byte) {
	if f.published && f.timer == nil {
		return
	}
	for i, t := range texts {
		if buffers[i] != nil && !t.seen && len(f.spare) < maxSpare {
			f.spare = append(f.spare, buffers[i][:0])
		}
	}
}

// buffer returns an empty buffer with some capacity, a kept one if it is large enough. The
// caller holds the lock.
func (f *Feed) buffer(size int) []byte {
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
