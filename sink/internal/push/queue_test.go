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
	errDown     = errors.New("receiver down")
	errRejected = errors.New("bad request")
	errSlow     = errors.New("no response")
)

// peer is the receiver of a test. It accepts at once, unless answer is set.
type peer struct {
	mu     sync.Mutex // guards the following fields while a queue uses the peer
	answer func(ctx context.Context, p Payload) Result
	got    []string // bodies of all attempts, in order
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

// become changes the answer after the attempts that are due now.
func (r *peer) become(answer func(ctx context.Context, p Payload) Result) {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

// take returns the attempts so far, including those due now, and forgets them.
func (r *peer) take() []string {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	got := r.got
	r.got = nil
	return got
}

// down is an unreachable receiver.
func down(context.Context, Payload) Result { return Result{Err: errDown, Retry: true} }

// hang is a receiver that accepts the request and never responds.
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

// put puts payloads with one series per byte.
func put(q *Queue, bodies ...string) {
	for _, b := range bodies {
		q.Put(Payload{Body: []byte(b), Series: len(b)})
	}
}

// within returns a context that ends after d, which takes no real time in a bubble.
func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// bubble runs synctest.Test with a context of one hour.
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
		t.Errorf("receiver got %q, want %q", got, want)
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

// Flush returns when earlier payloads are settled, whatever is put later.
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

// Flush waits for the last payload, and reports it if it is still waiting.
func TestFlushOfLast(t *testing.T) {
	bubble(t, func(t *testing.T, hour context.Context) {
		r := &peer{answer: hang}
		q := newQueue(Config{Timeout: time.Minute}, r)
		put(q, "a")
		checkErr(t, q.Flush(within(t, time.Second)), "test: 1 series in 1 payload still buffered: context deadline exceeded", context.DeadlineExceeded)
		time.AfterFunc(10*time.Second, func() { r.become(nil) })
		checkErr(t, q.Flush(hour), "<nil>")
		_ = q.Close(within(t, 0))
	})
}

// Series are accepted or rejected as the receiver says.
func TestRejected(t *testing.T) {
	tests := map[string]struct {
		result Result
		stats  sink.Stats
		err    string
	}{
		"all":                 {Result{Err: errRejected, Rejected: All}, sink.Stats{Rejected: 4}, "test: rejected 4 series in 1 payload: bad request"},
		"all, by number":      {Result{Err: errRejected, Rejected: 4}, sink.Stats{Rejected: 4}, "test: rejected 4 series in 1 payload: bad request"},
		"some":                {Result{Err: errRejected, Rejected: 1}, sink.Stats{Series: 3, Rejected: 1, Payloads: 1, Bytes: 4}, "test: rejected 1 series in 1 payload: bad request"},
		"some, no reason":     {Result{Rejected: 1}, sink.Stats{Series: 3, Rejected: 1, Payloads: 1, Bytes: 4}, "test: rejected 1 series in 1 payload"},
		"more than all":       {Result{Rejected: 9}, sink.Stats{Rejected: 4, Payloads: 1, Bytes: 4}, "test: rejected 4 series in 1 payload"},
		"none, with a reason": {Result{Err: errRejected}, sink.Stats{Series: 4, Payloads: 1, Bytes: 4}, "test: rejected 0 series in 1 payload: bad request"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, hour context.Context) {
				r := &peer{answer: func(context.Context, Payload) Result { return test.result }}
				q := newQueue(Config{}, r)
				put(q, "aaaa")
				checkErr(t, q.Flush(hour), test.err)
				checkErr(t, q.Flush(hour), "<nil>") // reported once
				checkErr(t, q.Close(hour), "<nil>")
				checkGot(t, r, "aaaa")
				checkStats(t, q, test.stats)
			})
		})
	}
}

// Payloads for an unavailable receiver stay in the buffer, Flush reports them when its
// context ends, and they are sent when the receiver is back.
func TestReceiverDown(t *testing.T) {
	for name, fault := range map[string]func(context.Context, Payload) Result{"down": down, "hangs": hang} {
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
				want := "test: 2 series in 2 payloads still buffered: context deadline exceeded; last attempt: receiver down"
				if name == "hangs" {
					want = strings.Replace(want, "receiver down", "no response: timeout", 1)
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
	for name, fault := range map[string]func(context.Context, Payload) Result{"down": down, "hangs": hang} {
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
				if want := "test: 2 series in 2 payloads lost: context deadline exceeded"; !strings.HasPrefix(err.Error(), want) {
					t.Errorf("error %q does not begin %q", err, want)
				}
				stats := q.Stats()
				if stats.Dropped != 2 || stats.Buffered != 0 {
					t.Errorf("stats %+v", stats)
				}
				checkErr(t, q.Close(hour), "<nil>")
				put(q, "c")
				checkErr(t, q.Flush(hour), "test: dropped 1 series in 1 payload: sink closed")
				if got := q.Stats().Dropped; got != 3 {
					t.Errorf("%d series dropped, want 3", got)
				}
			})
		})
	}
}

// Close retries at once instead of waiting for a long pause, unless the receiver asked
// for the pause.
func TestCloseDoesNotWait(t *testing.T) {
	for asked, want := range map[time.Duration]uint64{0: 1, time.Minute: 0} {
		bubble(t, func(t *testing.T, _ context.Context) {
			r := &peer{answer: func(context.Context, Payload) Result {
				return Result{Err: errDown, Retry: true, RetryAfter: asked}
			}}
			q := newQueue(Config{}, r)
			put(q, "a")
			_ = q.Flush(within(t, 10*time.Minute+time.Second)) // pauses are long by now
			r.become(nil)
			_ = q.Close(within(t, time.Millisecond)) // the counts below are checked instead
			if got := q.Stats(); got.Series != want || got.Dropped != 1-want {
				t.Errorf("Retry-After %s: stats %+v, want %d series sent", asked, got, want)
			}
		})
	}
}

// Even after a long outage, Close does not spend its time on one long pause.
func TestCloseTriesOften(t *testing.T) {
	bubble(t, func(t *testing.T, _ context.Context) {
		r := &peer{answer: down}
		q := newQueue(Config{}, r)
		put(q, "a")
		_ = q.Flush(within(t, 10*time.Minute)) // pauses are long by now
		r.take()
		_ = q.Close(within(t, 5*time.Second)) // reports the payload as lost
		if got := r.take(); len(got) < 4 {
			t.Errorf("%d attempts in 5 s", len(got))
		}
	})
}

// Ten times the buffer size is put.
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
		r.become(down)
		put(q, "aaa")
		checkErr(t, q.Throttle(hour), "<nil>") // not much was put
		put(q, "bbb")
		err := q.Throttle(within(t, time.Second))
		checkErr(t, err, "test: 6 series in 2 payloads still buffered: context deadline exceeded; last attempt: receiver down")
		put(q, "cccccc")
		checkErr(t, q.Throttle(within(t, 0)), "<nil>") // ctx has ended
		_ = q.Close(within(t, 0))
	})
}

// Exactly half of the buffer size does not throttle, one byte more does; the same after
// a Flush.
func TestThrottleAtHalf(t *testing.T) {
	bubble(t, func(t *testing.T, hour context.Context) {
		r := &peer{}
		q := newQueue(Config{Buffer: 10}, r)
		for range 2 {
			r.become(down)
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
