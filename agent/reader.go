package agent

import (
	"time"

	"github.com/kubestate/kubestate/agent/internal/series"
	"github.com/kubestate/kubestate/sink"
)

// Reader makes runs for one receiver, and remembers what was in the run before.
// It is used by one goroutine at a time.
type Reader struct {
	agent *Agent
	last  *series.Snapshot // nil: there was no run
}

// NewReader returns a Reader, one for each that runs are made for.
func (a *Agent) NewReader() *Reader { return &Reader{agent: a} }

// Run returns everything that there is now, without objects of Feeds that were not
// yet read completely. Ended are the series that the last run of this Reader had
// and that are gone, however long ago that was. The run stays as it is, whatever
// happens to objects meanwhile; walking it takes no lock and allocates nothing for
// a series.
func (r *Reader) Run(now time.Time) *sink.Run {
	last, x := r.turn()
	return &sink.Run{Time: now, Series: x.Series(now), Checks: x.Checks(now), Ended: series.Ended(last, x, now)}
}

// Changes returns what differs from the last run of this Reader: series that are
// new or have another value, and Ended. Ages, which always change, count as
// unchanged. Checks are those of objects that changed.
func (r *Reader) Changes(now time.Time) *sink.Run {
	last, x := r.turn()
	return &sink.Run{Time: now, Changes: true, Series: series.Changed(last, x, now), Checks: series.ChangedChecks(last, x, now), Ended: series.Ended(last, x, now)}
}

// turn replaces what is remembered of the last run.
func (r *Reader) turn() (last, now *series.Snapshot) {
	last, now = r.last, r.agent.state.Snapshot()
	r.last = now
	return last, now
}

// Reset forgets the last run: nothing has Ended in the next.
func (r *Reader) Reset() { r.last = nil }
