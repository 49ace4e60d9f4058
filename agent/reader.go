package agent

import (
	"time"

	"github.com/kubestate/kubestate/agent/internal/series"
	"github.com/kubestate/kubestate/sink"
)

// Reader takes the flushes of one sink and remembers the previous one. It is not safe for
// concurrent use.
type Reader struct {
	agent *Agent
	last  *series.Snapshot // nil before the first flush
}

// NewReader returns a Reader. Each sink needs its own.
func (a *Agent) NewReader() *Reader { return &Reader{agent: a} }

// Run returns all current series and checks, except those of Feeds that are not synced.
// Ended are the series that were in the previous run of this Reader and no longer exist.
// The run is a snapshot, unaffected by later changes; iterating over it takes no lock and
// does not allocate per series.
func (r *Reader) Run(now time.Time) *sink.Run {
	last, x := r.turn()
	return &sink.Run{Time: now, Series: x.Series(now), Checks: x.Checks(now), Ended: series.Ended(last, x, now)}
}

// Changes returns what changed since the previous run of this Reader: series that are new
// or have a new value, and Ended. Ages, which always change, count as unchanged. Checks are
// those of changed objects.
func (r *Reader) Changes(now time.Time) *sink.Run {
	last, x := r.turn()
	return &sink.Run{Time: now, Changes: true, Series: series.Changed(last, x, now), Checks: series.ChangedChecks(last, x, now), Ended: series.Ended(last, x, now)}
}

// turn takes a snapshot and returns it with the previous one.
func (r *Reader) turn() (last, now *series.Snapshot) {
	last, now = r.last, r.agent.state.Snapshot()
	r.last = now
	return last, now
}

// Reset forgets the previous run, so that the next one has no Ended series.
func (r *Reader) Reset() { r.last = nil }
