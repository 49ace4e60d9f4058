// Package sink is the vocabulary between the agent, which says what the series of
// a cluster are, and those that send them somewhere: one package below this for
// each protocol. It does not know Kubernetes, kinds and how series come about.
package sink

import (
	"context"
	"iter"
	"strings"
	"time"
)

// Type is how the values of a metric are to be read.
type Type uint8

// The types there are. All values are cumulative or current, never deltas.
const (
	Gauge   Type = iota // a current value
	Counter             // a total that only grows, from Series.Start on
	UpDown              // a current sum that may fall: an additive gauge
)

// Metric is what all series of one name have in common. One metric is one
// pointer for as long as the program runs, so that a Sink may use the pointer to
// find what it has encoded before.
type Metric struct {
	Name string
	Type Type
	Unit string // as UCUM has it, for example "By", "s", "{pod}"; empty where unknown
	Help string
}

// Tag is a label of a series. Protocols write it as key:value, as a label or as
// an attribute.
type Tag struct{ Key, Value string }

// Compare orders tags as those of a Block: by key, then by value.
func (t Tag) Compare(other Tag) int {
	if c := strings.Compare(t.Key, other.Key); c != 0 {
		return c
	}
	return strings.Compare(t.Value, other.Value)
}

// Block is what the series of one object share. A Block never changes once it was
// handed out, and the series of one Block follow one another, so that a Sink
// encodes it once and reuses the result while the pointer stays the same.
type Block struct {
	Host     string // the host that the series belong to; empty: none
	Resource []Tag  // attributes of the entity, where the names know entities (OpenTelemetry); elsewhere sent as tags
	Tags     []Tag  // ascending, as Tag.Compare has it; a key may occur more than once
}

// Series is one value. It is valid until the iteration goes on; what it refers to
// does not change.
type Series struct {
	Metric *Metric
	Block  *Block // never nil
	Tags   []Tag  // its own, beside those of Block; ordered as those
	Value  float64
	Start  int64 // of a Counter: when it began, milliseconds since 1970; 0: not known
}

// Status is the result of a Check.
type Status uint8

// The statuses of Datadog's service checks, with the numbers on the wire.
const (
	OK Status = iota
	Warning
	Critical
	Unknown
)

// Check is a service check. It is valid until the iteration goes on.
type Check struct {
	Name    string
	Status  Status
	Message string
	Block   *Block // never nil
	Tags    []Tag
}

// Run is what there is to send at one moment: a snapshot that does not change, so
// that slow sinks hold nobody up. Each sequence may be read more than once; none
// is nil.
type Run struct {
	Time    time.Time
	Changes bool // this is a run of changes
	// Series are all there are or, in a run of changes, those that are new or have
	// another value; the others are as they were.
	Series iter.Seq[*Series]
	Checks iter.Seq[*Check]
	// Ended are the series that the same Sink had in earlier runs and that are gone
	// since the one before, whatever became of those runs. Their values mean nothing.
	// A series whose tags change ends, and begins anew with others. If they differ
	// only in what a Sink does not send, that Sink finds the same series here and
	// among Series: for its receiver it goes on.
	Ended iter.Seq[*Series]
}

// A Sink sends runs to one receiver.
//
// Send, Yield and Close are called by one goroutine at a time; Stats by any, also
// after Close. A Sink stands for itself: one whose receiver is slow or away takes no
// time from others as long as each is driven by a goroutine of its own.
type Sink interface {
	// Send returns when the run is sent, or is in the Sink's buffer, whose size is
	// bounded. It waits while the receiver takes what it gets, and may wait for one
	// that is away as long as ctx lasts, but no longer: the caller sets a deadline
	// before the time of the next run. What then is in the buffer is sent later,
	// before that of the next run.
	//
	// An error says what was refused or lost since the Send before, or that something
	// waits in the buffer. It does not ask for anything: what can be sent again the Sink
	// sends again by itself.
	Send(ctx context.Context, r *Run) error
	// Yield says that from now on another instance sends to the receiver. What waits in
	// the buffer and does not say on the wire of what time it is, is dropped: it would
	// replace newer values of the other. What does say so is sent as before. Send may
	// be called later again.
	Yield()
	// Stats returns what became of everything so far.
	Stats() Stats
	// Close sends what is buffered until ctx ends, and frees everything. An error
	// says what was lost. Nothing marks series as ended: another instance may go on
	// with them. Send after Close returns an error, Close after Close does nothing.
	Close(ctx context.Context) error
}

// Stats counts what became of series and payloads since the start. Checks count
// as series, and so do the marks of those that have ended, where a protocol has
// such things. Each is counted once: as accepted, rejected or dropped, when its
// fate is known.
type Stats struct {
	Series   uint64 // sent and accepted, as far as the protocol tells
	Payloads uint64 // requests or datagrams that were accepted, at least in part
	Bytes    uint64 // of these on the wire, without protocol headers
	Rejected uint64 // series that the receiver refused for good
	Dropped  uint64 // series given up: no room in the buffer, no place in the protocol, or retried too often
	Retries  uint64 // attempts to send a payload again
	Buffered uint64 // payloads that wait now, those being sent among them
}
