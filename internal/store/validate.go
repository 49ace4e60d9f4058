package store

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/kubestate/kubestate/internal/piece"
)

// With KUBESTATE_VALIDATE=1 in the environment, which is for tests, a store checks its
// invariants: those of the block that a change touched after each change, and all of them
// at each Commit and Snapshot. It panics if one is violated.

func (f *Feed) check() {
	if f.resource.validate {
		f.mustHold(f.validate())
	}
}

func (f *Feed) checkBlock(i int) {
	if f.resource.validate {
		f.mustHold(f.validateBlock(i))
	}
}

func (f *Feed) mustHold(err error) {
	if err != nil {
		panic(fmt.Sprintf("store of %s is broken:\n%v", f.resource.table.Name, err))
	}
}

// validate returns an error for every violated invariant of the Feed. The caller holds the
// lock.
func (f *Feed) validate() error {
	errs := []error{f.validateFree(), f.validateOpen()}
	used, series, size, free := 0, 0, 0, len(f.free)
	for i, b := range f.blocks {
		free += len(b.closed)
		errs = append(errs, f.validateBlock(i))
		for j := range b.slots {
			if b.slots[j].used {
				used++
			}
			series += b.slots[j].series
		}
		size += b.bytes
	}
	for _, n := range []struct {
		what        string
		kept, found int
	}{
		{"objects in the index", len(f.index), used},
		{"free slots", free, len(f.blocks)*blockSlots - used},
		{"series", f.series, series},
		{"bytes", f.bytes, size},
	} {
		if n.kept != n.found {
			errs = append(errs, fmt.Errorf("%s: %d recorded, %d found", n.what, n.kept, n.found))
		}
	}
	return errors.Join(errs...)
}

// validateFree checks that the free slots are distinct and not used.
func (f *Feed) validateFree() error {
	var errs []error
	seen := map[place]bool{}
	free := slices.Clone(f.free)
	for _, b := range f.blocks {
		free = append(free, b.closed...)
	}
	for _, p := range free {
		switch {
		case p.block < 0 || int(p.block) >= len(f.blocks) || p.slot < 0 || p.slot >= blockSlots:
			errs = append(errs, fmt.Errorf("free slot %v does not exist", p))
		case seen[p]:
			errs = append(errs, fmt.Errorf("slot %v is free twice", p))
		case f.blocks[p.block].slots[p.slot].used:
			errs = append(errs, fmt.Errorf("slot %v is free and used", p))
		}
		seen[p] = true
	}
	return errors.Join(errs...)
}

// validateOpen checks that exactly the open cells are queued for sealing, and that buffers
// for reuse are not in use.
func (f *Feed) validateOpen() error {
	var errs []error
	size, waiting := 0, map[*cell]bool{}
	for _, c := range f.open {
		if waiting[c] || !c.waiting {
			errs = append(errs, errors.New("a cell is queued twice, or not marked as queued"))
		}
		waiting[c] = true
		size += c.size()
	}
	if size != f.openBytes {
		errs = append(errs, fmt.Errorf("open bytes: %d recorded, %d found", f.openBytes, size))
	}
	if len(f.open) > 0 && f.timer == nil {
		errs = append(errs, fmt.Errorf("%d open cells and no timer to seal them", len(f.open)))
	}
	live := map[*byte]bool{}
	for _, b := range f.blocks {
		for _, c := range b.cells {
			if c != nil && c.waiting && !waiting[c] {
				errs = append(errs, errors.New("a cell is marked as queued and is not"))
			}
			if open := c.open(); cap(open) > 0 {
				live[&open[:1][0]] = true
			}
		}
	}
	for _, b := range f.spare {
		if cap(b) == 0 {
			continue
		}
		first := &b[:1][0]
		if live[first] {
			errs = append(errs, errors.New("a buffer for reuse is in use, or kept twice"))
		}
		live[first] = true
	}
	return errors.Join(errs...)
}

// open returns the lines of a cell if they are open.
func (c *cell) open() []byte {
	switch {
	case c == nil:
		return nil
	case c.text != nil:
		return c.text.form.Load().open
	}
	return c.plain
}

