package agent

import (
	"context"
	"log/slog"
	"time"

	"github.com/kubestate/kubestate/sink"
)

// Receiver is a sink and how it is served.
type Receiver struct {
	Name string
	Sink sink.Sink
	// Interval is the time from run to run; 0: 15 seconds.
	Interval time.Duration
	// Heartbeat sends what changed at each Interval, and everything only once in this
	// time. 0: everything at each Interval.
	Heartbeat time.Duration
}

// SenderConfig says what a Sender drives.
type SenderConfig struct {
	Agent     *Agent
	Receivers []Receiver
	// Ready tells whether there is enough to send; nil is Agent.Synced. Until it is
	// true for the first time nothing is sent.
	Ready func() bool
	// Active tells whether this instance is the one that sends; nil: always.
	Active func() bool
	// CloseTimeout is how long sinks may take to send what they have buffered when
	// Run ends; 0: 5 seconds.
	CloseTimeout time.Duration
	Logger       *slog.Logger // nil: slog.Default
}

// Sender sends runs of an Agent to sinks, each at its own pace: a slow sink skips
// runs and holds up no other.
type Sender struct{}

// NewSender returns a Sender. The sinks are closed when Run or Once returns.
func NewSender(c SenderConfig) (*Sender, error) { return &Sender{}, nil }

// Run sends until ctx ends, then closes the sinks.
func (s *Sender) Run(ctx context.Context) {}

// Once waits until Ready, sends one run to each sink and closes them. The error
// is all that went wrong.
func (s *Sender) Once(ctx context.Context) error { return nil }

// ReceiverStats counts what became of runs since the start.
type ReceiverStats struct {
	Name     string
	Runs     uint64        // sent whole, or handed to the sink's buffer
	Failed   uint64        // about which the sink returned an error
	Skipped  uint64        // left out because the run before was not yet sent
	Series   int           // in the last run
	Duration time.Duration // of the last run
	LastSent time.Time     // when the last run ended that did not fail
	Sink     sink.Stats
}

// Stats returns the counts of each receiver, in their order.
func (s *Sender) Stats() []ReceiverStats { return nil }
