package store

import (
	"github.com/kubestate/kubestate/exposition"
)

// Slice says which part of the objects a snapshot has: Index, from 0 on, of Of
// parts of near equal size. The zero value is the whole. An object stays in its
// slice as long as it exists.
type Slice struct{ Index, Of int }

// has says whether the slice has the block with a number. The blocks of a feed are
// dealt like cards, beginning with another player for each feed. What other feeds
// have does not matter, so that blocks stay where they are.
func (s Slice) has(block, first int) bool { return s.Of == 0 || (block+first)%s.Of == s.Index }

// Snapshot is what a Resource held at one moment. It stays as it is whatever
// happens to the Resource.
type Snapshot struct {
	resource *Resource
	blocks   []blockTexts // feed by feed
	objects  int
}

// blockTexts are the texts of a block at one moment, by family; nil where there is none.
// Snapshots share them while the block does not change.
type blockTexts []*text

// Snapshot returns the present state of all feeds that have been read completely
// at least once, or a slice of it. It copies a reference to each block, one to each cell
// of blocks that changed since the last Snapshot, and no text.
func (r *Resource) Snapshot(slice Slice) *Snapshot {
	s := &Snapshot{resource: r}
	for i, f := range r.allFeeds() {
		f.snapshot(s, slice, r.first+i)
	}
	return s
}

// snapshot adds the texts of the blocks in the slice; first is the place of the
// first block in the deck.
func (f *Feed) snapshot(s *Snapshot, slice Slice, first int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.published {
		return
	}
	f.check()
	for i, b := range f.blocks {
		if b.used == 0 || !slice.has(i, first) {
			continue
		}
		s.objects += b.used
		s.blocks = append(s.blocks, b.shareAll())
	}
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
