package series

import (
	"hash/maphash"
	"iter"
	"slices"
	"time"

	"github.com/kubestate/kubestate/agent/internal/resolve"
	"github.com/kubestate/kubestate/sink"
)

// Ended iterates over the series that are in last but not in now. Series are identified by
// name, host and tags, whichever object they belong to.
func Ended(last, now *Snapshot, at time.Time) iter.Seq[*sink.Series] {
	return func(yield func(*sink.Series) bool) {
		gone, come := differing(last, now)
		if len(gone) == 0 {
			return
		}
		h := newHasher()
		there := map[uint64]bool{}
		h.each(come, nil, func(_ *object, _ int, id uint64) bool {
			there[id] = true
			return true
		})
		candidates, of := map[uint64]ref{}, map[*sink.Metric]bool{} // unchanged objects may still have these
		var s sink.Series
		more := h.each(gone, nil, func(o *object, i int, id uint64) bool {
			x := &o.shape.series[i]
			switch {
			case there[id]:
				return true
			case x.ambiguous || now.ambiguous[x.metric]:
				candidates[id], of[x.metric] = ref{o, i}, true
				return true
			default:
				o.show(&s, i, seconds(at))
				return yield(&s)
			}
		})
		if !more || len(candidates) == 0 {
			return
		}
		can := func(x series) bool { return of[x.metric] && (x.ambiguous || now.ambiguous[x.metric]) }
		for i := range now.sets {
			h.each(now.sets[i].objects, can, func(_ *object, _ int, id uint64) bool {
				delete(candidates, id)
				return true
			})
		}
		for _, x := range candidates {
			x.show(&s, x.series, seconds(at))
			if !yield(&s) {
				return
			}
		}
	}
}

// ref is a series of an object.
type ref struct {
	*object
	series int
}

// differing returns the objects that are only in last and those that are only in now. It
// leaves out objects that differ in values alone.
func differing(last, now *Snapshot) (gone, come []*object) {
	pairs(last, now, func(before, after *object) bool {
		if before != nil && after != nil && len(before.values) == len(after.values) && after.hasAll(before) {
			return true
		}
		if before != nil {
			gone = append(gone, before)
		}
		if after != nil {
			come = append(come, after)
		}
		return true
	})
	return gone, come
}

func (o *object) hasAll(old *object) bool {
	for i := range o.values {
		if !o.hasSame(old, i) {
			return false
		}
	}
	return true
}

// hasher computes identities of series.
type hasher struct {
	seed   maphash.Seed
	sums   []uint64        // of the blocks of an object
	wanted map[*shape]bool // whether a shape has a wanted series
}

func newHasher() *hasher { return &hasher{seed: maphash.MakeSeed(), wanted: map[*shape]bool{}} }

// each calls f for the series of objects that want selects (all if nil), with the hash of
// name, host and tags, until f returns false. It reports whether f never did.
func (h *hasher) each(objects []*object, want func(series) bool, f func(o *object, series int, id uint64) bool) bool {
	for _, o := range objects {
		if o == nil || want != nil && !h.wants(o.shape, want) {
			continue
		}
		h.sums = h.sums[:0]
		for _, b := range o.blocks {
			h.sums = append(h.sums, maphash.String(h.seed, b.Host)+resolve.HashTags(h.seed, b.Resource)+resolve.HashTags(h.seed, b.Tags))
		}
		for i := range o.shape.series {
			s := &o.shape.series[i]
			if want != nil && !want(*s) {
				continue
			}
			id := maphash.String(h.seed, s.metric.Name)*31 + h.sums[s.block] + resolve.HashTags(h.seed, s.tags.get())
			if !f(o, i, id) {
				return false
			}
		}
	}
	return true
}

// wants reports whether any series of a shape is wanted, and caches the answer.
func (h *hasher) wants(x *shape, want func(series) bool) bool {
	wanted, known := h.wanted[x]
	if !known {
		wanted = slices.ContainsFunc(x.series, want)
		h.wanted[x] = wanted
	}
	return wanted
}
