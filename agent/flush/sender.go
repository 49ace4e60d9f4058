// Package flush decides when the series of an Agent go to which sink: each output has
// its own interval, a slow sink skips flushes and delays no other, and what a sink lost is
// sent again. It does not know how series come about and how a sink sends them.
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

// Output is a sink and how it is served.
type Output struct {
	Name string
	Sink sink.Sink
	// Interval is the time from run to run; 0: DefaultInterval.
	Interval time.Duration
	// Heartbeat sends what changed at each Interval, and everything only once in this
	// time. 0: everything at each Interval.
	Heartbeat time.Duration
}

// DefaultInterval is the time from run to run where none is given.
const DefaultInterval = 15 * time.Second

// defaultCloseTimeout is how long sinks may take to end where nothing is said.
const defaultCloseTimeout = 5 * time.Second

// closeGrace is how long a sink whose time to close is over may take to say what
// is lost.
const closeGrace = time.Second

// Config says what a Sender drives.
type Config struct {
	Agent   *agent.Agent
	Outputs []Output
	// Ready waits until there is enough to send, and returns an error if ctx ends first.
	// nil: Agent.WaitSynced.
	Ready func(ctx context.Context) error
	// Lead waits until this instance is the one that sends, and returns a context that ends
	// with ctx and when this instance no longer is; nil: it always is. Ready is called first.
	// When the context ends, a run under way ends, sinks yield, and no series count as ended
	// later. The next context begins with a whole run.
	Lead func(ctx context.Context) (context.Context, error)
	// CloseTimeout is how long sinks may take to send what they have buffered when
	// Run ends; 0: 5 seconds.
	CloseTimeout time.Duration
	Logger       *slog.Logger // nil: slog.Default
}

// Sender sends runs of an Agent to sinks, each at its own pace: a slow sink skips
// runs and holds up no other.
type Sender struct {
	config  Config
	outputs []*output
}

// output is a Receiver at work.
type output struct {
	Output
	sender     *Sender
	reader     *agent.Reader
	everything time.Time // when everything was sent last; zero: it must be sent next
	again      bool      // everything must be sent next, because something was lost
	lost       uint64    // series that were lost until the last run ended
	lastError  string    // without its numbers

	mu    sync.Mutex
	stats Stats
}

// Stats counts what became of runs since the start.
type Stats struct {
	Name     string
	Runs     uint64        // sent whole, or handed to the sink's buffer
	Failed   uint64        // about which the sink returned an error
	Skipped  uint64        // left out because the run before was not yet sent
	Series   int           // that there were in the last run
	Duration time.Duration // of the last run
	LastSent time.Time     // when the last run began that did not fail
	Sink     sink.Stats
}

// New returns a Sender. The error names everything that is wrong.
func New(c Config) (*Sender, error) {
	var errs []error
	if c.Agent == nil {
		errs = append(errs, errors.New("sender: has no agent"))
	}
	if len(c.Outputs) == 0 {
		errs = append(errs, errors.New("sender: has no receivers"))
	}
	names := map[string]bool{}
	for i := range c.Outputs {
		r := &c.Outputs[i]
		switch {
		case r.Sink == nil:
			errs = append(errs, fmt.Errorf("receiver %q: has no sink", r.Name))
		case names[r.Name]:
			errs = append(errs, fmt.Errorf("receiver %q: there are two of this name", r.Name))
		case r.Interval < 0 || r.Heartbeat < 0:
			errs = append(errs, fmt.Errorf("receiver %q: interval %v and heartbeat %v must not be negative", r.Name, r.Interval, r.Heartbeat))
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

// complete fills in what the configuration does not say.
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

// Run sends until ctx ends, then closes the sinks. It returns when they are closed,
// or a second after CloseTimeout at the latest: a sink that does not come back is
// left behind.
func (s *Sender) Run(ctx context.Context) {
	s.each(ctx, func(r *output) {
		r.loop(ctx)
		if err := r.close(); err != nil {
			s.config.Logger.Error("closing a sink fails", "sink", r.Name, "err", err)
		}
	})
}

// Once waits until Ready, sends one run to each sink, which has time until ctx
// ends, and closes them. The error is all that went wrong.
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
		return fmt.Errorf("send: sinks did not end within %v", s.config.CloseTimeout)
	}
	return errors.Join(append(errs, context.Cause(ctx))...)
}

// each runs f, which closes the sink in the end, for all receivers at the same time.
// It reports whether all have ended.
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
		s.config.Logger.Error("sinks did not end in time; what they had buffered is lost", "timeout", s.config.CloseTimeout)
		return false
	}
}

// sleep waits until the time is over or ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// loop sends while this instance is the one that sends.
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

// sendPeriodically sends runs at fixed times until leading ends, counted from the first:
// how long one takes does not move the next.
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

// yield leaves the receiver to another instance.
func (r *output) yield() {
	r.Sink.Yield()
	r.reader.Reset()
	r.everything = time.Time{}
}

// sendInTime sends one run, for which the sink has time until shortly before the
// next is due. What fails because leading has ended is not reported.
func (r *output) sendInTime(leading context.Context) {
	ctx, cancel := context.WithTimeout(leading, r.Interval-r.Interval/20)
	defer cancel()
	if err := r.send(ctx); leading.Err() == nil {
		r.report(err)
	}
}

// send sends one run.
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
	// What is lost must not stay so until the next heartbeat, unless it is lost a second
	// time though nothing waits: then it is no matter of time. What only waits is not lost.
	stats := r.Sink.Stats()
	lost := stats.Dropped + stats.Rejected
	r.again = err != nil && lost > r.lost && (stats.Buffered > 0 || !r.again)
	r.lost = lost
	if err != nil {
		return fmt.Errorf("send to %s: %w", r.Name, err)
	}
	return nil
}

// run returns what is to be sent now.
func (r *output) run(now time.Time) *sink.Run {
	// Runs are not at their times to the millisecond.
	if r.Heartbeat > 0 && !r.again && now.Sub(r.everything) < r.Heartbeat-r.Interval/2 {
		return r.reader.Changes(now)
	}
	r.everything = now
	return r.reader.Run(now)
}

// report logs what went wrong, once while it stays the same but for numbers, which
// grow while a receiver is away.
func (r *output) report(err error) {
	text := ""
	if err != nil {
		text = strings.Map(withoutDigits, err.Error())
	}
	switch {
	case text == r.lastError:
	case err != nil:
		r.sender.config.Logger.Error("sending fails", "sink", r.Name, "err", err)
	default:
		r.sender.config.Logger.Info("sending works again", "sink", r.Name)
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

// Stats returns the counts of each receiver, in their order.
func (s *Sender) Stats() []Stats {
	all := make([]Stats, len(s.outputs))
	for i, r := range s.outputs {
		r.count(func(s *Stats) { all[i] = *s })
		all[i].Sink = r.Sink.Stats()
	}
	return all
}
