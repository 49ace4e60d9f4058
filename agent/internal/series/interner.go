package series

import (
	"hash/maphash"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/kubestate/kubestate/agent/internal/cache"
	"github.com/kubestate/kubestate/agent/internal/compile"
	"github.com/kubestate/kubestate/agent/internal/resolve"
	"github.com/kubestate/kubestate/sink"
)

// interner copies what objects consist of, so that recurring content takes memory once:
// it remembers what it copied lately. It is not safe for concurrent use.
type interner struct {
	seed     maphash.Seed
	words    *cache.Cache[string, string]
	tags     *cache.Cache[uint64, *tagSet]
	shapes   *cache.Cache[uint64, *shape]
	variants *cache.Cache[uint64, *[]resolve.Variant]
	names    *cache.Cache[uint64, *[]string]
	sources  ambiguity
	shaped   []series // scratch
}

// How much an interner remembers. Of words that recur, a large cluster has some ten
// thousand (Nodes, owners, versions).
const (
	cachedWords    = 1 << 14
	cachedTagSets  = 1 << 13
	cachedShapes   = 1 << 12
	cachedVariants = 1 << 14
	cachedNames    = 1 << 10
)

func newInterner() *interner {
	return &interner{
		seed: maphash.MakeSeed(), words: cache.New[string, string](cachedWords),
		tags:     cache.New[uint64, *tagSet](cachedTagSets),
		shapes:   cache.New[uint64, *shape](cachedShapes),
		variants: cache.New[uint64, *[]resolve.Variant](cachedVariants),
		names:    cache.New[uint64, *[]string](cachedNames),
		sources:  ambiguity{first: map[*sink.Metric]origin{}, found: map[*sink.Metric]bool{}},
	}
}

// name returns a copy of a name.
func (k *interner) name(n types.NamespacedName) types.NamespacedName {
	return types.NamespacedName{Namespace: k.word(n.Namespace), Name: k.word(n.Name)}
}

// tagSet returns a tag set with these tags, which shares no memory with them.
func (k *interner) tagSet(tags []sink.Tag) *tagSet {
	if len(tags) == 0 {
		return nil
	}
	h := resolve.HashTags(k.seed, tags)
	if s, ok := k.tags.Get(h); ok && slices.Equal(s.tags, tags) {
		return s
	}
	s := &tagSet{clone(tags)}
	for i := range s.tags {
		t := &s.tags[i]
		t.Key, t.Value = k.word(t.Key), k.word(t.Value)
	}
	k.tags.Put(h, s)
	return s
}

// shape returns a shape with these series, which are copied.
func (k *interner) shape(all []series) *shape {
	var h uint64
	for i := range all {
		h = h*31 + maphash.Comparable(k.seed, all[i])
	}
	if s, ok := k.shapes.Get(h); ok && slices.Equal(s.series, all) {
		return s
	}
	s := &shape{clone(all)}
	k.shapes.Put(h, s)
	return s
}

// namesOf returns a copy of names.
func (k *interner) namesOf(names []string) *[]string {
	var h uint64
	for _, n := range names {
		h = h*31 + maphash.String(k.seed, n)
	}
	if s, ok := k.names.Get(h); ok && slices.Equal(*s, names) {
		return s
	}
	s := make([]string, len(names))
	for i, n := range names {
		s[i] = k.word(n)
	}
	k.names.Put(h, &s)
	return &s
}

// variantsOf returns a copy of variants, which shares no memory with them.
func (k *interner) variantsOf(all []resolve.Variant) *[]resolve.Variant {
	var h uint64
	for i := range all {
		h = h*31 + maphash.Comparable(k.seed, all[i].Mapping)
		for _, o := range all[i].Own {
			h = h*31 + maphash.Comparable(k.seed, o)
		}
	}
	if s, ok := k.variants.Get(h); ok && sameVariants(*s, all) {
		return s
	}
	s := make([]resolve.Variant, len(all))
	for i, v := range all {
		s[i] = resolve.Variant{Mapping: v.Mapping, Own: clone(v.Own)}
		for j := range s[i].Own {
			o := &s[i].Own[j]
			o.Name, o.Value, o.Key, o.Shown = k.word(o.Name), k.word(o.Value), k.word(o.Key), k.word(o.Shown)
		}
	}
	k.variants.Put(h, &s)
	return &s
}

func sameVariants(a, b []resolve.Variant) bool {
	return slices.EqualFunc(a, b, func(a, b resolve.Variant) bool { return a.Mapping == b.Mapping && slices.Equal(a.Own, b.Own) })
}

