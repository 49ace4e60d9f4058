package kubewatch

import (
	"math/rand/v2"
	"time"
)

const (
	firstDelay   = 800 * time.Millisecond
	longestDelay = 30 * time.Second
	// healthyAfter is how long nothing may go wrong until delays start anew.
	healthyAfter = 2 * time.Minute
)

// backoff says how long to wait after a failure: twice as long as after the one
// before. The zero value is ready.
type backoff struct {
	delay time.Duration // without jitter
	until time.Time     // when the last wait ends
}

// next returns the wait after a failure at a time. It varies by a quarter up and
// down, so that clients that failed together do not return together.
func (b *backoff) next(now time.Time) time.Duration {
	b.delay = min(2*b.delay, longestDelay)
	if b.delay == 0 || now.Sub(b.until) >= healthyAfter {
		b.delay = firstDelay
	}
	wait := b.delay*3/4 + rand.N(b.delay/2)
	b.until = now.Add(wait)
	return wait
}
