// Package sink defines what the agent passes to outputs: series, and the Sink interface
// that each protocol implements in a package of its own below this one. It does not
// know about Kubernetes, kinds or how series are computed.
package sink

import (
	"context"
	"iter"
	"strings"
	"time"
)

// Type says how to interpret the values of a metric.
type Type uint8

// Metric types. Values are cumulative or current, never deltas.
const (
	Gauge   Type = iota // current value
	Counter             // total that only grows, from Series.Start on
	UpDown              // current sum that may fall: an additive gauge (OpenTelemetry's UpDownCounter)
)

// Metric is what all series of a name share. There is one pointer per metric for the
// lifetime of the program, so a Sink may use it as a cache key.
type Metric struct {
	Name string
	Type Type
	Unit string // in UCUM, such as "By", "s" or "{pod}"; empty: unknown
	Help string
}

// Tag is a label of a series. Depending on the protocol it is sent as key:value, as a
// label or as an attribute.
type Tag struct{ Key, Value string }

// Compare orders tags by key, then by value.
func (t Tag) Compare(other Tag) int {
	if c := strings.Compare(t.Key, other.Key); c != 0 {
		return c
	}
	return strings.Compare(t.Value, other.Value)
}

// Block is what the series of an object share. It is immutable, and the series of a
// Block are adjacent, so that a Sink can encode it once and reuse the result while the
// pointer stays the same.
type Block struct {
	Host     string // the host of the series; empty: none
	Resource []Tag  // attributes of the entity, for naming schemes with entities (OpenTelemetry); other protocols send them as tags
	Tags     []Tag  // sorted by Tag.Compare; keys may repeat
}

// Series is one value. It is valid only until the next iteration; what it points to is
// immutable.
type Series struct {
	Metric *Metric
	Block  *Block // never nil
	Tags   []Tag  // in addition to those of Block, in the same order
	Value  float64
	Start  int64 // of a Counter: when it started, in milliseconds since 1970; 0: unknown
}

// Status is the result of a Check.
type Status uint8

// Statuses of Datadog service checks, numbered as on the wire.
const (
	OK Status = iota
	Warning
	Critical
	Unknown
)

// Check is a Datadog service check. It is valid only until the next iteration.
type Check struct {
	Name    string
	Status  Status
	Message string
	Block   *Block // never nil
	Tags    []Tag
}

// Run is one flush of the agent: an immutable snapshot, so that a slow sink delays
// nobody. Sequences may be iterated more than once; none is nil.
type Run struct {
	Time    time.Time
	Changes bool // Series has only changes
	// Series are all series or, if Changes is set, those that are new or whose value
	// changed.
	Series iter.Seq[*Series]
	Checks iter.Seq[*Check]
	// Ended are the series that went stale since the last Run passed to this Sink,
	// whether or not that Run was sent. Their values are meaningless. When the tags of
	// a series change, the old series is in Ended and the new one in Series. If they
	// differ only in tags that a Sink does not send, the Sink sees the same series in
	// both; the series continues.
	Ended iter.Seq[*Series]
}

// A Sink sends runs to one receiver.
//
// Send, Yield and Close must not be called concurrently; Stats may be called at any
// time, also after Close. Sinks are independent: if each has its own goroutine, a slow
// or unavailable receiver does not delay others.
type Sink interface {
	// Send returns when the run is sent or in the bounded buffer of the Sink. It blocks
	// while the receiver accepts data, and may wait for an unavailable receiver until
	// ctx ends, but no longer: the caller sets a deadline before the next run. Buffered
	// data is sent later, before that of the next run.
	//
	//
	// An error reports what was rejected or lost since the last Send, or that data is
	// still buffered. It is informational: the Sink retries by itself.
	Send(ctx context.Context, r *Run) error
	// Yield reports that another instance sends to the receiver from now on. Buffered
	// data without a timestamp on the wire is dropped, since it would overwrite newer
	// values of the other instance; data with a timestamp is still sent. Send may be
	// called again later.
	Yield()
	// Stats returns the counts since the start.
	Stats() Stats
	// Close sends what is buffered until ctx ends, and frees all resources. An error
	// reports what was lost. Series are not marked as stale, because another instance
	// may continue them. Send after Close returns an error; Close may be called twice.
	Close(ctx context.Context) error
}

// Stats counts series and payloads since the start. Service checks and stale markers
// count as series, in protocols that have them. Each is counted once, as accepted,
// rejected or dropped.
type Stats struct {
	Series   uint64 // sent and accepted, as far as the protocol tells
	Payloads uint64 // requests or datagrams accepted, at least in part
	Bytes    uint64 // of accepted payloads on the wire, without protocol headers
	Rejected uint64 // series that the receiver rejected permanently
	Dropped  uint64 // series lost: the buffer was full, the protocol cannot express them, or attempts were exhausted
	Retries  uint64 // repeated attempts to send a payload
	Buffered uint64 // payloads in the buffer now, including those being sent
}