func (f *Feed) validateBlock(i int) error {
	b := f.blocks[i]
	if n := len(f.resource.table.Schema().Families); len(b.cells) != n {
		return fmt.Errorf("block %d: %d cells for %d families", i, len(b.cells), n)
	}
	var errs []error
	var series [blockSlots]int
	for family, c := range b.cells {
		if err := f.validateCell(c, &series); err != nil {
			errs = append(errs, fmt.Errorf("block %d: family %d: %w", i, family, err))
		}
	}
	used, size := 0, 0
	for _, c := range b.cells {
		if c != nil {
			size += c.size()
		}
	}
	for family, t := range b.shared {
		if c := b.cells[family]; c == nil && t != nil || c != nil && (t == nil || c.text != t) {
			errs = append(errs, fmt.Errorf("block %d: family %d: snapshots would share a stale text", i, family))
		}
	}
	if size != b.bytes {
		errs = append(errs, fmt.Errorf("block %d: %d bytes recorded, %d found", i, b.bytes, size))
	}
	for j, s := range b.slots {
		if s.used {
			used++
		}
		p, known := f.index[s.key]
		switch {
		case s.used && (!known || p != place{int32(i), int32(j)}):
			errs = append(errs, fmt.Errorf("block %d: slot %d: the index does not point to %v", i, j, s.key))
		case !s.used && s != slot{}:
			errs = append(errs, fmt.Errorf("block %d: slot %d: unused and not empty: %+v", i, j, s))
		case s.series != series[j]:
			errs = append(errs, fmt.Errorf("block %d: slot %d: %d series recorded, %d lines found", i, j, s.series, series[j]))
		}
	}
	if used != b.used {
		errs = append(errs, fmt.Errorf("block %d: %d slots used recorded, %d found", i, b.used, used))
	}
	return errors.Join(errs...)
}

// validateCell checks the cell of a family, which may be nil, and adds the number of lines of
// each slot to series.
func (f *Feed) validateCell(c *cell, series *[blockSlots]int) error {
	if c == nil {
		return nil
	}
	whole, err := f.validateText(c)
	if err != nil {
		return err
	}
	rest, left := whole, bytes.Count(whole, []byte("\n"))
	for j, hash := range c.hashes {
		count := int(c.counts[j])
		if count > left {
			return fmt.Errorf("slot %d: %d lines counted, %d left", j, count, left)
		}
		left -= count
		end := skipLines(rest, count)
		if lines := rest[:end]; sum(f.seed, lines) != hash {
			return fmt.Errorf("slot %d: wrong hash of %q", j, lines)
		}
		if count > 0 && j > int(c.top) {
			return fmt.Errorf("slot %d has lines after the last slot, %d", j, c.top)
		}
		rest = rest[end:]
		series[j] += count
	}
	if len(rest) > 0 {
		return fmt.Errorf("%d bytes after the last slot", len(rest))
	}
	return nil
}

// validateText checks the form of a cell's lines, and returns them uncompressed.
func (f *Feed) validateText(c *cell) ([]byte, error) {
	if c.size() == 0 {
		return nil, errors.New("a cell without lines")
	}
	if c.text == nil {
		if !c.waiting && f.published {
			return nil, errors.New("an open cell is not queued")
		}
		return c.plain, nil
	}
	if c.plain != nil {
		return nil, errors.New("a cell with both plain and text")
	}
	return c.text.validate(f.resource.packer)
}

// validate checks that all forms of a text are the same, and returns it uncompressed.
func (t *text) validate(p *piece.Packer) ([]byte, error) {
	form := t.form.Load()
	whole := form.open
	if d := form.sealed; d != nil {
		if form.open != nil {
			return nil, errors.New("a text both open and sealed")
		}
		var err error
		if whole, err = p.Inflate(nil, d); err != nil {
			return nil, err
		}
		if crc := crc32.ChecksumIEEE(whole); crc != d.CRC || len(whole) != d.Size {
			return nil, fmt.Errorf("checksum %08x and size %d recorded, %08x and %d found", d.CRC, d.Size, crc, len(whole))
		}
	}
	if form.zstd != nil {
		if again := p.Zstd(nil, whole); !bytes.Equal(again, form.zstd) {
			return nil, errors.New("the zstd form of a text differs")
		}
	}
	if len(whole) != t.size {
		return nil, fmt.Errorf("text of %d bytes recorded, %d found", t.size, len(whole))
	}
	return whole, nil
}
