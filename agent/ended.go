package agent

import (
	"hash/maphash"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/kubestate/kubestate/sink"
)

// ended walks the series of last that now does not have. A series is the same where
// name, host and tags are, whichever object has it.
func ended(last, now *snapshot, at time.Time) iter.Seq[*sink.Series] {
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
		twins, of := map[uint64]ref{}, map[*sink.Metric]bool{} // objects that stayed as they were may have these
		var s sink.Series
		more := h.each(gone, nil, func(o *object, i int, id uint64) bool {
			switch {
			case there[id]:
				return true
			case now.twins[o.shape.series[i].metric]:
				twins[id], of[o.shape.series[i].metric] = ref{o, i}, true
				return true
			default:
				o.show(&s, i, seconds(at))
				return yield(&s)
			}
		})
		if !more || len(twins) == 0 {
			return
		}
		for i := range now.shelves {
			h.each(now.shelves[i].objects, of, func(_ *object, _ int, id uint64) bool {
				delete(twins, id)
				return true
			})
		}
		for _, x := range twins {
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

// differing returns what last has and now has not, and the other way round, but for
// objects of which only values differ.
func differing(last, now *snapshot) (gone, come []*object) {
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

// hasher makes identities of series.
type hasher struct {
	seed maphash.Seed
	sums []uint64        // of the blocks of an object
	have map[*shape]bool // whether a shape has any of the metrics that are looked for
}

func newHasher() *hasher { return &hasher{seed: maphash.MakeSeed(), have: map[*shape]bool{}} }

// each calls f for the series of objects, of some metrics or of all if those are
// nil, with the hash of name, host and tags. It tells whether f never said false.
func (h *hasher) each(objects []*object, of map[*sink.Metric]bool, f func(o *object, series int, id uint64) bool) bool {
	for _, o := range objects {
		if o == nil || of != nil && !h.hasAny(o.shape, of) {
			continue
		}
		h.sums = h.sums[:0]
		for _, b := range o.blocks {
			h.sums = append(h.sums, maphash.String(h.seed, b.Host)+hashTags(h.seed, b.Resource)+hashTags(h.seed, b.Tags))
		}
		for i := range o.shape.series {
			s := &o.shape.series[i]
			if of != nil && !of[s.metric] {
				continue
			}
			id := maphash.String(h.seed, s.metric.Name)*31 + h.sums[s.block] + hashTags(h.seed, s.tags.get())
			if !f(o, i, id) {
				return false
			}
		}
	}
	return true
}

func (h *hasher) hasAny(x *shape, of map[*sink.Metric]bool) bool {
	has, known := h.have[x]
	if !known {
		has = slices.ContainsFunc(x.series, func(s series) bool { return of[s.metric] })
		h.have[x] = has
	}
	return has
}

// twins knows the metrics of which two objects may have series with the same tags,
// because the naming table takes away what tells the objects apart, or has one
// metric for several kinds. Those of other tables are empty, so that finding what
// has ended takes no look at what stayed as it was.
type twins struct {
	first map[*sink.Metric]origin // where a metric was seen first
	found map[*sink.Metric]bool   // replaced when it grows: snapshots have it
}

// origin is where the series of a metric come from.
type origin struct {
	resource *resource
	groups   *grouping
}

// note notes that series of a metric come from somewhere. Alike tells that tags do
// not tell what is there apart.
func (x *twins) note(m *sink.Metric, from origin, alike bool) {
	first, known := x.first[m]
	if !known {
		x.first[m] = from
	}
	if !alike && (!known || first == from) || x.found[m] {
		return
	}
	found := maps.Clone(x.found)
	found[m] = true
	x.found = found
}

// alike tells whether things may have the same tags although they differ in one of
// some labels.
func (m *mapping) alike(labels []string) bool {
	keys := map[string]bool{}
	for _, label := range labels {
		key := m.key(label)
		if key == "" || m.isOwner(label) || keys[key] {
			return true
		}
		keys[key] = true
	}
	return false
}
