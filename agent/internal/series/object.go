package series

import (
	"math"
	"slices"

	"github.com/kubestate/kubestate/agent/internal/resolve"
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

func sameValue(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

// is reports whether a series is that of a cell.
func (s *series) is(c *cell) bool { return s.metric == c.metric && s.tags == c.tags() }
