package series

import (
	"math"

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
	metric    *sink.Metric
	tags      *tagSet // nil: none
	block     uint32
	start     uint8 // index in starts, and 1; 0: none
	age       bool
	moving    bool
	ambiguous bool // another object may have the same one, see ambiguity
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

// with returns the same object with other blocks.
func (o *object) with(blocks []*sink.Block) *object {
	x := *o
	x.blocks = blocks
	return &x
}

func sameValue(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

// is reports whether a series is that of a cell.
func (s *series) is(c *cell) bool { return s.metric == c.metric && s.tags == c.tags() }
