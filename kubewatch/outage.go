package kubewatch

import (
	"log/slog"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// outage keeps the log short while an API server is down, when all watches of a group
// fail for one reason: of each reason the first watch is logged, and the recovery of the
// last. It is safe for concurrent use.
type outage struct {
	log *slog.Logger

	mu      sync.Mutex
	failing map[*tracker]struct{} // watches that fail now
	reasons map[string]struct{}   // logged since the outage began
	watches int                   // the most that failed at once
	since   time.Time
}

func newOutage(log *slog.Logger) *outage {
	return &outage{log: log, failing: map[*tracker]struct{}{}, reasons: map[string]struct{}{}}
}

// ofServer reports whether the reason for a failure usually concerns the whole server
// rather than one resource.
func ofServer(reason string) bool {
	switch metav1.StatusReason(reason) {
	case Unreachable, InvalidResponse, NoProgress,
		metav1.StatusReasonUnauthorized, metav1.StatusReasonTooManyRequests, metav1.StatusReasonInternalError,
		metav1.StatusReasonServiceUnavailable, metav1.StatusReasonTimeout, metav1.StatusReasonServerTimeout:
		return true
	}
	return false
}

// failed notes that a watch fails and returns the level at which to log that.
func (o *outage) failed(t *tracker, reason string) slog.Level {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !ofServer(reason) {
		o.leave(t)
		return slog.LevelWarn
	}
	if len(o.failing) == 0 {
		o.since, o.watches = time.Now(), 0
		clear(o.reasons)
	}
	o.failing[t] = struct{}{}
	o.watches = max(o.watches, len(o.failing))
	if _, logged := o.reasons[reason]; logged {
		return slog.LevelDebug
	}
	o.reasons[reason] = struct{}{}
	return slog.LevelWarn
}

// recovered notes that a watch recovered or ended, and returns the level at which to log
// its recovery.
func (o *outage) recovered(t *tracker) slog.Level {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.leave(t) {
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// leave takes a watch out of the outage and reports whether it was part of it. The last
// ends the outage, which is logged for all.
func (o *outage) leave(t *tracker) bool {
	_, failing := o.failing[t]
	delete(o.failing, t)
	if failing && len(o.failing) == 0 {
		o.log.Info("API server recovered", "watches", o.watches, "duration", time.Since(o.since).Round(time.Second))
	}
	return failing
}
