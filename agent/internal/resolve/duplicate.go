package resolve

import (
	"hash/maphash"
	"slices"
	"time"

	"github.com/kubestate/kubestate/sink"
)

// seriesSet finds duplicates among the series and checks of one object: those of
// the same name, block and tags, which samples become whose labels are dropped. Its
// memory is reused from object to object.
type seriesSet struct {
	seed    maphash.Seed
	members []seriesKey
	tags    []sink.Tag // of the members
	// index is open addressing: a slot holds a position in members, and counts only
	// while it has the stamp of the current object. Its length is a power of two, at
	// least twice that of members.
	index []stamped
	stamp uint32
}

type seriesKey struct {
	name    *sink.Metric
	variant int
	tags    span
}

type stamped struct{ stamp, at uint32 }

func (x *seriesSet) reset() {
	x.members, x.tags = x.members[:0], x.tags[:0]
	if x.stamp++; x.stamp == 0 { // slots of 2³² objects ago would count
		clear(x.index)
		x.stamp = 1
	}
}

// add adds a series, and reports whether it is no duplicate. Tags are sorted.
func (x *seriesSet) add(name *sink.Metric, variant int, tags []sink.Tag) bool {
	if 2*(len(x.members)+1) > len(x.index) {
		x.grow()
	}
	i := x.slot(name, variant, tags)
	if x.index[i].stamp == x.stamp {
		return false
	}
	x.index[i] = stamped{x.stamp, uint32(len(x.members))}
	k := seriesKey{name, variant, span{from: len(x.tags)}}
	x.tags = append(x.tags, tags...)
	k.tags.to = len(x.tags)
	x.members = append(x.members, k)
	return true
}

// slot returns where in the index a series is, or belongs.
func (x *seriesSet) slot(name *sink.Metric, variant int, tags []sink.Tag) int {
	mask := len(x.index) - 1
	i := int(maphash.Comparable(x.seed, name)+uint64(variant)+HashTags(x.seed, tags)) & mask
	for ; x.index[i].stamp == x.stamp; i = (i + 1) & mask {
		k := &x.members[x.index[i].at]
		if k.name == name && k.variant == variant && slices.Equal(x.tags[k.tags.from:k.tags.to], tags) {
			break
		}
	}
	return i
}

func (x *seriesSet) grow() {
	if x.seed == (maphash.Seed{}) {
		x.seed = maphash.MakeSeed()
	}
	x.index, x.stamp = make([]stamped, max(64, 2*len(x.index))), 1
	for at, k := range x.members {
		i := x.slot(k.name, k.variant, x.tags[k.tags.from:k.tags.to])
		x.index[i] = stamped{x.stamp, uint32(at)}
	}
}

// HashTags returns a hash in which the order of tags does not matter.
func HashTags(seed maphash.Seed, tags []sink.Tag) uint64 {
	var sum uint64
	for i := range tags {
		sum += maphash.Comparable(seed, tags[i])
	}
	return sum
}

// noTime is the zero time.Time in Unix seconds, which is what a sample has whose
// object leaves a time out.
var noTime = float64(time.Time{}.Unix())

// isTime reports whether a value in Unix seconds is a time.
func isTime(seconds float64) bool { return seconds > noTime }
