package series

import (
	"slices"
	"sync"

	"github.com/kubestate/kubestate/sink"
)

// upkeep rebuilds blocks when the labels they depend on change. Objects and groups share
// it. Its methods are called with mu held.
type upkeep struct {
	mu       sync.Mutex
	joins    joins
	maker    blockMaker
	interner *interner
	key      []byte     // scratch
	dirty    []*labeled // whose blocks or values are to be rebuilt, and some that were
	dirtyMax int        // the length of dirty at which compact runs
	series   int        // how many are resolved
}

// publish stores a resolved object where snapshots see it.
func (u *upkeep) publish(t *labeled, o *object) {
	if old := t.resolved(); old != nil {
		u.series -= len(old.values)
	}
	if o != nil {
		u.series += len(o.values)
	}
	t.slots.set(t.slot, o)
}

// relabel rebuilds the blocks of t after set changed its labels.
func (u *upkeep) relabel(t *labeled, set func()) (blocks []*sink.Block, changed bool) {
	u.joins.forget(t, &u.key)
	set()
	u.joins.depend(t, &u.key)
	return u.maker.rebuild(t)
}

// drop removes an entry or a group.
func (u *upkeep) drop(t *labeled) {
	t.gone = true
	u.joins.forget(t, &u.key)
	u.publish(t, nil)
	t.slots.release(t.slot)
}

func (u *upkeep) markDirty(t *labeled) {
	if t.dirty || t.gone {
		return
	}
	if len(u.dirty) >= u.dirtyMax {
		u.compact()
	}
	t.dirty = true
	u.dirty = append(u.dirty, t)
}

// compact removes entries from dirty that were deleted, rebuilt or are duplicates. Without
// flushes, as in a standby, nothing else does.
func (u *upkeep) compact() {
	u.dirty = slices.DeleteFunc(u.dirty, func(t *labeled) bool {
		drop := !t.dirty || t.gone
		t.dirty = false
		return drop
	})
	for _, t := range u.dirty {
		t.dirty = true
	}
	u.dirtyMax = 2*len(u.dirty) + minDirty
}

// minDirty is a length of dirty that is never too much.
const minDirty = 1024

// settle rebuilds at most n dirty entries, and reports whether none remains.
func (u *upkeep) settle(n int) bool {
	for range n {
		if len(u.dirty) == 0 {
			return true
		}
		t := u.dirty[len(u.dirty)-1]
		u.dirty = u.dirty[:len(u.dirty)-1]
		if t.dirty && !t.gone {
			blocks, changed := u.maker.rebuild(t)
			t.slots.rebuilt(t, blocks, changed)
		}
	}
	return len(u.dirty) == 0
}
