package series

import (
	"hash/maphash"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/kubestate/kubestate/agent/internal/cache"
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

// clone returns a copy that takes no more memory than it needs; nil for nothing.
func clone[T any](s []T) []T {
	if len(s) == 0 {
		return nil
	}
	c := make([]T, len(s))
	copy(c, s)
	return c
}
