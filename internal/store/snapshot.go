package store

import (
	"github.com/kubestate/kubestate/exposition"
)

// Slice says which part of the objects a snapshot has: Index, from 0 on, of Of
// parts of near equal size. The zero value is the whole. An object stays in its
// slice as long as it exists.
type Slice struct{ Index, Of int }

// has says whether the slice has the block with a number. Blocks of all resources
// are dealt like cards; the resource's place in the deck is first.
func (s Slice) has(block, first int) bool { return s.Of == 0 || (block+first)%s.Of == s.Index }

// Snapshot is what a Resource held at one moment. It stays as it is whatever
// happens to the Resource.
type Snapshot struct {
	resource *Resource
	families [][]*text // the texts of each family, feed by feed, block by block
	objects  int
}

// Snapshot returns the present state of all feeds that have been read completely
// at least once, or a slice of it. It copies one pointer for each cell, and no
// text.
func (r *Resource) Snapshot(slice Slice) *Snapshot {
	s := &Snapshot{resource: r, families: make([][]*text, len(r.table.Schema().Families))}
	first := r.first
	for _, f := range r.allFeeds() {
		first += f.snapshot(s, slice, first)
	}
	return s
}

// snapshot appends the texts of the blocks in the slice and returns how many
// blocks there are.
func (f *Feed) snapshot(s *Snapshot, slice Slice, first int) (blocks int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.published {
		return 0
	}
	f.check()
	for i, b := range f.blocks {
		if b.used == 0 || !slice.has(i, first) {
			continue
		}
		s.objects += b.used
		for family, c := range b.cells {
			if c != nil {
				t := c.share()
				t.seen = true
				s.families[family] = append(s.families[family], t)
			}
		}
	}
	return len(f.blocks)
}

// head returns the HELP and TYPE lines of each family. They are made once for a
// format, because they are sealed as lines are.
func (r *Resource) head(f exposition.Format) []*text {
	r.mu.Lock()
	defer r.mu.Unlock()
	if heads, ok := r.heads[f]; ok {
		return heads
	}
	families := r.table.Schema().Families
	heads := make([]*text, len(families))
	for i := range families {
		heads[i] = newText(exposition.AppendHeader(nil, &families[i], f))
	}
	r.heads[f] = heads
	return heads
}
