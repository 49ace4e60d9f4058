package kubewatch

import (
	"testing"
	"time"
)

func TestBackoff(t *testing.T) {
	var b backoff
	now := time.Now()
	for i, delay := range []float64{0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30, 30} {
		got := b.next(now, longestDelay).Seconds()
		if got < delay*0.75 || got > delay*1.25 {
			t.Errorf("wait %d: got %.2f s, want %.1f s up or down a quarter", i+1, got, delay)
		}
		if wait := b.until.Sub(now).Seconds(); wait != got {
			t.Errorf("wait %d ends after %.2f s, want %.2f", i+1, wait, got)
		}
		now = b.until.Add(time.Minute) // not long enough to be called healthy
	}
	now = b.until.Add(healthyAfter)
	if got := b.next(now, longestDelay); got > firstDelay*5/4 {
		t.Errorf("after %v without failure: got %v", healthyAfter, got)
	}
}

func TestBackoffVaries(t *testing.T) {
	waits := map[time.Duration]bool{}
	for range 100 {
		var b backoff
		waits[b.next(time.Now(), longestDelay)] = true
	}
	if len(waits) < 50 {
		t.Errorf("100 clients wait only %d different times", len(waits))
	}
}
