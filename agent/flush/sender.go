// Package flush schedules the flushes of an Agent: each output has its own interval, a slow
// sink skips flushes without delaying others, and series that a sink lost are sent again. It
// does not know how series are made, or how a sink sends them.
package flush

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/sink"
)

// Output is a sink and its schedule.
type Output struct {
	Name string
	Sink sink.Sink
	// Interval is the flush interval; 0 means DefaultInterval.
	Interval time.Duration
	// Heartbeat is the interval of full flushes; flushes in between send only changes. 0
	// means that every flush is full.
	Heartbeat time.Duration
}

// DefaultInterval is the default flush interval.
const DefaultInterval = 15 * time.Second

// defaultCloseTimeout is the default of Config.CloseTimeout.
const defaultCloseTimeout = 5 * time.Second

// closeGrace is how long a sink may take after the close timeout to report what it lost.
const closeGrace = time.Second

// Config configures a Sender.
type Config struct {
	Agent   *agent.Agent
	Outputs []Output
	// Ready waits until sending may start, and returns an error if ctx ends first; nil
	// means Agent.WaitSynced.
	Ready func(ctx context.Context) error
	// Lead waits until this instance is the leader, and returns a context that ends with ctx
	// or when leadership is lost; nil means that it always leads. Ready is called first. When
	// leadership is lost, an ongoing flush is canceled, sinks yield, and the series sent so
	// far do not become stale later. The next term starts with a full flush.
	Lead func(ctx context.Context) (context.Context, error)
	// CloseTimeout is how long sinks may take to send what they have buffered when Run
	// ends; 0 means 5 seconds.
	CloseTimeout time.Duration
	Logger       *slog.Logger // nil: slog.Default
}

// Sender flushes an Agent to sinks, each at its own pace: a slow sink skips flushes without
// delaying others.
type Sender struct {
	config  Config
	outputs []*output
}

// output is the running state of an Output.
type output struct {
	Output
	sender     *Sender
	reader     *agent.Reader
	everything time.Time // of the last full flush; zero: the next one is full
	again      bool      // the next flush is full, because series were lost
	lost       uint64    // series lost up to the end of the last flush
	lastError  string    // without digits

	mu    sync.Mutex
	stats Stats
}

// Stats counts the flushes of an output since the start.
type Stats struct {
	Name     string
	Runs     uint64        // flushes sent, including failed ones
	Failed   uint64        // flushes for which the sink returned an error
	Skipped  uint64        // flushes skipped because the previous one took too long
	Series   int           // in the last flush
	Duration time.Duration // of the last flush
	LastSent time.Time     // start of the last successful flush
	Sink     sink.Stats
}

