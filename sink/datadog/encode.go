package datadog

import (
	"math"
	"time"

	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/sink/internal/protobuf"
)

// encoder turns series into parts of a MetricPayload, which is nothing but those
// parts one after the other. It writes protobuf by hand, because each series of a
// block repeats most of the one before: what the block has is encoded once and
// copied. After a while of use it allocates nothing. It is not for concurrent use.
type encoder struct {
	common []byte // tags of all series

	seconds  int64 // of the run, since 1970
	families map[*sink.Metric]*family
	family   *family // of the last series
	before   family  // stands before the first of a run

	block  *sink.Block // of the last series
	shared []byte      // its host and tags, and the common ones

	own  []byte // scratch: the tags of the series itself
	bits uint64 // of its value
}

// family is what the series of a sink.Metric have in common.
type family struct {
	metric  *sink.Metric
	next    *family // which followed the last time
	encoded []byte
}

func newEncoder(common []sink.Tag) *encoder {
	return &encoder{common: appendTags(nil, common), families: map[*sink.Metric]*family{}}
}

// begin starts a run. All its points have the same time.
func (e *encoder) begin(t time.Time) {
	e.seconds = t.Unix()
	e.family = &e.before
}

// forget lets go of what belongs to the last run, so that it can be freed.
func (e *encoder) forget() { e.block = nil }

// prepare makes s the series that append appends, and returns how many bytes those
// will be.
func (e *encoder) prepare(s *sink.Series) int {
	if e.block != s.Block {
		e.enter(s.Block)
	}
	if e.family.metric != s.Metric {
		e.family = e.find(s.Metric)
	}
	e.own = appendTags(e.own[:0], s.Tags)
	e.bits = math.Float64bits(s.Value)
	return protobuf.SizeField(e.size())
}

// size returns the length of the prepared series, without its own length.
func (e *encoder) size() int {
	return len(e.shared) + len(e.family.encoded) + len(e.own) + sizePoint(e.seconds)
}

// append appends the series that was prepared.
func (e *encoder) append(dst []byte) []byte {
	dst = protobuf.AppendSize(dst, payloadSeries, e.size())
	dst = append(dst, e.shared...)
	dst = append(dst, e.family.encoded...)
	dst = append(dst, e.own...)
	return appendPoint(dst, e.bits, e.seconds)
}

// enter encodes what the series of a block have in common.
func (e *encoder) enter(b *sink.Block) {
	e.block = b
	e.shared = e.shared[:0]
	if b.Host != "" {
		e.shared = appendHost(e.shared, b.Host)
	}
	e.shared = append(e.shared, e.common...)
	e.shared = appendTags(e.shared, b.Tags)
	e.shared = appendTags(e.shared, b.Resource)
}

// find returns the family of a metric. Those of a block mostly come in the order of
// the block before.
func (e *encoder) find(m *sink.Metric) *family {
	f := e.family.next
	if f == nil || f.metric != m {
		if f = e.families[m]; f == nil {
			f = &family{metric: m, encoded: appendMetric(nil, m)}
			e.families[m] = f
		}
		e.family.next = f
	}
	return f
}
