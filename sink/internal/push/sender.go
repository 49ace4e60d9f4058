package push

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// Pauses between attempts double from the first to the longest, across payloads, since
// it is the receiver that is down.
const (
	firstPause   = 500 * time.Millisecond
	longestPause = 30 * time.Second
	// failuresToLog is the number of consecutive failures after which the receiver is
	// logged as unavailable; fewer are only counted.
	failuresToLog = 3
)

// sender is the sending goroutine.
type sender struct {
	queue    *Queue
	config   Config
	failures int // consecutive attempts
	down     bool
}

func (s *sender) run(ctx context.Context) {
	for {
		next, ok := s.queue.take(ctx)
		if !ok {
			return
		}
		result := s.attempt(ctx, next.Payload)
		if ctx.Err() != nil && result.Retry {
			s.queue.release()
			return
		}
		s.queue.settle(next, result)
		s.log(result)
		if !result.Retry {
			s.failures = 0
			continue
		}
		s.failures++
		if !s.pause(ctx, result.RetryAfter) {
			s.failures = 0
		}
	}
}

// attempt tries once to send a payload.
func (s *sender) attempt(ctx context.Context, p Payload) Result {
	ctx, cancel := context.WithTimeoutCause(ctx, s.config.Timeout, errTimeout)
	defer cancel()
	return s.config.Send(ctx, p)
}

var errTimeout = errors.New("timeout")

// pause waits before the next attempt. It returns false if Close cut it short.
func (s *sender) pause(ctx context.Context, asked time.Duration) bool {
	timer := time.NewTimer(pauseAfter(s.failures, asked, rand.Float64()))
	defer timer.Stop()
	closing := s.queue.closing
	if asked > 0 || s.queue.isClosed() {
		closing = nil // a nil channel is never ready
	}
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-closing:
		return false
	}
	return true
}

// pauseAfter returns the pause after a number of failures. random, in [0, 1), spreads
// senders that failed at the same time.
func pauseAfter(failures int, asked time.Duration, random float64) time.Duration {
	whole := min(firstPause<<min(failures-1, 10), longestPause)
	return max(whole/2, min(asked, MaxRetryAfter)) + time.Duration(random*float64(whole/2))
}

// log logs when the receiver becomes unavailable and when it is back.
func (s *sender) log(result Result) {
	switch {
	case result.Retry && !s.down && s.failures+1 >= failuresToLog:
		s.down = true
		s.config.Logger.Warn(s.config.Name+": failed to send; retrying", "err", result.Err)
	case !result.Retry && s.down:
		s.down = false
		s.config.Logger.Info(s.config.Name + ": receiver is back")
	}
}

// take returns the oldest payload, which stays in the queue while it is sent. It waits
// for one, and returns false when ctx ends or no more will come.
func (q *Queue) take(ctx context.Context) (waiting, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.dropExpired(); len(q.waiting) == 0 && !q.closed && ctx.Err() == nil; q.dropExpired() {
		q.await(ctx)
	}
	if len(q.waiting) == 0 || ctx.Err() != nil {
		return waiting{}, false
	}
	next := &q.waiting[0]
	if next.attempts > 0 {
		q.stats.Retries++
	}
	next.attempts++
	q.busy = true
	return *next, true
}

// dropExpired drops the payloads that have expired. q.mu must be held.
func (q *Queue) dropExpired() {
	now, n := time.Now(), 0
	for n < len(q.waiting) && !q.waiting[n].Expires.IsZero() && !now.Before(q.waiting[n].Expires) {
		q.size -= len(q.waiting[n].Body)
		q.drop(q.waiting[n].Payload, errExpired)
		n++
	}
	q.remove(0, n)
}

// release undoes the last take: the outcome of its attempt is unknown.
func (q *Queue) release() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.busy = false
}

// settle records the outcome of the payload that take returned.
func (q *Queue) settle(w waiting, r Result) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.busy = false
	q.report.failing = nil
	if r.Retry && (q.config.Attempts == 0 || w.attempts < q.config.Attempts) {
		q.report.failing = r.Err
		return
	}
	q.size -= len(w.Body)
	q.remove(0, 1)
	if r.Retry {
		q.stats.Dropped += uint64(w.Series)
		q.report.givenUp.add(w.Series, r.Err)
		return
	}
	rejected := min(r.Rejected, w.Series)
	if r.Rejected == All {
		rejected = w.Series
	}
	q.stats.Rejected += uint64(rejected)
	q.stats.Series += uint64(w.Series - rejected)
	if r.Err == nil || rejected < w.Series {
		q.stats.Payloads++
		q.stats.Bytes += uint64(len(w.Body))
	}
	if r.Err != nil || rejected > 0 {
		q.report.rejected.add(rejected, r.Err)
	}
}

func (q *Queue) isClosed() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed
}
