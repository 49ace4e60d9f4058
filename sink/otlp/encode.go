package otlp

import (
	"math"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/sink/internal/protobuf"
)

// encoder encodes series as requests. The shared part of a block is encoded once and
// copied, because it makes up most of each series. The points of a block are collected
// by metric, since a request is ordered by resource, metric, point. Once its buffers
// have grown, it does not allocate. It is not safe for concurrent use.
type encoder struct {
	scope    []byte     // encoded
	resource []sink.Tag // attributes of all resources
	tags     []sink.Tag // attributes of all data points

	time     uint64 // of the run, in nanoseconds since 1970
	families map[*sink.Metric]*family
	family   *family // of the last series
	before   family  // predecessor of the first family of a run
	block    block
	own      []byte // scratch: encoded attributes of the series itself

	out []byte
}

func newEncoder(c Config) *encoder {
	e := &encoder{
		scope: appendScope(nil, scopeText, c.Version), resource: sorted(c.Resource), tags: sorted(c.Tags),
		families: map[*sink.Metric]*family{},
	}
	e.block.number = 1 // an unused family is in no block
	e.block.host[0].Key = hostName
	return e
}

// beginRun starts a run. All its points have the same time.
func (e *encoder) beginRun(t time.Time) {
	e.time = uint64(t.UnixNano())
	e.family = &e.before
}

// beginRequest starts an empty request.
func (e *encoder) beginRequest() {
	e.out = e.out[:0]
}

// forget drops references to the strings of the last run, so that they can be freed.
func (e *encoder) forget() {
	b := &e.block
	b.host[0].Value = ""
	clear(b.keys)
	b.keys = b.keys[:0]
	b.shape++
}

// Upper bounds of what is needed in addition to attributes and strings: tags, lengths
// and numbers.
const (
	boundResource  = 24
	boundMetric    = 24
	boundPoint     = 40
	boundAttribute = 24
	longest        = 3 // an invalid byte is replaced by three bytes
)

// size returns an upper bound of the length of the message.
func (e *encoder) size() int {
	n := len(e.out) + e.block.size
	if e.block.used > 0 {
		n += boundResource + len(e.block.resource) + len(e.scope)
	}
	return n
}

// bound returns an upper bound of how much size grows when s is added.
func (e *encoder) bound(s *sink.Series) int {
	e.enter(s)
	n := boundResource + len(e.block.resource) + len(e.scope) + boundMetric + len(e.family.head) + boundPoint + len(e.block.attributes)
	for i := range s.Tags {
		n += boundAttribute + longest*(len(s.Tags[i].Key)+len(s.Tags[i].Value))
	}
	return n
}

// add appends a series to the request. The point of an ended series has a flag instead
// of a value, and is a millisecond older.
func (e *encoder) add(s *sink.Series, ended bool) {
	e.enter(s)
	f, b := e.family, &e.block
	if !f.fits(s.Tags, b) {
		f.arrange(s.Tags, b, e.tags)
	}
	e.own = appendAttributes(e.own[:0], pointAttribute, s.Tags)
	attributes := len(b.attributes)
	if f.overrides {
		e.own, attributes = e.appendOverridden(e.own, s.Tags), 0
	}
	start := e.start(s, ended)
	length := len(e.own) + attributes + sizeNumbers(start, ended)

	g := e.enterGroup(f)
	dst := protobuf.AppendSize(g.points, dataPoint, length)
	if start != 0 {
		dst = protowire.AppendFixed64(append(dst, pointStart), start)
	}
	if ended {
		dst = protowire.AppendFixed64(append(dst, pointTime), e.time-uint64(time.Millisecond))
		dst = append(dst, pointFlags, noRecordedValue)
	} else {
		dst = protowire.AppendFixed64(append(dst, pointTime), e.time)
		dst = protowire.AppendFixed64(append(dst, pointValue), math.Float64bits(s.Value))
	}
	dst = append(dst, e.own...)
	g.points = dst
	g.ends = append(g.ends, end{at: len(dst), whole: f.overrides})
	size := protobuf.SizeField(length)
	g.size += size
	b.size += size
}

// sizeNumbers returns the encoded length of a point without its attributes.
func sizeNumbers(start uint64, ended bool) int {
	n := 2 * (1 + 8)
	if ended {
		n = 1 + 8 + 1 + 1
	}
	if start != 0 {
		n += 1 + 8
	}
	return n
}

// start returns when the counter s started, in nanoseconds since 1970; 0 if unknown or
// meaningless.
func (e *encoder) start(s *sink.Series, ended bool) uint64 {
	start := uint64(max(s.Start, 0)) * uint64(time.Millisecond)
	if !e.family.counter || ended || start > e.time {
		return 0
	}
	return start
}

// enter switches to the block and family of s.
func (e *encoder) enter(s *sink.Series) {
	if e.block.source != s.Block {
		e.setBlock(s.Block)
	}
	if e.family.metric == s.Metric {
		return
	}
	// Usually metrics come in the same order as in the last block.
	f := e.family.next
	if f == nil || f.metric != s.Metric {
		if f = e.families[s.Metric]; f == nil {
			f = newFamily(s.Metric)
			e.families[s.Metric] = f
		}
		e.family.next = f
	}
	e.family = f
}

// message returns the request. It is valid until the next method call.
func (e *encoder) message() []byte {
	e.endBlock()
	return e.out
}
