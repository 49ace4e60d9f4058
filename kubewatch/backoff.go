package kubewatch

import (
	"math/rand/v2"
	"time"
)

const (
	firstDelay   = 800 * time.Millisecond
	longestDelay = 30 * time.Second
	// healthyAfter is how long nothing must have failed for delays to start over.
	healthyAfter = 2 * time.Minute
)

// backoff computes the wait after a failure: twice as long as after the previous one.
// The zero value is ready for use.
type backoff struct {
	delay time.Duration // without jitter
	until time.Time     // when the last wait ends
}

// next returns the wait after a failure at a time, without jitter at most longest. It
// varies by a quarter up and down, so that clients that failed together do not return
// together.
func (b *backoff) next(now time.Time, longest time.Duration) time.Duration {
	b.delay = min(2*b.delay, longest)
	if b.delay == 0 || now.Sub(b.until) >= healthyAfter {
		b.delay = firstDelay
	}
	wait := b.delay*3/4 + rand.N(b.delay/2)
	b.until = now.Add(wait)
	return wait
}
