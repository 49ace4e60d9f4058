package datadog

import (
	"math"
	"time"

	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/sink/internal/protobuf"
)

// encoder encodes series as parts of a MetricPayload, which is just the concatenation
// of these parts. The shared part of a block is encoded once and copied, because it
// makes up most of each series. Once its buffers have grown, it does not allocate. It
// is not safe for concurrent use.
type encoder struct {
	common []byte // tags of all series

	seconds  int64 // of the run, since 1970
	families map[*sink.Metric]*family
	family   *family // of the last series
	before   family  // predecessor of the first family of a run

	block  *sink.Block // of the last series
	shared []byte      // its encoded host and tags, with the common ones

	own  []byte // scratch: encoded tags of the series itself
	bits uint64 // of its value
}

// family is the shared part of the series of a sink.Metric.
type family struct {
	metric  *sink.Metric
	next    *family // the family that followed last time
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

// forget drops references to the last run, so that it can be freed.
func (e *encoder) forget() { e.block = nil }

// prepare selects the series for append, and returns its encoded size.
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

// size returns the length of the prepared series, without its length prefix.
func (e *encoder) size() int {
	return len(e.shared) + len(e.family.encoded) + len(e.own) + sizePoint(e.seconds)
}

// append appends the prepared series.
func (e *encoder) append(dst []byte) []byte {
	dst = protobuf.AppendSize(dst, payloadSeries, e.size())
	dst = append(dst, e.shared...)
	dst = append(dst, e.family.encoded...)
	dst = append(dst, e.own...)
	return appendPoint(dst, e.bits, e.seconds)
}

// enter encodes the shared part of the series of a block.
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

// find returns the family of a metric. Usually metrics come in the same order as in the
// last block.
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
