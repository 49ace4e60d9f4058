package store

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
)

// With KUBESTATE_VALIDATE=1 in the environment, which is for tests, a store
// checks itself: the block that a change touched after each change, and
// everything at each Commit and Snapshot. What does not hold panics.

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

// validate returns an error for everything in the Feed that contradicts itself.
// The caller holds the lock.
func (f *Feed) validate() error {
	errs := []error{f.validateFree()}
	used, series, size := 0, 0, 0
	for i, b := range f.blocks {
		errs = append(errs, f.validateBlock(i))
		for j := range b.slots {
			if b.slots[j].used {
				used++
			}
			series += b.slots[j].series
		}
		for _, c := range b.cells {
			if c != nil {
				size += c.size()
			}
		}
	}
	for _, n := range []struct {
		what        string
		kept, found int
	}{
		{"objects in the index", len(f.index), used},
		{"free slots", len(f.free), len(f.blocks)*blockSlots - used},
		{"series", f.series, series},
		{"bytes", f.bytes, size},
	} {
		if n.kept != n.found {
			errs = append(errs, fmt.Errorf("%s: %d by the books, %d found", n.what, n.kept, n.found))
		}
	}
	return errors.Join(errs...)
}

// validateFree checks that the free slots are different ones and really free.
func (f *Feed) validateFree() error {
	var errs []error
	seen := map[place]bool{}
	for _, p := range f.free {
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
	used := 0
	for j, s := range b.slots {
		if s.used {
			used++
		}
		p, known := f.index[s.key]
		switch {
		case s.used && (!known || p != place{int32(i), int32(j)}):
			errs = append(errs, fmt.Errorf("block %d: slot %d: the index does not lead to %v", i, j, s.key))
		case !s.used && s != slot{}:
			errs = append(errs, fmt.Errorf("block %d: slot %d: unused and not empty: %+v", i, j, s))
		case s.series != series[j]:
			errs = append(errs, fmt.Errorf("block %d: slot %d: %d series by the books, %d lines found", i, j, s.series, series[j]))
		}
	}
	if used != b.used {
		errs = append(errs, fmt.Errorf("block %d: %d slots used by the books, %d found", i, b.used, used))
	}
	return errors.Join(errs...)
}

// validateCell checks the cell of a family, which may be nil, and adds the lines
// of each slot to series.
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
			return fmt.Errorf("slot %d: %d lines where %d are left", j, count, left)
		}
		left -= count
		end := skipLines(rest, count)
		if lines := rest[:end]; sum(f.seed, lines) != hash {
			return fmt.Errorf("slot %d: hash is not that of %q", j, lines)
		}
		if count > 0 && j > int(c.top) {
			return fmt.Errorf("slot %d has lines, the last is said to be %d", j, c.top)
		}
		rest = rest[end:]
		series[j] += count
	}
	if len(rest) > 0 {
		return fmt.Errorf("%d bytes behind the last slot", len(rest))
	}
	return nil
}

// validateText checks the form of a cell's text, and returns it as it is when open.
func (f *Feed) validateText(c *cell) ([]byte, error) {
	if c.size() == 0 {
		return nil, errors.New("a cell without text")
	}
	if c.text == nil {
		if !c.waiting && f.published {
			return nil, errors.New("an open cell that nobody will seal")
		}
		return c.plain, nil
	}
	if c.plain != nil {
		return nil, errors.New("a cell with two texts")
	}
	form := c.text.form.Load()
	whole := form.open
	if d := form.sealed; d != nil {
		if form.open != nil {
			return nil, errors.New("a text that is both open and sealed")
		}
		var err error
		if whole, err = f.resource.packer.Inflate(nil, d); err != nil {
			return nil, err
		}
		if crc := crc32.ChecksumIEEE(whole); crc != d.CRC {
			return nil, fmt.Errorf("checksum %08x by the books, %08x found", d.CRC, crc)
		}
	}
	if len(whole) != c.text.size {
		return nil, fmt.Errorf("text of %d bytes by the books, %d found", c.text.size, len(whole))
	}
	return whole, nil
}