// New returns a Sender. The error lists all problems of the configuration.
func New(c Config) (*Sender, error) {
	var errs []error
	if c.Agent == nil {
		errs = append(errs, errors.New("no agent"))
	}
	if len(c.Outputs) == 0 {
		errs = append(errs, errors.New("no outputs"))
	}
	names := map[string]bool{}
	for i := range c.Outputs {
		r := &c.Outputs[i]
		switch {
		case r.Sink == nil:
			errs = append(errs, fmt.Errorf("output %q: no sink", r.Name))
		case names[r.Name]:
			errs = append(errs, fmt.Errorf("duplicate output %q", r.Name))
		case r.Interval < 0 || r.Heartbeat < 0:
			errs = append(errs, fmt.Errorf("output %q: invalid interval %v or heartbeat %v: must not be negative", r.Name, r.Interval, r.Heartbeat))
		}
		names[r.Name] = true
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	s := &Sender{config: c}
	s.complete()
	for _, r := range c.Outputs {
		if r.Interval == 0 {
			r.Interval = DefaultInterval
		}
		s.outputs = append(s.outputs, &output{Output: r, sender: s, reader: c.Agent.NewReader(), stats: Stats{Name: r.Name}})
	}
	return s, nil
}

// complete sets the defaults of the configuration.
func (s *Sender) complete() {
	c := &s.config
	if c.Ready == nil {
		c.Ready = c.Agent.WaitSynced
	}
	if c.Lead == nil {
		c.Lead = func(ctx context.Context) (context.Context, error) { return ctx, nil }
	}
	if c.CloseTimeout == 0 {
		c.CloseTimeout = defaultCloseTimeout
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
}

// Run sends until ctx ends, then closes the sinks. It returns when they are closed, but no
// later than a second after CloseTimeout: a sink that does not return is abandoned.
func (s *Sender) Run(ctx context.Context) {
	s.each(ctx, func(r *output) {
		r.loop(ctx)
		if err := r.close(); err != nil {
			s.config.Logger.Error("failed to close sink", "sink", r.Name, "err", err)
		}
	})
}

// Once waits for Ready, flushes once to each sink, until ctx ends, and closes the sinks. It
// returns all errors.
func (s *Sender) Once(ctx context.Context) error {
	errs := make([]error, len(s.outputs))
	index := map[*output]int{}
	for i, r := range s.outputs {
		index[r] = i
	}
	done := s.each(ctx, func(r *output) {
		err := s.config.Ready(ctx)
		switch {
		case err == nil:
			err = r.send(ctx)
		case ctx.Err() != nil:
			err = nil // the error below
		}
		errs[index[r]] = errors.Join(err, r.close())
	})
	if !done { // the others may still write to errs
		return fmt.Errorf("send: sinks not closed within %v", s.config.CloseTimeout)
	}
	return errors.Join(append(errs, context.Cause(ctx))...)
}

// each runs f, which must close the sink, concurrently for all outputs. It reports whether
// all calls returned in time.
func (s *Sender) each(ctx context.Context, f func(*output)) bool {
	var all sync.WaitGroup
	for _, r := range s.outputs {
		all.Go(func() { f(r) })
	}
	ended := make(chan struct{})
	go func() {
		all.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return true
	case <-ctx.Done():
	}
	late := time.NewTimer(s.config.CloseTimeout + closeGrace)
	defer late.Stop()
	select {
	case <-ended:
		return true
	case <-late.C:
		s.config.Logger.Error("timed out closing sinks; buffered data is lost", "timeout", s.config.CloseTimeout)
		return false
	}
}

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// loop sends whenever this instance is the leader.
func (r *output) loop(ctx context.Context) {
	if r.sender.config.Ready(ctx) != nil {
		return
	}
	for {
		leading, err := r.sender.config.Lead(ctx)
		if err != nil {
			return
		}
		r.sendPeriodically(leading)
		if ctx.Err() != nil {
			return
		}
		r.yield()
	}
}

// sendPeriodically flushes at fixed times, counted from the first, until leading ends: how
// long a flush takes does not delay the next one.
func (r *output) sendPeriodically(leading context.Context) {
	for next := time.Now(); leading.Err() == nil; {
		r.sendInTime(leading)
		now, missed := time.Now(), uint64(0)
		for next = next.Add(r.Interval); !next.After(now); next = next.Add(r.Interval) {
			missed++
		}
		r.count(func(s *Stats) { s.Skipped += missed })
		sleep(leading, next.Sub(now))
	}
}

// yield hands the receiver over to another instance.
func (r *output) yield() {
	r.Sink.Yield()
	r.reader.Reset()
	r.everything = time.Time{}
}

// sendInTime flushes once, with a deadline shortly before the next flush is due. Errors after
// leading has ended are not reported.
func (r *output) sendInTime(leading context.Context) {
	ctx, cancel := context.WithTimeout(leading, r.Interval-r.Interval/20)
	defer cancel()
	if err := r.send(ctx); leading.Err() == nil {
		r.report(err)
	}
}

// send flushes once.
func (r *output) send(ctx context.Context) error {
	start := time.Now()
	err := r.Sink.Send(ctx, r.run(start))
	series := r.sender.config.Agent.Stats().Series
	r.count(func(s *Stats) {
		s.Runs++
		s.Series, s.Duration = series, time.Since(start)
		if err != nil {
			s.Failed++
		} else {
			s.LastSent = start
		}
	})
	// Lost series are sent again with the next flush, not the next heartbeat, unless they
	// were lost twice with an empty buffer: then the receiver never takes them. Series that
	// wait in the buffer are not lost.
	stats := r.Sink.Stats()
	lost := stats.Dropped + stats.Rejected
	r.again = err != nil && lost > r.lost && (stats.Buffered > 0 || !r.again)
	r.lost = lost
	if err != nil {
		return fmt.Errorf("send to %s: %w", r.Name, err)
	}
	return nil
}

// run returns the changes, or everything if a full flush is due.
func (r *output) run(now time.Time) *sink.Run {
	// Flushes are not on time to the millisecond.
	if r.Heartbeat > 0 && !r.again && now.Sub(r.everything) < r.Heartbeat-r.Interval/2 {
		return r.reader.Changes(now)
	}
	r.everything = now
	return r.reader.Run(now)
}

// report logs an error once until it changes. Numbers are ignored, since they grow while a
// receiver is down.
func (r *output) report(err error) {
	text := ""
	if err != nil {
		text = strings.Map(withoutDigits, err.Error())
	}
	switch {
	case text == r.lastError:
	case err != nil:
		r.sender.config.Logger.Error("failed to send", "sink", r.Name, "err", err)
	default:
		r.sender.config.Logger.Info("sending resumed", "sink", r.Name)
	}
	r.lastError = text
}

func withoutDigits(c rune) rune {
	if c >= '0' && c <= '9' {
		return -1
	}
	return c
}

func (r *output) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), r.sender.config.CloseTimeout)
	defer cancel()
	if err := r.Sink.Close(ctx); err != nil {
		return fmt.Errorf("close %s: %w", r.Name, err)
	}
	return nil
}

func (r *output) count(f func(*Stats)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(&r.stats)
}

// Stats returns the counts of each output, in order.
func (s *Sender) Stats() []Stats {
	all := make([]Stats, len(s.outputs))
	for i, r := range s.outputs {
		r.count(func(s *Stats) { all[i] = *s })
		all[i].Sink = r.Sink.Stats()
	}
	return all
}
