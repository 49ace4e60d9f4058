package series

import (
	"slices"

	"github.com/kubestate/kubestate/agent/internal/resolve"
	"github.com/kubestate/kubestate/sink"
)

// slots stores the resolved objects of one set. A free slot is nil.
type slots struct {
	resource string // of the objects; empty: they are groups
	// rebuilt is called after the blocks of one of them were rebuilt.
	rebuilt func(t *labeled, blocks []*sink.Block, changed bool)
	objects []*object
	free    []uint32
	taken   bool // a snapshot refers to objects: the next change copies the slice
}

func (s *slots) take() uint32 {
	if n := len(s.free); n > 0 {
		slot := s.free[n-1]
		s.free = s.free[:n-1]
		return slot
	}
	s.objects = append(s.objects, nil)
	return uint32(len(s.objects) - 1)
}

// set fills a slot.
func (s *slots) set(slot uint32, o *object) {
	switch {
	case s.objects[slot] == o:
		return
	case s.taken:
		s.objects, s.taken = slices.Clone(s.objects), false
	}
	s.objects[slot] = o
}

func (s *slots) release(slot uint32) {
	s.set(slot, nil)
	s.free = append(s.free, slot)
}

// snapshot returns the slots as they are now; later changes do not affect them.
func (s *slots) snapshot() []*object {
	s.taken = true
	return slices.Clip(s.objects)
}

// labeled is the common part of an entry and a group: labels, from which their blocks of
// tags are built, and a slot for the resolved object.
type labeled struct {
	// The labels of the object, and after the first ids of them those that it gives
	// itself. Joins match the first ids only.
	names    *[]string // nil: there are no blocks
	values   []string
	variants *[]resolve.Variant
	slots    *slots
	slot     uint32
	ids      uint16
	dirty    bool // blocks are to be rebuilt
	gone     bool
}

// resolved returns what is resolved; nil: nothing.
func (t *labeled) resolved() *object { return t.slots.objects[t.slot] }

// blocks returns the blocks, one for each variant.
func (t *labeled) blocks() []*sink.Block {
	if o := t.resolved(); o != nil {
		return o.blocks
	}
	return nil
}

// label returns the value of a label of a variant, as joins see it.
func (t *labeled) label(v *resolve.Variant, name string) string {
	for i := range v.Own {
		if v.Own[i].Name == name && v.Own[i].Value != "" {
			return v.Own[i].Value
		}
	}
	for i, n := range (*t.names)[:t.ids] {
		if n == name {
			return t.values[i]
		}
	}
	return ""
}
