package store

import (
	"github.com/kubestate/kubestate/exposition"
)

// Slice selects objects: slice Index, counted from 0, of Of slices of nearly the same size.
// The zero value selects all. An object stays in its slice as long as it exists.
type Slice struct{ Index, Of int }

// has reports whether the slice has a block of a feed. Blocks are assigned to slices round
// robin. first is the offset of the feed, so that the first blocks of all feeds are not in
// the same slice; it does not depend on how many blocks others have, so that blocks never
// move.
func (s Slice) has(block, first int) bool { return s.Of == 0 || (block+first)%s.Of == s.Index }

// Snapshot is the state of a Resource at one moment. It never changes.
type Snapshot struct {
	resource *Resource
	blocks   []blockTexts // feed by feed
	objects  int
}

// blockTexts are the texts of a block at one moment, by family; nil where there is none.
// Snapshots share them while the block does not change.
type blockTexts []*text

// Snapshot returns the current state of all feeds that have had a Commit, or a slice of it.
// It copies a reference to each block, one to each cell
// of blocks that changed since the last Snapshot, and no text.
func (r *Resource) Snapshot(slice Slice) *Snapshot {
	s := &Snapshot{resource: r}
	for _, f := range r.allFeeds() {
		f.snapshot(s, slice)
	}
	return s
}

// snapshot adds the texts of the blocks in the slice.
func (f *Feed) snapshot(s *Snapshot, slice Slice) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.published {
		return
	}
	f.check()
	for i, b := range f.blocks {
		if b.used == 0 || !slice.has(i, f.first) {
			continue
		}
		s.objects += b.used
		s.blocks = append(s.blocks, b.shareAll())
	}
}

// head returns the HELP and TYPE lines of each family. They are made once for a format, since
// they are compressed like lines.
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
