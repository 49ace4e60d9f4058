package store

import (
	"hash/maphash"

	"github.com/kubestate/kubestate/internal/piece"
)

// blockSlots is the number of objects that share a cell: enough that a cell is
// worth compressing, few enough that one change is a short copy. The figures are
// in docs/performance.md.
const blockSlots = 128

// block holds up to blockSlots objects.
type block struct {
	slots [blockSlots]slot
	cells []*cell // per family; nil where no object of the block has a sample
	used  int     // slots that are used
}

func newBlock(families int) *block { return &block{cells: make([]*cell, families)} }

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

	ends   [blockSlots]uint32 // where the lines of each slot end
	hashes [blockSlots]uint64 // of the lines of each slot, 0 for none
}

// share returns the text of the cell, which does not change from now on.
func (c *cell) share() *text {
	if c.text == nil {
		c.text, c.plain = newText(c.plain), nil
	}
	return c.text
}

// unshare makes the text one that may change, with room for some more bytes. spare
// returns memory to use, or nil.
func (c *cell) unshare(p *piece.Packer, room int, spare func() []byte) {
	switch {
	case c.text != nil:
		c.plain = c.text.append(make([]byte, 0, c.text.size+room), p)
		c.text = nil
	case c.plain == nil:
		c.plain = spare()
	}
}

// size is the length of the text.
func (c *cell) size() int {
	if c.text != nil {
		return c.text.size
	}
	return len(c.plain)
}

// start is where the lines of a slot begin.
func (c *cell) start(slot int) int {
	if slot == 0 {
		return 0
	}
	return int(c.ends[slot-1])
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
	return whole[c.start(slot):c.ends[slot]]
}

// replace puts lines into the place of a slot's. The cell is not shared.
func (c *cell) replace(slot int, lines []byte) {
	start, end := c.start(slot), int(c.ends[slot])
	if grow := len(lines) - (end - start); grow != 0 {
		old := len(c.plain)
		if grow > 0 {
			c.plain = append(c.plain, lines[:grow]...) // any bytes: they make room
		}
		copy(c.plain[end+grow:], c.plain[end:old])
		c.plain = c.plain[:old+grow]
		for i := slot; i < blockSlots; i++ {
			c.ends[i] = uint32(int(c.ends[i]) + grow)
		}
	}
	copy(c.plain[start:], lines)
}

// sum returns the hash of lines, never 0 where there are any.
func sum(seed maphash.Seed, lines []byte) uint64 {
	if len(lines) == 0 {
		return 0
	}
	return maphash.Bytes(seed, lines) | 1
}
