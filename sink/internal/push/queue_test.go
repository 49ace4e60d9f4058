package push

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate/sink"
)

var (
	errAway    = errors.New("it is away")
	errRefused = errors.New("not like this")
	errSlow    = errors.New("it has not answered")
)

// peer is the receiver of a test. It answers at once, unless answer is set.
type peer struct {
	mu     sync.Mutex // held for what follows, while a queue has the peer
	answer func(ctx context.Context, p Payload) Result
	got    []string // bodies of attempts, in order
}

func (r *peer) send(ctx context.Context, p Payload) Result {
	r.mu.Lock()
	r.got = append(r.got, string(p.Body))
	answer := r.answer
	r.mu.Unlock()
	if answer == nil {
		return Result{}
	}
	return answer(ctx, p)
}

// become changes the answer, once the attempts that are due now are made.
func (r *peer) become(answer func(ctx context.Context, p Payload) Result) {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

// take returns the attempts so far, those that are due now too, and forgets them.
func (r *peer) take() []string {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	got := r.got
	r.got = nil
	return got
}

// away is the answer of a network that leads nowhere.
func away(context.Context, Payload) Result { return Result{Err: errAway, Retry: true} }

// hang is the answer of a receiver that takes the request and says nothing.
func hang(ctx context.Context, _ Payload) Result {
	<-ctx.Done()
	return Result{Err: fmt.Errorf("%w: %w", errSlow, context.Cause(ctx)), Retry: true}
}

func newQueue(c Config, r *peer) *Queue {
	c.Send, c.Name = r.send, "test"
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return New(c)
}

// put puts payloads that have one series for each byte.
func put(q *Queue, bodies ...string) {
	for _, b := range bodies {
		q.Put(Payload{Body: []byte(b), Series: len(b)})
	}
}

// within returns a context that ends after d, which costs no time in a bubble.
func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// bubble is synctest.Test with a context of an hour.
func bubble(t *testing.T, test func(t *testing.T, hour context.Context)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, within(t, time.Hour)) })
}

func checkErr(t *testing.T, err error, want string, is ...error) {
	t.Helper()
	if got := fmt.Sprint(err); got != want {
		t.Errorf("error %q\n want %q", got, want)
	}
	for _, target := range is {
		if !errors.Is(err, target) {
			t.Errorf("error %q is not %q", err, target)
		}
	}
}

func checkStats(t *testing.T, q *Queue, want sink.Stats) {
	t.Helper()
	if diff := cmp.Diff(want, q.Stats()); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
}

func checkGot(t *testing.T, r *peer, want ...string) {
	t.Helper()
	if got := r.take(); !slices.Equal(got, want) {
		t.Errorf("the receiver got %q, want %q", got, want)
	}
}

func TestInOrder(t *testing.T) {
	bubble(t, func(t *testing.T, hour context.Context) {
		r := &peer{}
		q := newQueue(Config{}, r)
		put(q, "a", "bb", "ccc")
		checkErr(t, q.Flush(hour), "<nil>")
		put(q, "dddd")
		checkErr(t, q.Close(hour), "<nil>")
		checkGot(t, r, "a", "bb", "ccc", "dddd")
		checkStats(t, q, sink.Stats{Series: 10, Payloads: 4, Bytes: 10})
	})
}

// TestFlushWaits: Flush returns when what was put before it is settled, whatever
// comes later.
func TestFlushWaits(t *testing.T) {
	bubble(t, func(t *testing.T, hour context.Context) {
		r := &peer{}
		var q *Queue
		r.answer = func(ctx context.Context, p Payload) Result {
			if string(p.Body) == "b" {
				put(q, "c")
			} else if string(p.Body) == "c" {
				return hang(ctx, p)
			}
			time.Sleep(time.Second)
			return Result{}
		}
		q = newQueue(Config{}, r)
		put(q, "a", "b")
		begin := time.Now()
		checkErr(t, q.Flush(hour), "<nil>")
		if took := time.Since(begin); took != 2*time.Second {
			t.Errorf("Flush took %s, two payloads take 2s", took)
		}
		_ = q.Close(within(t, 0))
	})
}

