package agent

import (
	"hash/maphash"
	"slices"

	"github.com/kubestate/kubestate/sink"
)

// object is what is resolved of an object or of a group. It never changes, so
// that runs refer to it.
type object struct {
	blocks []*sink.Block
	series []series // those of one block follow one another
	starts []int64
	moving []*Moving
	checks []checkResult
}

// series is one series of an object.
type series struct {
	metric *sink.Metric
	tags   *tagSet // nil: none
	value  float64 // where moving is set, an index
	block  uint32
	start  uint8 // index in starts, and 1; 0: none
	age    bool
	moving bool
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

// tagSet is tags that many series may have.
type tagSet struct{ tags []sink.Tag }

func (s *tagSet) get() []sink.Tag {
	if s == nil {
		return nil
	}
	return s.tags
}

// tagSets makes equal tag sets one. It remembers those that were asked for
// lately. It is not safe for concurrent use.
type tagSets struct {
	seed      maphash.Seed
	words     words
	now, past map[uint64]*tagSet
}

func newTagSets(w words) *tagSets {
	return &tagSets{seed: maphash.MakeSeed(), words: w, now: map[uint64]*tagSet{}}
}

// maxTagSets is how many tag sets are remembered.
const maxTagSets = 1 << 16

// keep returns a tag set with these tags, which shares no memory with them.
func (x *tagSets) keep(tags []sink.Tag) *tagSet {
	if len(tags) == 0 {
		return nil
	}
	h := hashTags(x.seed, tags)
	if s, ok := x.now[h]; ok && slices.Equal(s.tags, tags) {
		return s
	}
	s, ok := x.past[h]
	if !ok || !slices.Equal(s.tags, tags) {
		s = &tagSet{clone(tags)}
		for i := range s.tags {
			t := &s.tags[i]
			t.Key, t.Value = x.words.keep(t.Key), x.words.keep(t.Value)
		}
	}
	if len(x.now) >= maxTagSets {
		x.now, x.past = map[uint64]*tagSet{}, x.now
	}
	x.now[h] = s
	return s
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
	objects []*object
	free    []int
}

func (s *shelf) take() int {
	if n := len(s.free); n > 0 {
		place := s.free[n-1]
		s.free = s.free[:n-1]
		return place
	}
	s.objects = append(s.objects, nil)
	return len(s.objects) - 1
}

func (s *shelf) leave(place int) {
	s.objects[place] = nil
	s.free = append(s.free, place)
}
