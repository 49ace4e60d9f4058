package push

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/kubestate/kubestate/sink"
)

func TestPauses(t *testing.T) {
	for _, test := range []struct {
		failures int
		asked    time.Duration
		from, to time.Duration
	}{
		{1, 0, 250 * time.Millisecond, 500 * time.Millisecond},
		{2, 0, 500 * time.Millisecond, time.Second},
		{6, 0, 8 * time.Second, 16 * time.Second},
		{7, 0, 15 * time.Second, 30 * time.Second},
		{1000, 0, 15 * time.Second, 30 * time.Second},
		{1, 10 * time.Second, 10 * time.Second, 10*time.Second + 250*time.Millisecond},
		{1000, 10 * time.Second, 15 * time.Second, 30 * time.Second},
		{1, 1000 * time.Hour, time.Hour, time.Hour + 250*time.Millisecond},
	} {
		from, to := pauseAfter(test.failures, test.asked, 0), pauseAfter(test.failures, test.asked, 1)
		if from != test.from || to != test.to {
			t.Errorf("%d failures, Retry-After %s: %s to %s, want %s to %s", test.failures, test.asked, from, to, test.from, test.to)
		}
	}
}

// attemptsAt returns the times of attempts to send a payload that is never accepted,
// within d.
func attemptsAt(t *testing.T, d time.Duration, result Result) (at []time.Duration) {
	bubble(t, func(t *testing.T, _ context.Context) {
		begin := time.Now()
		q := newQueue(Config{}, &peer{answer: func(context.Context, Payload) Result {
			at = append(at, time.Since(begin))
			return result
		}})
		put(q, "a")
		_ = q.Flush(within(t, d)) // fails: still waiting
		_ = q.Close(within(t, 0)) // fails: lost
	})
	return at
}

func TestBackOff(t *testing.T) {
	at := attemptsAt(t, 10*time.Minute, Result{Err: errDown, Retry: true})
	for i := 1; i < len(at); i++ {
		whole := min(500*time.Millisecond<<(i-1), 30*time.Second)
		if pause := at[i] - at[i-1]; i < 12 && (pause < whole/2 || pause > whole) {
			t.Errorf("pause %d is %s, want %s to %s", i, pause, whole/2, whole)
		}
	}
	if n := len(at); n < 10*2 || n > 10*4+8 {
		t.Errorf("%d attempts in 10 minutes, although the longest pause is 30s", n)
	}
	other := attemptsAt(t, 10*time.Minute, Result{Err: errDown, Retry: true})
	if at[1] == other[1] && at[2] == other[2] {
		t.Error("two queues that failed at the same time retry at the same time")
	}
}

func TestRetryAfter(t *testing.T) {
	at := attemptsAt(t, 100*time.Second, Result{Err: errDown, Retry: true, RetryAfter: 7 * time.Second})
	for i := 1; i < len(at); i++ {
		if pause := at[i] - at[i-1]; pause < 7*time.Second {
			t.Errorf("pause %d is %s, want Retry-After of 7s", i, pause)
		}
	}
	if len(at) < 5 {
		t.Errorf("%d attempts in 100 s", len(at))
	}
}

// A payload is given up after the maximum number of attempts, and the next one is sent.
func TestGivenUp(t *testing.T) {
	bubble(t, func(t *testing.T, hour context.Context) {
		r := &peer{answer: func(ctx context.Context, p Payload) Result {
			if string(p.Body) == "bad" {
				return down(ctx, p)
			}
			return Result{}
		}}
		q := newQueue(Config{Attempts: 3}, r)
		put(q, "bad", "good")
		checkErr(t, q.Flush(hour), "test: gave up on 3 series in 1 payload: receiver down", errDown)
		checkGot(t, r, "bad", "bad", "bad", "good")
		checkErr(t, q.Close(hour), "<nil>")
		checkStats(t, q, sink.Stats{Series: 4, Payloads: 1, Bytes: 4, Dropped: 3, Retries: 2})
	})
}

