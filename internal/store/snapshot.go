package store

import (
	"io"

	"github.com/kubestate/kubestate/exposition"
)

// Snapshot is what a Resource held at one moment. It stays as it is whatever
// happens to the Resource.
type Snapshot struct {
	resource  *Resource
	cells     []*cell // family by family, feed by feed, block by block
	perFamily int
	objects   int
}

// Snapshot returns the present state of all feeds that have been read completely
// at least once. It copies one pointer for each cell, and no text.
func (r *Resource) Snapshot() *Snapshot {
	s := &Snapshot{resource: r}
	families := len(r.table.Schema().Families)
	var blocks []*cell
	for _, f := range r.allFeeds() {
		blocks = f.snapshot(s, blocks)
	}
	if families == 0 {
		return s
	}
	// Cells come block by block; a body goes family by family.
	s.perFamily = len(blocks) / families
	s.cells = make([]*cell, len(blocks))
	for i, c := range blocks {
		s.cells[i%families*s.perFamily+i/families] = c
	}
	return s
}

// snapshot appends the cells of all blocks and makes them immutable.
func (f *Feed) snapshot(s *Snapshot, cells []*cell) []*cell {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.published {
		return cells
	}
	f.check()
	f.snapshots++
	s.objects += len(f.index)
	for _, b := range f.blocks {
		cells = append(cells, b.cells...)
	}
	return cells
}

// Write writes all families with their HELP and TYPE lines, or nothing where
// there is no object. It ends with the first error of w.
func (s *Snapshot) Write(w io.Writer, f exposition.Format) error {
	if s.objects == 0 {
		return nil
	}
	schema := s.resource.table.Schema()
	var header []byte
	for i := range schema.Families {
		header = exposition.AppendHeader(header[:0], &schema.Families[i], f)
		if _, err := w.Write(header); err != nil {
			return err
		}
		for _, c := range s.cells[i*s.perFamily : (i+1)*s.perFamily] {
			if c == nil {
				continue
			}
			if _, err := w.Write(c.text); err != nil {
				return err
			}
		}
	}
	return nil
}
