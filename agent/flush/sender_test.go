package flush_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/flush"
	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/internal/agenttest"
	"github.com/kubestate/kubestate/sink"
)

// recorder is a sink that records what it is sent and when.
type recorder struct {
	takes time.Duration // how long sending takes; less than 0: until ctx ends
	deaf  bool          // ctx does not matter to it
	err   error
	left  error // of Close, once its ctx ends

	mu      sync.Mutex
	start   time.Time
	at      []time.Duration
	series  [][]string
	ended   [][]string
	stats   sink.Stats
	yielded []time.Duration
	closed  int
}

func newRecorder() *recorder { return &recorder{start: time.Now()} }

func (r *recorder) Send(ctx context.Context, run *sink.Run) error {
	r.mu.Lock()
	r.at = append(r.at, time.Since(r.start))
	r.series = append(r.series, agenttest.Series(run.Series))
	r.ended = append(r.ended, agenttest.Series(run.Ended))
	err := r.err
	r.mu.Unlock()
	switch {
	case r.deaf:
		time.Sleep(r.takes)
	case r.takes != 0:
		t := time.NewTimer(r.takes)
		defer t.Stop()
		if r.takes < 0 {
			t.Stop()
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return err
}

func (r *recorder) Stats() sink.Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	stats := r.stats
	stats.Payloads = uint64(len(r.at))
	return stats
}

func (r *recorder) Yield() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.yielded = append(r.yielded, time.Since(r.start))
}

func (r *recorder) Close(ctx context.Context) error {
	if r.left != nil {
		<-ctx.Done()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed++
	return r.left
}

func (r *recorder) times() []time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.at)
}

// fail makes flushes fail from now on, after that many series were lost.
func (r *recorder) fail(err error, lost uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
	r.stats.Dropped += lost
}

func seconds(n ...int) []time.Duration {
	var all []time.Duration
	for _, s := range n {
		all = append(all, time.Duration(s)*time.Second)
	}
	return all
}

func configMaps(t *testing.T) *agenttest.Cluster {
	return agenttest.New(t, agent.Config{Scheme: &naming.Scheme{Rules: []naming.Rule{{Family: "kube_configmap_metadata_resource_version", Metric: "m"}}}})
}

func newSender(t *testing.T, c flush.Config) *flush.Sender {
	t.Helper()
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	s, err := flush.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Each sink is flushed at its own pace, at fixed times. A slow sink skips flushes; neither
// it nor a dead one delays others.
func TestSenderPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fast, slow, dead := newRecorder(), newRecorder(), newRecorder()
		slow.takes, slow.deaf, dead.takes = 25*time.Second, true, -1
		s := newSender(t, flush.Config{Agent: configMaps(t).Agent, Outputs: []flush.Output{
			{Name: "fast", Sink: fast, Interval: 5 * time.Second}, {Name: "slow", Sink: slow, Interval: 10 * time.Second}, {Name: "dead", Sink: dead},
		}})
		ctx, cancel := context.WithTimeout(t.Context(), 61*time.Second)
		defer cancel()
		s.Run(ctx)
		for _, c := range []struct {
			name string
			got  *recorder
			want []time.Duration
		}{
			{"fast", fast, seconds(0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60)},
			{"slow", slow, seconds(0, 30, 60)},
			{"dead", dead, seconds(0, 15, 30, 45, 60)}, // its deadline is the next run
		} {
			if !slices.Equal(c.got.times(), c.want) {
				t.Errorf("%s: sent at %v, want %v", c.name, c.got.times(), c.want)
			}
		}
		stats := s.Stats()
		if x := stats[1]; x.Name != "slow" || x.Skipped != 4 || x.Runs != 2 && x.Runs != 3 {
			t.Errorf("slow: %+v, want 4 skipped", x)
		}
		if x := stats[2]; x.Failed != 5 || x.Runs != 5 || !x.LastSent.IsZero() {
			t.Errorf("dead: %+v, want 5 failed", x)
		}
		if x := stats[0]; x.Runs != 13 || x.Failed != 0 || x.Sink.Payloads != 13 {
			t.Errorf("fast: %+v, want 13 runs", x)
		}
		if fast.closed != 1 || dead.closed != 1 {
			t.Errorf("closed %d and %d times, want once", fast.closed, dead.closed)
		}
		synctest.Wait()
		time.Sleep(time.Minute) // lets what is left behind end
	})
}

// Nothing is sent before Ready, nor by a standby. Series that end meanwhile are left to the
// leader.
func TestSenderWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, r, start := configMaps(t), newRecorder(), time.Now()
		x.Put(configMap(t, "a", "1"), configMap(t, "b", "1"))
		s := newSender(t, flush.Config{
			Agent: x.Agent, Outputs: []flush.Output{{Sink: r, Interval: 10 * time.Second}},
			Ready: func(ctx context.Context) error { return at(ctx, start, 5) },
			Lead:  leads(start, [2]int{0, 20}, [2]int{41, 100}),
		})
		time.AfterFunc(26*time.Second, func() { x.Feed("configmaps").Delete("ns", "a") })
		time.AfterFunc(46*time.Second, func() { x.Feed("configmaps").Delete("ns", "b") })
		ctx, cancel := context.WithTimeout(t.Context(), 58*time.Second)
		defer cancel()
		s.Run(ctx)
		if want := seconds(5, 15, 41, 51); !slices.Equal(r.times(), want) {
			t.Errorf("sent at %v, want %v", r.times(), want)
		}
		if want := "[[] [] [] [m 1 configmap:b namespace:ns]]"; strings.Join(strings.Fields(sprint(r.ended)), " ") != want {
			t.Errorf("ended %v, want %s", r.ended, want)
		}
	})
}

