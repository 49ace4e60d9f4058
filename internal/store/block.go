package store

import (
	"bytes"
	"hash/maphash"
	"math"
	"slices"

	"github.com/kubestate/kubestate/internal/piece"
)

// blockSlots is the number of objects that share a cell: enough that a cell is
// worth compressing, few enough that one change is a short copy. The figures are
// in docs/performance.md.
const blockSlots = 128

// enoughBytes is the size of a block that gets no further objects, because a slice
// of a body is made of whole blocks. That of 128 ordinary Pods is 1 MiB.
const enoughBytes = 2 << 20

// block holds up to blockSlots objects.
type block struct {
	slots  [blockSlots]slot
	cells  []*cell // per family; nil where no object of the block has a sample
	used   int     // slots that are used
	bytes  int     // the length of all lines
	closed []place // slots that are free, but not among those of the feed
	// shared are the texts that snapshots have since the last change; nil: none has any.
	shared blockTexts
}

func newBlock(families int) *block { return &block{cells: make([]*cell, families)} }

// full says whether the block gets no further objects.
func (b *block) full() bool { return b.used == blockSlots || b.bytes >= enoughBytes }

// share returns the texts of the cells that are open. They do not change from now on.
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

// slot is the place of one object. Its text stands in the cells of its block.
type slot struct {
	key    key
	used   bool
	read   uint32 // the number of the full read that saw the object last
	series int
}

// cell is the lines of one family for the objects of one block, in the order of
// slots. It holds them either as plain, which it may change, or as a text that
// snapshots may have, and which it replaces to change it.
type cell struct {
	plain   []byte // pointers stand first: the garbage collector reads no further
	text    *text
	changed uint64 // the feed's round of sealing in which it was changed last
	waiting bool   // is among the cells of the feed that are to be sealed
	top     uint8  // the last slot with lines

	counts [blockSlots]uint16 // how many lines each slot has
	hashes [blockSlots]hash
}

// hash is of the lines of a slot, 0 for none. With 48 bits, a change is overlooked
// once in 10,000 years of the busiest cluster (20 million changed families a day).
type hash struct{ high, middle, low uint16 }

// mostLines bounds the lines of one family for one object.
const mostLines = math.MaxUint16

// share returns the text of the cell, which does not change from now on.
func (c *cell) share() *text {
	if c.text == nil {
		c.text, c.plain = newText(c.plain), nil
	}
	return c.text
}

// unshare makes the text one that may change, with room for some more bytes.
// memory returns memory of some size.
func (c *cell) unshare(p *piece.Packer, room int, memory func(size int) []byte) {
	switch {
	case c.text != nil:
		c.plain = c.text.append(memory(c.text.size+max(room, piece.Slack)), p)
		c.text = nil
	case c.plain == nil:
		c.plain = memory(room)
	}
}

// size is the length of the text.
func (c *cell) size() int {
	if c.text != nil {
		return c.text.size
	}
	return len(c.plain)
}

// bounds returns where the lines of a slot stand in the whole text of the cell.
func (c *cell) bounds(whole []byte, slot int) (start, end int) {
	if slot > int(c.top) { // as in a first read, which fills one slot after the other
		return len(whole), len(whole)
	}
	before := 0
	for _, n := range c.counts[:slot] {
		before += int(n)
	}
	start = skipLines(whole, before)
	return start, start + skipLines(whole[start:], int(c.counts[slot]))
}

// skipLines returns where the n-th line ends.
func skipLines(text []byte, n int) int {
	at := 0
	for range n {
		at += bytes.IndexByte(text[at:], '\n') + 1
	}
	return at
}

// lines returns the lines of a slot, which are valid until the next change; a nil
// cell has none.
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

// replace puts lines, of which there are count, into the place of a slot's. The
// cell is not shared.
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

// sum returns the hash of lines, never 0 where there are any.
func sum(seed maphash.Seed, lines []byte) hash {
	if len(lines) == 0 {
		return hash{}
	}
	h := maphash.Bytes(seed, lines)
	return hash{uint16(h >> 32), uint16(h >> 16), uint16(h) | 1}
}
