package series

import (
	"math"

	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/sink"
)

// object is a resolved object or group. It is immutable, so runs may refer to it.
type object struct {
	blocks []*sink.Block
	shape  *shape
	values []float64 // of the series of the shape; of one that moves: an index
	extra  *extra    // nil: nothing
}

// shape is the part that the series of many objects share: all except values and blocks.
type shape struct{ series []series }

// series is one series of a shape. Series of one block are consecutive.
type series struct {
	metric    *sink.Metric
	tags      *tagSet // nil: none
	block     uint32
	start     uint8 // index in starts, and 1; 0: none
	age       bool
	moving    bool
	ambiguous bool // another object may have the same one, see ambiguity
}

// extra has the fields that few objects need.
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

// tagSet is a set of tags that many series may share.
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

// is reports whether a series belongs to a cell.
func (s *series) is(c *cell) bool { return s.metric == c.metric && s.tags == c.tags() }