// After a success, pauses are short again.
func TestSuccessEndsBackOff(t *testing.T) {
	bubble(t, func(t *testing.T, hour context.Context) {
		r := &peer{answer: down}
		q := newQueue(Config{}, r)
		put(q, "a")
		_ = q.Flush(within(t, 10*time.Minute)) // pauses are long by now
		r.become(nil)
		checkErr(t, q.Flush(hour), "<nil>")
		failed := false
		r.answer = func(ctx context.Context, p Payload) Result {
			if !failed {
				failed = true
				return down(ctx, p)
			}
			return Result{}
		}
		put(q, "b")
		begin := time.Now()
		checkErr(t, q.Flush(hour), "<nil>")
		if took := time.Since(begin); took > 500*time.Millisecond {
			t.Errorf("first pause after a success: %s", took)
		}
		checkErr(t, q.Close(hour), "<nil>")
	})
}

// The third consecutive failure is logged, the second is not; a later Flush does not
// report a failure that is over.
func TestLogAtThird(t *testing.T) {
	for fails, lines := range map[int]int{2: 0, 3: 2} {
		bubble(t, func(t *testing.T, hour context.Context) {
			var log bytes.Buffer
			left := fails
			r := &peer{answer: func(ctx context.Context, p Payload) Result {
				if left--; left >= 0 {
					return down(ctx, p)
				}
				return Result{}
			}}
			q := newQueue(Config{Timeout: time.Minute, Logger: slog.New(slog.NewTextHandler(&log, nil))}, r)
			put(q, "a")
			checkErr(t, q.Flush(hour), "<nil>")
			r.become(hang)
			put(q, "b")
			checkErr(t, q.Flush(within(t, time.Second)), "test: 1 series in 1 payload still buffered: context deadline exceeded")
			_ = q.Close(within(t, 0))
			if got := strings.Count(log.String(), "\n"); got != lines {
				t.Errorf("%d lines after %d failures, want %d:\n%s", got, fails, lines, &log)
			}
		})
	}
}

// An outage takes two log lines, however long it is; a single failed attempt takes
// none.
func TestLog(t *testing.T) {
	bubble(t, func(t *testing.T, hour context.Context) {
		var log bytes.Buffer
		r := &peer{answer: down}
		q := newQueue(Config{Logger: slog.New(slog.NewTextHandler(&log, nil))}, r)
		put(q, "a")
		_ = q.Flush(within(t, 10*time.Minute)) // fails: still waiting
		r.become(nil)
		checkErr(t, q.Flush(hour), "<nil>")
		for i := range 4 {
			r.answer = func(ctx context.Context, p Payload) Result {
				if i++; i%2 == 0 {
					return down(ctx, p)
				}
				return Result{}
			}
			put(q, "b")
			checkErr(t, q.Flush(hour), "<nil>")
		}
		checkErr(t, q.Close(hour), "<nil>")
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		if len(lines) != 2 || !strings.Contains(lines[0], `level=WARN msg="test: failed to send; retrying" err="receiver down"`) ||
			!strings.Contains(lines[1], `level=INFO msg="test: receiver is back"`) {
			t.Errorf("log:\n%s", &log)
		}
	})
}

// After Close cut a long pause short, pauses start with the shortest.
func TestCloseStartsBackOffAgain(t *testing.T) {
	bubble(t, func(t *testing.T, _ context.Context) {
		var at []time.Time
		q := newQueue(Config{}, &peer{answer: func(context.Context, Payload) Result {
			at = append(at, time.Now())
			return Result{Err: errDown, Retry: true}
		}})
		put(q, "a")
		_ = q.Flush(within(t, 10*time.Minute)) // pauses are long by now
		before := len(at)
		_ = q.Close(within(t, 5*time.Second)) // reports the payload as lost
		if after := at[before:]; len(after) < 3 || after[1].Sub(after[0]) > 500*time.Millisecond {
			t.Errorf("%d attempts within 5 s of Close, want at least 3, the second after at most 500 ms", len(after))
		}
	})
}