// TestFlushOfLast: Flush waits for the very last payload, and says when that one
// still waits.
func TestFlushOfLast(t *testing.T) {
	bubble(t, func(t *testing.T, hour context.Context) {
		r := &peer{answer: hang}
		q := newQueue(Config{Timeout: time.Minute}, r)
		put(q, "a")
		checkErr(t, q.Flush(within(t, time.Second)), "test: 1 payloads with 1 series still wait: context deadline exceeded", context.DeadlineExceeded)
		time.AfterFunc(10*time.Second, func() { r.become(nil) })
		checkErr(t, q.Flush(hour), "<nil>")
		_ = q.Close(within(t, 0))
	})
}

// TestRefused: every series is accepted or rejected, as the receiver says.
func TestRefused(t *testing.T) {
	tests := map[string]struct {
		result Result
		stats  sink.Stats
		err    string
	}{
		"all":              {Result{Err: errRefused, Rejected: All}, sink.Stats{Rejected: 4}, "test: refused: 4 series in 1 payloads: not like this"},
		"all, by number":   {Result{Err: errRefused, Rejected: 4}, sink.Stats{Rejected: 4}, "test: refused: 4 series in 1 payloads: not like this"},
		"some":             {Result{Err: errRefused, Rejected: 1}, sink.Stats{Series: 3, Rejected: 1, Payloads: 1, Bytes: 4}, "test: refused: 1 series in 1 payloads: not like this"},
		"some, no reason":  {Result{Rejected: 1}, sink.Stats{Series: 3, Rejected: 1, Payloads: 1, Bytes: 4}, "test: refused: 1 series in 1 payloads"},
		"more than all":    {Result{Rejected: 9}, sink.Stats{Rejected: 4, Payloads: 1, Bytes: 4}, "test: refused: 4 series in 1 payloads"},
		"none, but a word": {Result{Err: errRefused}, sink.Stats{Series: 4, Payloads: 1, Bytes: 4}, "test: refused: 0 series in 1 payloads: not like this"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, hour context.Context) {
				r := &peer{answer: func(context.Context, Payload) Result { return test.result }}
				q := newQueue(Config{}, r)
				put(q, "aaaa")
				checkErr(t, q.Flush(hour), test.err)
				checkErr(t, q.Flush(hour), "<nil>") // once is enough
				checkErr(t, q.Close(hour), "<nil>")
				checkGot(t, r, "aaaa")
				checkStats(t, q, test.stats)
			})
		})
	}
}

// TestAway: what waits for a receiver stays in the buffer, Flush says so when its
// time is over, and nothing is lost when the receiver comes.
func TestAway(t *testing.T) {
	for name, fault := range map[string]func(context.Context, Payload) Result{"away": away, "hangs": hang} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, hour context.Context) {
				r := &peer{answer: fault}
				q := newQueue(Config{Timeout: time.Second}, r)
				put(q, "a", "b")
				begin := time.Now()
				err := q.Flush(within(t, 10*time.Minute))
				if took := time.Since(begin); took != 10*time.Minute {
					t.Errorf("Flush took %s of 10m", took)
				}
				want := "test: 2 payloads with 2 series still wait: context deadline exceeded; the last attempt: it is away"
				if name == "hangs" {
					want = strings.Replace(want, "it is away", "it has not answered: no answer in time", 1)
				}
				checkErr(t, err, want, context.DeadlineExceeded)
				attempts := len(r.take())
				checkStats(t, q, sink.Stats{Buffered: 2, Retries: uint64(attempts - 1)})
				r.become(nil)
				checkErr(t, q.Flush(hour), "<nil>")
				checkGot(t, r, "a", "b")
				checkStats(t, q, sink.Stats{Series: 2, Payloads: 2, Bytes: 2, Retries: uint64(attempts)})
				checkErr(t, q.Close(hour), "<nil>")
			})
		})
	}
}

func TestCloseGivesUp(t *testing.T) {
	for name, fault := range map[string]func(context.Context, Payload) Result{"away": away, "hangs": hang} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, hour context.Context) {
				r := &peer{answer: fault}
				q := newQueue(Config{}, r)
				put(q, "a", "b")
				begin := time.Now()
				err := q.Close(within(t, 5*time.Second))
				if took := time.Since(begin); took != 5*time.Second {
					t.Errorf("Close took %s of 5s", took)
				}
				if want := "test: 2 payloads with 2 series are lost: context deadline exceeded"; !strings.HasPrefix(err.Error(), want) {
					t.Errorf("error %q does not begin %q", err, want)
				}
				stats := q.Stats()
				if stats.Dropped != 2 || stats.Buffered != 0 {
					t.Errorf("stats %+v", stats)
				}
				checkErr(t, q.Close(hour), "<nil>")
				put(q, "c")
				checkErr(t, q.Flush(hour), "test: dropped: 1 series in 1 payloads: the sink is closed")
				if got := q.Stats().Dropped; got != 3 {
					t.Errorf("%d series are dropped, want 3", got)
				}
			})
		})
	}
}

