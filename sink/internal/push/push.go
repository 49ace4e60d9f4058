// Package push buffers the requests of a sink and sends them: a queue of bounded size,
// and one goroutine that sends payloads in order and retries while the receiver is
// down. It does not know what a request contains or how it is sent.
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

// Payload is an encoded request. Once it is put into a Queue, it belongs to the Queue
// and must not be modified.
type Payload struct {
	Body   []byte
	Series int   // number of series in Body
	Kind   uint8 // for Config.Send; the Queue ignores it
	// Expires is when the receiver stops accepting the payload, which is then dropped.
	// Zero means never.
	Expires time.Time
}

// Result is the outcome of an attempt to send a Payload. The zero Result means that the
// receiver accepted all of it.
type Result struct {
	// Err is the error, without secrets: it is logged and returned.
	Err error
	// Retry means that nothing was accepted and that a retry may succeed.
	Retry bool
	// RetryAfter is how long the receiver asks to wait before the retry.
	RetryAfter time.Duration
	// Rejected is the number of series that the receiver rejected permanently, or All.
	// It is ignored if Retry is set.
	Rejected int
}

// All means every series of the Payload, as the value of Result.Rejected.
const All = -1

// MaxRetryAfter bounds Result.RetryAfter, so that a bogus Retry-After cannot stall the
// sink.
const MaxRetryAfter = time.Hour

// Config configures a Queue. A zero field means its default.
type Config struct {
	// Send makes one attempt. Calls are not concurrent. It must return soon after ctx
	// ends, which happens after Timeout at the latest.
	Send     func(ctx context.Context, p Payload) Result
	Buffer   int           // maximum bytes of waiting payloads; default 32 MiB
	Timeout  time.Duration // per attempt; default 30 s
	Attempts int           // maximum per payload; default: limited only by Buffer
	Name     string        // of the sink, for errors and logs
	Logger   *slog.Logger  // default slog.Default()
}

const defaultBuffer = 32 << 20

// NewConfig returns the Config of a sink, without Send.
func NewConfig(name string, c sink.Connection) Config {
	return Config{Buffer: c.Buffer, Timeout: c.Timeout, Attempts: c.Attempts, Logger: c.Logger, Name: name}
}

// Check returns everything that is wrong with the settings of a user. most is the
// maximum size of a payload in bytes, from the named field.
func (c *Config) Check(field string, most int) error {
	errs := []error{NotNegative("Buffer", c.Buffer), NotNegative("Timeout", c.Timeout), NotNegative("Attempts", c.Attempts)}
	if buffer := cmp.Or(c.Buffer, defaultBuffer); buffer > 0 && buffer < most {
		errs = append(errs, fmt.Errorf("buffer of %d bytes: must hold at least one request, %s %d", buffer, field, most))
	}
	return errors.Join(errs...)
}

// NotNegative returns an error if the value of a Config field is negative.
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
