package reload

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
)

// An editor that truncates and writes causes one read of the files, and 100 changes
// in 10 s cause five.
func TestSettled(t *testing.T) {
	for _, test := range []struct {
		name            string
		events          int
		interval, takes time.Duration
	}{
		{"one event", 1, time.Hour, settle},
		{"truncate and write", 2, 10 * time.Millisecond, settle + 10*time.Millisecond},
		{"storm", 100, 100 * time.Millisecond, maxSettle},
	} {
		synctest.Test(t, func(t *testing.T) {
			events, done := make(chan fsnotify.Event), make(chan struct{})
			go func() {
				for range test.events {
					select {
					case events <- fsnotify.Event{}:
					case <-done:
						return
					}
					select {
					case <-time.After(test.interval):
					case <-done:
						return
					}
				}
			}()
			<-events // as wait does
			start, w := time.Now(), &watcher{}
			if !w.settled(t.Context(), events) || time.Since(start) != test.takes {
				t.Errorf("%s: settled after %v, want %v", test.name, time.Since(start), test.takes)
			}
			close(done)
		})
	}
}
