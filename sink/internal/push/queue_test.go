package push

import (
	"bytes"
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

// TestFull: the oldest payloads give way, the one that is being sent does not.
func TestFull(t *testing.T) {
	bubble(t, func(t *testing.T, hour context.Context) {
		r := &peer{answer: hang}
		q := newQueue(Config{Buffer: 10, Timeout: time.Minute}, r)
		put(q, "aaa")
		synctest.Wait() // an attempt to send it is under way
		put(q, "bbb", "ccc", "dd", "ee", "fffff")
		checkStats(t, q, sink.Stats{Buffered: 3, Dropped: 3 + 3 + 2})
		r.become(nil)
		checkErr(t, q.Flush(hour), "test: dropped: 8 series in 3 payloads: the buffer was full")
		checkGot(t, r, "aaa", "aaa", "ee", "fffff")
		checkErr(t, q.Close(hour), "<nil>")
		checkStats(t, q, sink.Stats{Series: 10, Payloads: 3, Bytes: 10, Dropped: 8, Retries: 1})
	})
}

// TestFullInVain: a payload that would have no room though all others were dropped
// costs none of them its place.
func TestFullInVain(t *testing.T) {
	bubble(t, func(t *testing.T, hour context.Context) {
		r := &peer{answer: hang}
		q := newQueue(Config{Buffer: 10, Timeout: time.Minute}, r)
		put(q, "aaaa")
		synctest.Wait() // an attempt to send it is under way
		put(q, "bb", "cc", "ddddddd")
		checkStats(t, q, sink.Stats{Buffered: 3, Dropped: 7})
		r.become(nil)
		checkErr(t, q.Close(hour), "test: dropped: 7 series in 1 payloads: the buffer was full")
		checkGot(t, r, "aaaa", "aaaa", "bb", "cc")
	})
}

// TestLeaveOut: what has no place is counted each time, told once, and no error.
func TestLeaveOut(t *testing.T) {
	bubble(t, func(t *testing.T, hour context.Context) {
		var log bytes.Buffer
		q := newQueue(Config{Logger: slog.New(slog.NewTextHandler(&log, nil))}, &peer{})
		for n := range 4 {
			q.LeaveOut(n, "service checks")
		}
		checkErr(t, q.Close(hour), "<nil>")
		checkStats(t, q, sink.Stats{Dropped: 6})
		if got := strings.Count(log.String(), `level=WARN msg="test: the protocol has no place for service checks; they are dropped"`); got != 1 {
			t.Errorf("told %d times:\n%s", got, &log)
		}
	})
}

// TestExpires: what waited too long is dropped, and what is younger is sent.
func TestExpires(t *testing.T) {
	bubble(t, func(t *testing.T, hour context.Context) {
		r := &peer{answer: away}
		q := newQueue(Config{}, r)
		for _, minutes := range []int{10, 10, 30} {
			q.Put(Payload{Body: []byte(fmt.Sprint(minutes)), Series: 2, Expires: time.Now().Add(time.Duration(minutes) * time.Minute)})
		}
		put(q, "never")
		_ = q.Flush(within(t, 9*time.Minute)) // it says that they wait
		checkStats(t, q, sink.Stats{Buffered: 4, Retries: q.Stats().Retries})
		checkErr(t, q.Flush(within(t, 10*time.Minute)), "test: dropped: 4 series in 2 payloads: the receiver would not take what is that old\n"+
			"test: 2 payloads with 7 series still wait: context deadline exceeded; the last attempt: it is away")
		r.take()
		r.become(nil)
		checkErr(t, q.Close(hour), "<nil>")
		checkGot(t, r, "30", "never")
	})
}

// TestFullInPause: between two attempts the oldest payload gives way like others.
func TestFullInPause(t *testing.T) {
	bubble(t, func(t *testing.T, hour context.Context) {
		r := &peer{answer: away}
		q := newQueue(Config{Buffer: 3}, r)
		put(q, "aaa")
		synctest.Wait()
		put(q, "bb")
		r.become(nil)
		checkErr(t, q.Close(hour), "test: dropped: 3 series in 1 payloads: the buffer was full")
		checkGot(t, r, "aaa", "bb")
		checkStats(t, q, sink.Stats{Series: 2, Payloads: 1, Bytes: 2, Dropped: 3})
	})
}

// TestTooLarge: a payload larger than the buffer costs no other payload its place.
func TestTooLarge(t *testing.T) {
	bubble(t, func(t *testing.T, hour context.Context) {
		r := &peer{answer: away}
		q := newQueue(Config{Buffer: 3}, r)
		put(q, "aa", "bbbb")
		checkStats(t, q, sink.Stats{Buffered: 1, Dropped: 4})
		r.become(nil)
		checkErr(t, q.Close(hour), "test: dropped: 4 series in 1 payloads: there is one that is larger than the buffer")
		checkGot(t, r, "aa", "aa")
	})
}

// TestBufferHolds puts until the buffer is full to the last byte: nothing is lost.
func TestBufferHolds(t *testing.T) {
	bubble(t, func(t *testing.T, hour context.Context) {
		r := &peer{answer: away}
		q := newQueue(Config{Buffer: 1000}, r)
		var want []string
		for i := range 100 {
			want = append(want, fmt.Sprintf("%010d", i))
		}
		put(q, want...)
		checkStats(t, q, sink.Stats{Buffered: 100})
		_ = q.Flush(within(t, time.Minute)) // it says that they wait
		r.take()
		r.become(nil)
		checkErr(t, q.Flush(hour), "<nil>")
		put(q, want...) // there is room again
		checkErr(t, q.Close(hour), "<nil>")
		checkGot(t, r, slices.Concat(want, want)...)
	})
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
		put(q, "cccc")
		checkErr(t, q.Throttle(within(t, 0)), "<nil>") // its time is over
		_ = q.Close(within(t, 0))
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
