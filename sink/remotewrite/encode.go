package remotewrite

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/sink/internal/protobuf"
)

// encoder encodes series as requests of either version, without compression. The shared
// part of a block is encoded once per request and copied, because it makes up most of
// each series. Once its buffers have grown, it does not allocate. It is not safe for
// concurrent use.
type encoder struct {
	names  naming
	common []label // labels of all series
	host   string  // label for Block.Host; empty: none

	run      uint64
	time     int64 // of the run, in milliseconds since 1970
	families map[*sink.Metric]*family
	named    map[string]*sink.Metric // first metric with this name on the wire
	family   *family                 // of the last series
	before   family                  // predecessor of the first family of a run
	block    block
	loose    loose
	labels   []byte // scratch: labels of a series

	version Version
	request uint64 // incremented per request, to invalidate caches
	symbols symbols
	series  []byte
	out     []byte
}

func newEncoder(c Config) *encoder {
	e := &encoder{
		names:    naming{utf8: c.UTF8Names},
		families: map[*sink.Metric]*family{},
		named:    map[string]*sink.Metric{},
		symbols:  symbols{refs: map[string]uint32{}},
	}
	if c.HostLabel != NoHost {
		e.host = e.names.label(c.HostLabel)
	}
	e.common, _ = unify(e.names.appendTags(nil, c.Tags, rankConfig))
	return e
}

// beginRun starts a run. All its samples have the same time.
func (e *encoder) beginRun(t time.Time) {
	e.run++
	e.time = t.UnixMilli()
	e.family = &e.before
}

// beginRequest starts an empty request.
func (e *encoder) beginRequest(version Version) {
	e.version = version
	e.request++
	e.series = e.series[:0]
	e.symbols.reset()
}

// forget drops references to the strings of the last run, so that they can be freed.
func (e *encoder) forget() {
	e.symbols.reset()
	e.block.forget()
	e.loose.forget()
}

// size returns the length of the message.
func (e *encoder) size() int {
	if e.version == V1 {
		return len(e.series)
	}
	return len(e.symbols.encoded) + len(e.series)
}

// Upper bounds for a series and a label.
const (
	boundSeries = 100 // without its labels: tags, lengths and the sample
	boundLabel  = 24  // without its strings: tags, lengths and references
	longest     = 3   // an invalid byte is replaced by three bytes
)

// bound returns an upper bound of how much the message grows when s is added.
func (e *encoder) bound(s *sink.Series) int {
	e.enter(s)
	n := boundSeries + e.block.bound + e.family.bound
	for i := range s.Tags {
		n += boundLabel + longest*(len(s.Tags[i].Key)+len(s.Tags[i].Value))
	}
	return n
}

// clash returns the metric, if any, that was sent before and has the same name on the
// wire as the metric of s: a request must not have two samples of one series.
func (e *encoder) clash(s *sink.Series) *sink.Metric {
	e.enter(s)
	return e.family.clash
}

// add appends a series to the request. An ended series gets a stale marker instead of
// its value, and is a millisecond older.
func (e *encoder) add(s *sink.Series, ended bool) {
	e.enter(s)
	f, tags := e.family, s.Tags
	if !f.fits(tags) {
		f.arrange(&e.names, tags)
	}
	slots := f.slots
	if f.loose {
		slots = e.loose.arrange(f, tags)
	}
	if e.version == V2 && (f.request != e.request || f.loose) {
		f.request = e.request
		f.metadata = appendMetadata2(f.metadata[:0], f.counter, e.symbols.ref(f.help), e.symbols.ref(f.unit))
		for i := range slots {
			slots[i].ref = e.symbols.ref(slots[i].name)
		}
	}
	if e.block.request != e.request {
		e.encodeBlock()
	}
	e.appendLabels(slots, tags)

	bits, time := math.Float64bits(s.Value), e.time
	if ended {
		bits, time = staleMarker, e.time-1
	}
	if e.version == V1 {
		e.series = appendSeries1(e.series, e.labels, bits, time)
	} else {
		e.series = appendSeries2(e.series, e.labels, f.metadata, bits, time, e.start(s, ended))
	}
}

// start returns when the counter s started; 0 if unknown or meaningless.
func (e *encoder) start(s *sink.Series, ended bool) int64 {
	if s.Metric.Type != sink.Counter || ended || s.Start >= e.time {
		return 0
	}
	return s.Start
}

// message returns the request. It is valid until the next method call.
func (e *encoder) message() []byte {
	if e.version == V1 {
		return e.series
	}
	e.out = append(append(e.out[:0], e.symbols.encoded...), e.series...)
	return e.out
}

// metadata calls put with version 1 requests of metadata: of those metrics of the run
// whose metadata was last sent at least interval ago. Each request has at most size
// bytes, unless a single metric needs more, and is valid until put returns.
func (e *encoder) metadata(interval time.Duration, size int, put func(request []byte)) {
	var due []*family
	for _, f := range e.families {
		if f.run == e.run && (f.metadataSent == 0 || e.time-f.metadataSent >= interval.Milliseconds()) {
			f.metadataSent = e.time
			due = append(due, f)
		}
	}
	slices.SortFunc(due, func(a, b *family) int { return strings.Compare(a.name, b.name) })
	e.out = e.out[:0]
	for _, f := range due {
		before := len(e.out)
		e.out = appendMetadata1(e.out, f)
		if len(e.out) > size && before > 0 {
			put(e.out[:before])
			e.out = append(e.out[:0], e.out[before:]...)
		}
	}
	if len(e.out) > 0 {
		put(e.out)
	}
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
			f = newFamily(&e.names, s.Metric)
			if first := e.named[f.name]; first == nil {
				e.named[f.name] = s.Metric
			} else if first.Name != s.Metric.Name {
				f.clash = first
			}
			e.families[s.Metric] = f
		}
		e.family.next = f
	}
	e.family = f
	f.run = e.run
}

// appendLabels sets e.labels to the sorted labels of the block and the slots. Labels of
// slots replace others of the same name.
func (e *encoder) appendLabels(slots []slot, tags []sink.Tag) {
	b, from, dst := &e.block, 0, e.labels[:0]
	for i := range slots {
		s := &slots[i]
		if s.shape != b.shape {
			s.shape = b.shape
			s.from, s.to = b.find(s.name)
		}
		dst = append(dst, b.encoded[b.starts[from]:b.starts[s.from]]...)
		from = s.to
		value := s.value
		if s.tag >= 0 {
			value = tags[s.tag].Value
		}
		switch {
		case value == "":
		case e.version == V1:
			dst = appendLabel1(dst, s.name, protobuf.Valid(value))
		default:
			dst = appendRefs2(dst, s.ref, e.symbols.ref(value))
		}
	}
	e.labels = append(dst, b.encoded[b.starts[from]:]...)
}
