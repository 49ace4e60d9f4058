package store

import "hash/maphash"

// blockSlots is the number of objects that share a cell: enough that a cell is
// worth compressing, few enough that one change is a short copy.
const blockSlots = 64

// block holds up to blockSlots objects.
type block struct {
	slots  [blockSlots]slot
	cells  []*cell  // per family; nil where no object of the block has a sample
	hashes []uint64 // per slot and family: of the slot's text in that cell, 0 for none
}

func newBlock(families int) *block {
	return &block{cells: make([]*cell, families), hashes: make([]uint64, blockSlots*families)}
}

// slot is the place of one object. Its text stands in the cells of its block.
type slot struct {
	key    key
	used   bool
	read   uint32 // the number of the full read that saw the object last
	series int
}

// hash returns where the hash of a slot's text in family f is kept.
func (b *block) hash(slot, f int) *uint64 { return &b.hashes[slot*len(b.cells)+f] }

// cell is the text of one family for the objects of one block, in the order of
// slots. It may change only as long as no snapshot has seen it.
type cell struct {
	born uint64             // the feed's number of snapshots when the cell was made
	text []byte             // the lines of all slots
	ends [blockSlots]uint32 // where in text the lines of each slot end
}

// lines returns the lines of a slot; a nil cell has none.
func (c *cell) lines(slot int) []byte {
	if c == nil {
		return nil
	}
	return c.text[c.start(slot):c.ends[slot]]
}

// start is where in text the lines of a slot begin.
func (c *cell) start(slot int) int {
	if slot == 0 {
		return 0
	}
	return int(c.ends[slot-1])
}

// replace puts text into the place of a slot's lines.
func (c *cell) replace(slot int, text []byte) {
	start, end := c.start(slot), int(c.ends[slot])
	if grow := len(text) - (end - start); grow != 0 {
		old := len(c.text)
		if grow > 0 {
			c.text = append(c.text, text[:grow]...) // any bytes: they make room
		}
		copy(c.text[end+grow:], c.text[end:old])
		c.text = c.text[:old+grow]
		for i := slot; i < blockSlots; i++ {
			c.ends[i] = uint32(int(c.ends[i]) + grow)
		}
	}
	copy(c.text[start:], text)
}

// clone returns a copy that may change.
func (c *cell) clone(born uint64, room int) *cell {
	d := &cell{born: born, ends: c.ends}
	d.text = append(make([]byte, 0, len(c.text)+room), c.text...)
	return d
}

// sum returns the hash of a slot's text, never 0 for a text that is not empty.
func sum(seed maphash.Seed, text []byte) uint64 {
	if len(text) == 0 {
		return 0
	}
	return maphash.Bytes(seed, text) | 1
}
