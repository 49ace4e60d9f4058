package kubewatch

import (
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// gatherRefusals is how long refused resources are collected for one line of the log.
	// A server that has just started may refuse what it allows a moment later.
	gatherRefusals = 5 * time.Second
	// gatherRecoveries is the same for resources that are served again, which the watches
	// notice one after the other: it covers the longest delay, jitter included, and the
	// time until a watch counts as working.
	gatherRecoveries = longestDelay*5/4 + provenAfter
)

// outage keeps the log short when watches of a group fail alike. While an API server is
// down, the first watch is logged for each reason, and the recovery of the last. Resources
// that it refuses are logged together, as are those that it serves again. It is safe for
// concurrent use.
type outage struct {
	log *slog.Logger

	mu      sync.Mutex
	failing map[*tracker]struct{} // watches that fail now
	reasons map[string]struct{}   // logged since the outage began
	watches int                   // the most that failed at once
	since   time.Time

	refused  map[*tracker]string // what is refused now, such as "pods (forbidden)"
	reported map[*tracker]string // what the log says is refused
	report   *time.Timer         // logs the difference of the two; nil: not due
}

func newOutage(log *slog.Logger) *outage {
	return &outage{
		log: log, failing: map[*tracker]struct{}{}, reasons: map[string]struct{}{},
		refused: map[*tracker]string{}, reported: map[*tracker]string{},
	}
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
		if !refusal(reason) {
			return slog.LevelWarn
		}
		o.refused[t] = notServed(t.status.Scope(), reason)
		o.reportAfter(gatherRefusals)
		return slog.LevelDebug
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

// recovered notes that a watch recovered and returns the level at which to log that.
func (o *outage) recovered(t *tracker) slog.Level {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, refused := o.refused[t]
	if refused {
		delete(o.refused, t)
		o.reportAfter(gatherRecoveries)
	}
	if o.leave(t) || refused {
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// remove forgets a watch that ended.
func (o *outage) remove(t *tracker) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.leave(t)
	delete(o.refused, t)
	delete(o.reported, t)
}

// close drops a report that is due.
func (o *outage) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.report != nil {
		o.report.Stop()
	}
}

func (o *outage) reportAfter(d time.Duration) {
	if o.report == nil {
		o.report = time.AfterFunc(d, o.reportRefusals)
	}
}

// reportRefusals logs which resources are refused and were not in the last report, and
// which are served again.
func (o *outage) reportRefusals() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.report = nil
	var refused, again []string
	for t, text := range o.refused {
		if o.reported[t] != text {
			o.reported[t] = text
			refused = append(refused, text)
		}
	}
	for t, text := range o.reported {
		if _, still := o.refused[t]; !still {
			delete(o.reported, t)
			scope, _, _ := strings.Cut(text, " (")
			again = append(again, scope)
		}
	}
	if len(refused) > 0 {
		o.log.Warn("some resources are not served; deploy/clusterrole.yaml has the rules that they need", "resources", joined(refused))
	}
	if len(again) > 0 {
		o.log.Info("resources are served again", "resources", joined(again))
	}
}

func joined(scopes []string) string {
	slices.Sort(scopes)
	return strings.Join(slices.Compact(scopes), ", ")
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
