package store

import (
	"bytes"
	"hash/maphash"
	"math"
	"slices"

	"github.com/kubestate/kubestate/internal/piece"
)

// blockSlots is the number of objects that share a cell: enough for compression to pay, few
// enough for a change to be a short copy. docs/performance.md has the measurements.
const blockSlots = 128

// maxBlockBytes is the size from which on a block gets no more objects, because a slice of
// a body consists of whole blocks. A block of 128 ordinary Pods has 1 MiB.
const maxBlockBytes = 2 << 20

// block holds up to blockSlots objects.
type block struct {
	slots  [blockSlots]slot
	cells  []*cell // per family; nil where no object of the block has a sample
	used   int     // number of used slots
	bytes  int     // size of all lines
	closed []place // free slots that are not in the free list of the feed, since the block is full
	// shared are the texts for snapshots; nil after a change, until the next snapshot.
	shared blockTexts
}

func newBlock(families int) *block { return &block{cells: make([]*cell, families)} }

// full reports whether the block gets no more objects.
func (b *block) full() bool { return b.used == blockSlots || b.bytes >= maxBlockBytes }

// share returns the texts of the cells that had none. They do not change from now on.
func (b *block) share() []*text {
	var texts []*text
	for _, c := range b.cells {
		if c != nil && c.text == nil {
			texts = append(texts, c.share())
		}
	}
	return texts
}

// shareAll returns the texts of all cells for a snapshot.
func (b *block) shareAll() blockTexts {
	if b.shared != nil {
		return b.shared
	}
	b.shared = make(blockTexts, len(b.cells))
	for i, c := range b.cells {
		if c != nil {
			b.shared[i] = c.share()
			b.shared[i].seen = true
		}
	}
	return b.shared
}

// slot is the place of one object. Its lines are in the cells of the block.
type slot struct {
	key    key
	used   bool
	list   uint32 // the last list that had the object; see Feed.list
	series int
}

// cell has the lines of one family for the objects of one block, in the order of slots:
// either in plain, a buffer that may change, or in text, which may not and is replaced to
// change the cell.
type cell struct {
	plain   []byte // pointers come first, so the GC scans only the prefix
	text    *text
	changed uint64 // the sealing round of the last change; see Feed.round
	waiting bool   // is in the queue Feed.open
	top     uint8  // the last slot with lines

	counts [blockSlots]uint16 // number of lines of each slot
	hashes [blockSlots]hash
}

// hash is the hash of the lines of a slot, 0 for no lines. With 48 bits, a change is missed
// once in 10,000 years of the busiest cluster (20 million changed families a day).
type hash struct{ high, middle, low uint16 }

// maxLines bounds the lines of one family for one object; see cell.counts.
const maxLines = math.MaxUint16

// share returns the lines as a text, which does not change from now on.
func (c *cell) share() *text {
	if c.text == nil {
		c.text, c.plain = newText(c.plain), nil
	}
	return c.text
}

// unshare puts the lines into plain, with room for some more bytes. buffer returns a buffer
// of some capacity.
func (c *cell) unshare(p *piece.Packer, room int, buffer func(size int) []byte) {
	switch {
	case c.text != nil:
		c.plain = c.text.append(buffer(c.text.size+max(room, piece.Slack)), p)
		c.text = nil
	case c.plain == nil:
		c.plain = buffer(room)
	}
}

// size is the size of the lines.
func (c *cell) size() int {
	if c.text != nil {
		return c.text.size
	}
	return len(c.plain)
}

// bounds returns where the lines of a slot are in the lines of the cell.
func (c *cell) bounds(whole []byte, slot int) (start, end int) {
	if slot > int(c.top) { // as in an initial list, which fills slot after slot
		return len(whole), len(whole)
	}
	before := 0
	for _, n := range c.counts[:slot] {
		before += int(n)
	}
	start = skipLines(whole, before)
	return start, start + skipLines(whole[start:], int(c.counts[slot]))
}

// skipLines returns the offset of the end of the n-th line.
func skipLines(text []byte, n int) int {
	at := 0
	for range n {
		at += bytes.IndexByte(text[at:], '\n') + 1
	}
	return at
}

// lines returns the lines of a slot, valid until the next change. A nil cell has none.
func (c *cell) lines(slot int, p *piece.Packer) []byte {
	if c == nil {
		return nil
	}
	whole := c.plain
	if c.text != nil {
		whole = c.text.append(nil, p)
	}
	start, end := c.bounds(whole, slot)
	return whole[start:end]
}

// replace replaces the lines of a slot by count lines. The lines of the cell are in plain.
func (c *cell) replace(slot int, lines []byte, count int) {
	start, end := c.bounds(c.plain, slot)
	c.plain = slices.Replace(c.plain, start, end, lines...)
	c.counts[slot] = uint16(count)
	switch {
	case count > 0:
		c.top = max(c.top, uint8(slot))
	case slot == int(c.top):
		for c.top > 0 && c.counts[c.top] == 0 {
			c.top--
		}
	}
}

// sum returns the hash of lines; never 0 unless there are none.
func sum(seed maphash.Seed, lines []byte) hash {
	if len(lines) == 0 {
		return hash{}
	}
	h := maphash.Bytes(seed, lines)
	return hash{uint16(h >> 32), uint16(h >> 16), uint16(h) | 1}
}
