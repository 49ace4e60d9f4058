// Package push is what sinks have in common that send requests to a receiver and
// learn what became of them: a buffer of bounded size, and one goroutine that
// sends what is in it, in order, and again while the receiver is away. It refuses
// to know what is in a request and how it is sent.
package push

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/kubestate/kubestate/sink"
)

// Payload is a request that waits to be sent. It belongs to the Queue once it is
// put there, and is not changed.
type Payload struct {
	Body   []byte
	Series int   // in it
	Kind   uint8 // for Config.Send; the Queue does not look at it
	// Expires is when the receiver would take it no longer: from then on it is dropped.
	// Zero: never.
	Expires time.Time
}

// Result is what became of an attempt to send a Payload. The zero Result means
// that the receiver has taken all of it.
type Result struct {
	// Err is what went wrong, without secrets: it is logged and returned.
	Err error
	// Retry means that nothing was taken and that another attempt may succeed.
	Retry bool
	// RetryAfter is how long the receiver asks to be left alone before that.
	RetryAfter time.Duration
	// Rejected is how many series the receiver refused for good, or All. It does
	// not count if Retry is set.
	Rejected int
}

// All as Result.Rejected means every series of the Payload.
const All = -1

// MaxRetryAfter bounds Result.RetryAfter, lest a slip of a receiver silences us for
// years.
const MaxRetryAfter = time.Hour

// Config says how to send. The zero value of a field takes the default.
type Config struct {
	// Send is one attempt, made by one goroutine at a time. It returns soon after
	// ctx ends, which is after Timeout at the latest.
	Send     func(ctx context.Context, p Payload) Result
	Buffer   int           // bytes of payloads that may wait; default 32 MiB
	Timeout  time.Duration // of one attempt; default 30 s
	Attempts int           // to send a payload; default: no limit but that of Buffer
	Name     string        // of the sink, for errors and the log
	Logger   *slog.Logger  // default slog.Default()
}

const defaultBuffer = 32 << 20

// NewConfig returns the Config, without Send, of a sink.
func NewConfig(name string, c sink.Connection) Config {
	return Config{Buffer: c.Buffer, Timeout: c.Timeout, Attempts: c.Attempts, Logger: c.Logger, Name: name}
}

// Check returns everything that is wrong with what users set. A field of theirs says
// how many bytes a payload has at most.
func (c *Config) Check(field string, most int) error {
	errs := []error{NotNegative("Buffer", c.Buffer), NotNegative("Timeout", c.Timeout), NotNegative("Attempts", c.Attempts)}
	if buffer := cmp.Or(c.Buffer, defaultBuffer); buffer > 0 && buffer < most {
		errs = append(errs, fmt.Errorf("buffer of %d bytes: must hold at least one request, %s %d", buffer, field, most))
	}
	return errors.Join(errs...)
}

// NotNegative returns what is wrong with the field of a Config, if it is negative.
func NotNegative[N int | time.Duration](field string, value N) error {
	if value < 0 {
		return fmt.Errorf("%s %v: must not be negative", field, value)
	}
	return nil
}

func (c *Config) fillDefaults() {
	c.Buffer = cmp.Or(c.Buffer, defaultBuffer)
	c.Timeout = cmp.Or(c.Timeout, 30*time.Second)
	c.Logger = cmp.Or(c.Logger, slog.Default())
}