// at waits until that many seconds after the start.
func at(ctx context.Context, start time.Time, seconds int) error {
	select {
	case <-time.After(time.Until(start.Add(time.Duration(seconds) * time.Second))):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// leads returns the Lead of an instance that leads from some seconds to others.
func leads(start time.Time, terms ...[2]int) func(context.Context) (context.Context, error) {
	return func(ctx context.Context) (context.Context, error) {
		for _, t := range terms {
			end := start.Add(time.Duration(t[1]) * time.Second)
			if !time.Now().Before(end) {
				continue
			}
			if err := at(ctx, start, t[0]); err != nil {
				return nil, err
			}
			term, cancel := context.WithDeadline(ctx, end)
			context.AfterFunc(term, cancel)
			return term, nil
		}
		<-ctx.Done()
		return nil, ctx.Err()
	}
}

func sprint(lists [][]string) string {
	var parts []string
	for _, l := range lists {
		parts = append(parts, "["+strings.Join(l, ", ")+"]")
	}
	return "[" + strings.Join(parts, " ") + "]"
}

// An instance that loses leadership stops at once, even during a flush, and yields its
// sinks.
func TestSenderYields(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		sending, waiting := newRecorder(), newRecorder()
		sending.takes = -1
		start := time.Now()
		s := newSender(t, flush.Config{
			Agent: configMaps(t).Agent, Outputs: []flush.Output{
				{Name: "sending", Sink: sending, Interval: 10 * time.Second}, {Name: "waiting", Sink: waiting, Interval: 10 * time.Second},
			},
			Lead:   leads(start, [2]int{0, 13}, [2]int{25, 100}),
			Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		ctx, cancel := context.WithTimeout(t.Context(), 32*time.Second)
		defer cancel()
		s.Run(ctx)
		for _, r := range []*recorder{sending, waiting} {
			if want := seconds(0, 10, 25); !slices.Equal(r.times(), want) {
				t.Errorf("sent at %v, want %v", r.times(), want)
			}
			if want := seconds(13); !slices.Equal(r.yielded, want) {
				t.Errorf("yielded at %v, want %v", r.yielded, want)
			}
		}
		if n := strings.Count(log.String(), "failed to send"); n != 1 || !strings.Contains(log.String(), "deadline exceeded") {
			t.Errorf("logged %d failures, want only the timeout of the first flush:\n%s", n, &log)
		}
	})
}

// The error of a sink that closes at the last moment is logged; the interruption of its
// flush is not an error.
func TestSenderLogsCloseErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		r := newRecorder()
		r.takes, r.left = -1, errors.New("12 series are lost")
		s := newSender(t, flush.Config{
			Agent: configMaps(t).Agent, Outputs: []flush.Output{{Name: "x", Sink: r}}, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		s.Run(ctx)
		if got := log.String(); !strings.Contains(got, "12 series are lost") || strings.Count(got, "level=ERROR") != 1 {
			t.Errorf("logged:\n%s", got)
		}
	})
}

// A failure is logged once until it changes in more than numbers, and its end is logged
// once.
func TestSenderLogs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		r := newRecorder()
		r.err = errors.New("8 refused")
		time.AfterFunc(500*time.Millisecond, func() { r.fail(errors.New("12 refused"), 4) })
		s := newSender(t, flush.Config{
			Agent: configMaps(t).Agent, Outputs: []flush.Output{{Name: "x", Sink: r, Interval: time.Second}},
			Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		time.AfterFunc(3500*time.Millisecond, func() { r.fail(nil, 0) })
		ctx, cancel := context.WithTimeout(t.Context(), 6*time.Second)
		defer cancel()
		s.Run(ctx)
		if failed, resumed := strings.Count(log.String(), "refused"), strings.Count(log.String(), "sending resumed"); failed != 1 || resumed != 1 {
			t.Errorf("logged %d failures and %d recoveries, want 1 of each:\n%s", failed, resumed, &log)
		}
	})
}

func TestSenderOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good, bad := newRecorder(), newRecorder()
		bad.err = errors.New("refused")
		s := newSender(t, flush.Config{Agent: configMaps(t).Agent, Outputs: []flush.Output{{Name: "good", Sink: good}, {Name: "bad", Sink: bad}}})
		good.left = errors.New("12 series are lost")
		if err := s.Once(t.Context()); err == nil || err.Error() != "close good: 12 series are lost\nsend to bad: refused" {
			t.Errorf("error %v", err)
		}
		if len(good.at) != 1 || len(bad.at) != 1 || good.closed != 1 || bad.closed != 1 {
			t.Errorf("sent %d and %d runs, closed %d and %d times; want one of each", len(good.at), len(bad.at), good.closed, bad.closed)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		r.takes = time.Minute // more than it is from run to run
		s := newSender(t, flush.Config{Agent: configMaps(t).Agent, Outputs: []flush.Output{{Sink: r}}})
		if err := s.Once(t.Context()); err != nil {
			t.Errorf("error %v for a flush that takes a minute", err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		s := newSender(t, flush.Config{Agent: configMaps(t).Agent, Outputs: []flush.Output{{Sink: r}}, Ready: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := s.Once(ctx); !errors.Is(err, context.DeadlineExceeded) || len(r.at) != 0 {
			t.Errorf("error %v and %d flushes, never ready", err, len(r.at))
		}
	})
}

func TestSenderErrors(t *testing.T) {
	r := newRecorder()
	_, err := flush.New(flush.Config{Outputs: []flush.Output{{Name: "a"}, {Name: "b", Sink: r, Interval: -1}, {Name: "b", Sink: r}}})
	for _, want := range []string{"no agent", `output "a": no sink`, `output "b": invalid interval -1ns`, `duplicate output "b"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v lacks %q", err, want)
		}
	}
}
