package kubewatch

import (
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// longestTurn is how long a watch that works may go without any sign of life: the
// longest watch, and what may come between it and the next.
const longestTurn = watchIdle + 2*longestDelay + stallLimit

// Alive returns nil while the loop of every watch turns, whether or not the API
// server answers. The error names the watches that are stuck.
func (g *Group) Alive() error {
	var errs []error
	for _, m := range g.snapshot() {
		if still := m.tracker.still(); still > longestTurn {
			errs = append(errs, fmt.Errorf("watch %s: no sign of life for %v", m.scope, still.Round(time.Second)))
		}
	}
	return errors.Join(errs...)
}

// Refused reports whether the API server has answered that the objects may not
// be read or that it has no such kind. The watch asks again from time to time.
func (s *Status) Refused() bool {
	return refusal(s.Reason)
}

func refusal(reason string) bool {
	return reason == string(metav1.StatusReasonForbidden) || reason == string(metav1.StatusReasonNotFound)
}

// still is how long ago the loop showed that it turns.
func (t *tracker) still() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return time.Since(t.turned)
}