// word returns a copy of s that shares no memory with s.
func (k *interner) word(s string) string {
	if s == "" {
		return ""
	}
	if known, ok := k.words.Get(s); ok {
		return known
	}
	s = strings.Clone(s)
	k.words.Put(s, s)
	return s
}

// sameLabels reports whether something has the labels of a draft.
func (e *labeled) sameLabels(d *resolve.Draft) bool {
	if e.names == nil || len(d.Variants) == 0 {
		return e.names == nil && len(d.Variants) == 0
	}
	return int(e.ids) == d.IDs && slices.Equal(e.values, d.Values) && slices.Equal(*e.names, d.Names) && sameVariants(*e.variants, d.Variants)
}

// label gives an entry copies of the labels of a draft.
func (k *interner) label(e *labeled, d *resolve.Draft) {
	if len(d.Variants) == 0 {
		e.names, e.values, e.variants, e.ids = nil, nil, nil, 0
		return
	}
	values := make([]string, len(d.Values))
	for i, value := range d.Values {
		switch {
		case i < len(e.values) && e.values[i] == value:
			values[i] = e.values[i]
		case d.Names[i] == compile.UIDLabel: // no other object has it
			values[i] = strings.Clone(value)
		default:
			values[i] = k.word(value)
		}
	}
	e.names, e.values, e.ids = k.namesOf(d.Names), values, uint16(d.IDs)
	e.variants = k.variantsOf(d.Variants)
}

// object makes an object of a draft of a resource. What it has in common with old is
// shared.
func (k *interner) object(d *resolve.Draft, resource string, blocks []*sink.Block, old *object) *object {
	o := &object{blocks: blocks, values: make([]float64, len(d.Series))}
	for i, n := range d.Series {
		o.values[i] = n.Value
	}
	if old != nil && old.shape.sameAs(d) {
		o.shape = old.shape
	} else {
		o.shape = k.shapeOf(d, resource)
	}
	if old != nil && old.extra.sameAs(d) {
		o.extra = old.extra
	} else {
		o.extra = k.extra(d)
	}
	return o
}

func (k *interner) shapeOf(d *resolve.Draft, resource string) *shape {
	k.shaped = k.shaped[:0]
	for _, n := range d.Series {
		k.sources.note(n.Metric, origin{resource: resource})
		k.shaped = append(k.shaped, series{
			metric: n.Metric, tags: k.tagSet(d.TagsOf(n.Tags)),
			block: uint32(n.Variant), start: uint8(n.Start), age: n.Age, moving: n.Moving,
			ambiguous: d.Variants[n.Variant].Mapping.Ambiguous,
		})
	}
	return k.shape(k.shaped)
}

func (k *interner) extra(d *resolve.Draft) *extra {
	if len(d.Starts)+len(d.Moving)+len(d.Checks) == 0 {
		return nil
	}
	e := &extra{starts: clone(d.Starts), moving: clone(d.Moving)}
	for _, n := range d.Checks {
		e.checks = append(e.checks, checkResult{
			name: n.Name, status: n.Status, message: string(d.TextOf(n.Message)),
			tags: k.tagSet(d.TagsOf(n.Tags)), block: uint32(n.Variant), due: n.Due,
		})
	}
	return e
}

// sameAs reports whether an object has the series and checks of a draft.
func (o *object) sameAs(d *resolve.Draft) bool {
	return o.shape.sameAs(d) && o.extra.sameAs(d) &&
		slices.EqualFunc(o.values, d.Series, func(v float64, n resolve.Series) bool { return sameValue(v, n.Value) })
}

func (x *shape) sameAs(d *resolve.Draft) bool {
	return slices.EqualFunc(x.series, d.Series, func(s series, n resolve.Series) bool {
		return s.metric == n.Metric && int(s.block) == n.Variant && int(s.start) == n.Start && s.age == n.Age && s.moving == n.Moving &&
			slices.Equal(s.tags.get(), d.TagsOf(n.Tags))
	})
}

func (x *extra) sameAs(d *resolve.Draft) bool {
	if x == nil {
		return len(d.Starts)+len(d.Moving)+len(d.Checks) == 0
	}
	return slices.Equal(x.starts, d.Starts) && slices.Equal(x.moving, d.Moving) &&
		slices.EqualFunc(x.checks, d.Checks, func(c checkResult, n resolve.Check) bool {
			return c.name == n.Name && c.status == n.Status && int(c.block) == n.Variant && c.due == n.Due &&
				c.message == string(d.TextOf(n.Message)) && slices.Equal(c.tags.get(), d.TagsOf(n.Tags))
		})
}

// clone returns a copy that takes no more memory than it needs; nil for nothing.
func clone[T any](s []T) []T {
	if len(s) == 0 {
		return nil
	}
	c := make([]T, len(s))
	copy(c, s)
	return c
}