// TestCloseDoesNotWait: Close tries at once, though the pause would be longer than
// it may take, unless the receiver has asked for the pause.
func TestCloseDoesNotWait(t *testing.T) {
	for asked, want := range map[time.Duration]uint64{0: 1, time.Minute: 0} {
		bubble(t, func(t *testing.T, _ context.Context) {
			r := &peer{answer: func(context.Context, Payload) Result {
				return Result{Err: errAway, Retry: true, RetryAfter: asked}
			}}
			q := newQueue(Config{}, r)
			put(q, "a")
			_ = q.Flush(within(t, 10*time.Minute+time.Second)) // pauses are long by now
			r.become(nil)
			_ = q.Close(within(t, time.Millisecond)) // what it says is in the numbers
			if got := q.Stats(); got.Series != want || got.Dropped != 1-want {
				t.Errorf("asked for %s: stats %+v, want %d series sent", asked, got, want)
			}
		})
	}
}

// TestCloseTriesOften: however long the outage, Close does not spend its time on
// one long pause.
func TestCloseTriesOften(t *testing.T) {
	bubble(t, func(t *testing.T, _ context.Context) {
		r := &peer{answer: away}
		q := newQueue(Config{}, r)
		put(q, "a")
		_ = q.Flush(within(t, 10*time.Minute)) // pauses are long by now
		r.take()
		_ = q.Close(within(t, 5*time.Second)) // it says that the payload is lost
		if got := r.take(); len(got) < 4 {
			t.Errorf("%d attempts in 5 s", len(got))
		}
	})
}

// TestThrottle puts ten times what the buffer holds.
func TestThrottle(t *testing.T) {
	bubble(t, func(t *testing.T, hour context.Context) {
		r := &peer{}
		q := newQueue(Config{Buffer: 10}, r)
		var want []string
		for i := range 25 {
			want = append(want, fmt.Sprintf("%04d", i))
			put(q, want[i])
			checkErr(t, q.Throttle(hour), "<nil>")
		}
		checkErr(t, q.Flush(hour), "<nil>")
		checkGot(t, r, want...)
		r.become(away)
		put(q, "aaa")
		checkErr(t, q.Throttle(hour), "<nil>") // it is not much
		put(q, "bbb")
		err := q.Throttle(within(t, time.Second))
		checkErr(t, err, "test: 2 payloads with 6 series still wait: context deadline exceeded; the last attempt: it is away")
		put(q, "cccccc")
		checkErr(t, q.Throttle(within(t, 0)), "<nil>") // its time is over
		_ = q.Close(within(t, 0))
	})
}

// TestThrottleAtHalf: as much as half of the buffer holds, and no byte more, is not yet
// too much; and so again after a Flush.
func TestThrottleAtHalf(t *testing.T) {
	bubble(t, func(t *testing.T, hour context.Context) {
		r := &peer{}
		q := newQueue(Config{Buffer: 10}, r)
		for range 2 {
			r.become(away)
			put(q, "aaaaa")
			checkErr(t, q.Throttle(within(t, time.Second)), "<nil>")
			r.become(nil)
			checkErr(t, q.Flush(hour), "<nil>")
		}
		_ = q.Close(hour)
	})
}

func TestCheck(t *testing.T) {
	checkErr(t, (&Config{}).Check("MaxBytes", 32<<20), "<nil>")
	checkErr(t, (&Config{}).Check("MaxBytes", 32<<20+1), "buffer of 33554432 bytes: must hold at least one request, MaxBytes 33554433")
	checkErr(t, (&Config{Buffer: 9}).Check("MaxBytes", 10), "buffer of 9 bytes: must hold at least one request, MaxBytes 10")
	checkErr(t, (&Config{Buffer: 10}).Check("MaxBytes", 10), "<nil>")
	checkErr(t, (&Config{Buffer: -1, Timeout: -time.Second, Attempts: -3}).Check("MaxBytes", 10),
		"Buffer -1: must not be negative\nTimeout -1s: must not be negative\nAttempts -3: must not be negative")
}
