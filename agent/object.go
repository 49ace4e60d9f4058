package agent

import (
	"hash/maphash"
	"slices"

	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/sink"
)

// object is what is resolved of an object or of a group. It never changes, so
// that runs refer to it.
type object struct {
	blocks []*sink.Block
	shape  *shape
	values []float64 // of the series of the shape; of one that moves: an index
	extra  *extra    // nil: nothing
}

// shape is what the series of many objects have in common: all but values and
// blocks.
type shape struct{ series []series }

// series is one series of a shape. Those of one block follow one another.
type series struct {
	metric *sink.Metric
	tags   *tagSet // nil: none
	block  uint32
	start  uint8 // index in starts, and 1; 0: none
	age    bool
	moving bool
	twin   bool // another object may have the same one, see twins
}

// extra is what few objects have.
type extra struct {
	starts []int64
	moving []*naming.Moving
	checks []checkResult
}

// checkResult is one service check of an object.
type checkResult struct {
	name    *sink.Metric
	status  sink.Status
	message string
	tags    *tagSet
	block   uint32
	due     float64 // 0: not a time
}

func (o *object) checks() []checkResult {
	if o == nil || o.extra == nil {
		return nil
	}
	return o.extra.checks
}

// tagSet is tags that many series may have.
type tagSet struct{ tags []sink.Tag }

func (s *tagSet) get() []sink.Tag {
	if s == nil {
		return nil
	}
	return s.tags
}

// keeper copies what objects are made of, such that what recurs takes memory once:
// it remembers what it copied lately. It is not safe for concurrent use.
type keeper struct {
	seed     maphash.Seed
	words    words
	tags     *cache[uint64, *tagSet]
	shapes   *cache[uint64, *shape]
	variants *cache[uint64, *[]variant]
	names    *cache[uint64, *[]string]
}

// How much a keeper remembers.
const (
	cachedTagSets  = 1 << 13
	cachedShapes   = 1 << 12
	cachedVariants = 1 << 14
	cachedNames    = 1 << 10
)

func newKeeper() *keeper {
	return &keeper{
		seed: maphash.MakeSeed(), words: newWords(),
		tags:     newCache[uint64, *tagSet](cachedTagSets),
		shapes:   newCache[uint64, *shape](cachedShapes),
		variants: newCache[uint64, *[]variant](cachedVariants),
		names:    newCache[uint64, *[]string](cachedNames),
	}
}

// keepName returns a copy of a name.
func (k *keeper) keepName(n objectName) objectName {
	return objectName{k.words.keep(n.namespace), k.words.keep(n.name)}
}

// keepTags returns a tag set with these tags, which shares no memory with them.
func (k *keeper) keepTags(tags []sink.Tag) *tagSet {
	if len(tags) == 0 {
		return nil
	}
	h := hashTags(k.seed, tags)
	if s, ok := k.tags.get(h); ok && slices.Equal(s.tags, tags) {
		return s
	}
	s := &tagSet{clone(tags)}
	for i := range s.tags {
		t := &s.tags[i]
		t.Key, t.Value = k.words.keep(t.Key), k.words.keep(t.Value)
	}
	k.tags.put(h, s)
	return s
}

// keepShape returns a shape with these series, which are copied.
func (k *keeper) keepShape(all []series) *shape {
	var h uint64
	for i := range all {
		h = h*31 + maphash.Comparable(k.seed, all[i])
	}
	if s, ok := k.shapes.get(h); ok && slices.Equal(s.series, all) {
		return s
	}
	s := &shape{clone(all)}
	k.shapes.put(h, s)
	return s
}

// keepNames returns a copy of names.
func (k *keeper) keepNames(names []string) *[]string {
	var h uint64
	for _, n := range names {
		h = h*31 + maphash.String(k.seed, n)
	}
	if s, ok := k.names.get(h); ok && slices.Equal(*s, names) {
		return s
	}
	s := make([]string, len(names))
	for i, n := range names {
		s[i] = k.words.keep(n)
	}
	k.names.put(h, &s)
	return &s
}

// keepVariants returns a copy of variants, which shares no memory with them.
func (k *keeper) keepVariants(all []variant) *[]variant {
	var h uint64
	for i := range all {
		h = h*31 + maphash.Comparable(k.seed, all[i].mapping)
		for _, o := range all[i].own {
			h = h*31 + maphash.Comparable(k.seed, o)
		}
	}
	if s, ok := k.variants.get(h); ok && sameVariants(*s, all) {
		return s
	}
	s := make([]variant, len(all))
	for i, v := range all {
		s[i] = variant{mapping: v.mapping, own: clone(v.own)}
		for j := range s[i].own {
			o := &s[i].own[j]
			o.name, o.value, o.key, o.shown = k.words.keep(o.name), k.words.keep(o.value), k.words.keep(o.key), k.words.keep(o.shown)
		}
	}
	k.variants.put(h, &s)
	return &s
}

func sameVariants(a, b []variant) bool {
	return slices.EqualFunc(a, b, func(a, b variant) bool { return a.mapping == b.mapping && slices.Equal(a.own, b.own) })
}

// hashTags returns a hash in which the order of tags does not matter.
func hashTags(seed maphash.Seed, tags []sink.Tag) uint64 {
	var sum uint64
	for i := range tags {
		sum += maphash.Comparable(seed, tags[i])
	}
	return sum
}

// shelf is where resolved objects stand that come and go together. A place that
// is free is nil.
type shelf struct {
	resource *resource // of the objects; nil: groups
	groups   *groups   // nil: objects
	objects  []*object
	members  []*group // in the places of objects; of objects: none
	free     []uint32
	// published: a full read was complete. Before, objects are neither shown nor count.
	published bool
	taken     bool // snapshots have the objects: who changes one makes a copy before
}

func (s *shelf) take() uint32 {
	if n := len(s.free); n > 0 {
		place := s.free[n-1]
		s.free = s.free[:n-1]
		return place
	}
	s.objects = append(s.objects, nil)
	return uint32(len(s.objects) - 1)
}

func (s *shelf) leave(place uint32) {
	s.set(place, nil)
	s.free = append(s.free, place)
}

// set puts an object in its place.
func (s *shelf) set(place uint32, o *object) {
	switch {
	case s.objects[place] == o:
		return
	case s.taken:
		s.objects, s.taken = slices.Clone(s.objects), false
	}
	s.objects[place] = o
}

// all returns what stands there now, which stays as it is.
func (s *shelf) all() []*object {
	s.taken = true
	return slices.Clip(s.objects)
}
