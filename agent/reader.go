package agent

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/kubestate/kubestate/sink"
)

// Reader makes runs for one receiver, and remembers what was in the run before.
// It is used by one goroutine at a time.
type Reader struct {
	agent *Agent
	last  *snapshot // nil: there was no run
}

// NewReader returns a Reader, one for each that runs are made for.
func (a *Agent) NewReader() *Reader { return &Reader{agent: a} }

// snapshot is everything that was resolved at one moment.
type snapshot struct {
	shelves []shelved
	twins   map[*sink.Metric]bool // see twins
}

// shelved is what stood on a shelf.
type shelved struct {
	shelf   *shelf
	objects []*object
}

// settleAtOnce is how many blocks are made anew before those who feed the Agent
// get a turn.
const settleAtOnce = 256

// snapshot returns what is resolved now.
func (a *Agent) snapshot() *snapshot {
	s := &a.state
	for done := false; !done; {
		s.mu.Lock()
		done = s.settle(settleAtOnce)
		s.mu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle(len(s.dirty)) // what was touched in between
	x := &snapshot{twins: s.twins.found}
	for _, feeds := range a.feeds {
		for _, f := range feeds {
			if f.shelf.published {
				x.shelves = append(x.shelves, shelved{f.shelf, f.shelf.all()})
			}
		}
	}
	for _, g := range s.groups {
		x.shelves = append(x.shelves, shelved{g.shelf, g.shelf.all()})
	}
	return x
}

// Run returns everything that there is now, without objects of Feeds that were not
// yet read completely. Ended are the series that the last run of this Reader had
// and that are gone, however long ago that was. The run stays as it is, whatever
// happens to objects meanwhile; walking it takes no lock and allocates nothing for
// a series.
func (r *Reader) Run(now time.Time) *sink.Run {
	last, x := r.turn()
	return &sink.Run{Time: now, Series: x.series(now), Checks: x.checks(now), Ended: ended(last, x, now)}
}

// Changes returns what differs from the last run of this Reader: series that are
// new or have another value, and Ended. Ages, which always change, count as
// unchanged. Checks are those of objects that changed.
func (r *Reader) Changes(now time.Time) *sink.Run {
	last, x := r.turn()
	return &sink.Run{Time: now, Changes: true, Series: changed(last, x, now), Checks: changedChecks(last, x, now), Ended: ended(last, x, now)}
}

// turn replaces what is remembered of the last run.
func (r *Reader) turn() (last, now *snapshot) {
	last, now = r.last, r.agent.snapshot()
	r.last = now
	return last, now
}

// Reset forgets the last run: nothing has Ended in the next.
func (r *Reader) Reset() { r.last = nil }

// seconds is the time at which ages are taken: values are whole seconds too.
func seconds(now time.Time) float64 { return float64(now.Unix()) }

func (x *snapshot) series(now time.Time) iter.Seq[*sink.Series] {
	return func(yield func(*sink.Series) bool) {
		var s sink.Series
		at := seconds(now)
		for i := range x.shelves {
			for _, o := range x.shelves[i].objects {
				if o == nil {
					continue
				}
				for j := range o.values {
					o.show(&s, j, at)
					if !yield(&s) {
						return
					}
				}
			}
		}
	}
}

// show makes s series i as it is sent.
func (o *object) show(s *sink.Series, i int, at float64) {
	from := &o.shape.series[i]
	s.Metric, s.Block, s.Tags, s.Value, s.Start = from.metric, o.blocks[from.block], from.tags.get(), o.values[i], 0
	if from.start > 0 {
		s.Start = o.extra.starts[from.start-1]
	}
	if from.moving {
		s.Value = o.extra.moving[int(o.values[i])].Get()
	}
	if from.age {
		s.Value = at - s.Value
	}
}

func (x *snapshot) checks(now time.Time) iter.Seq[*sink.Check] {
	return func(yield func(*sink.Check) bool) {
		for i := range x.shelves {
			for _, o := range x.shelves[i].objects {
				if !o.showChecks(now, yield) {
					return
				}
			}
		}
	}
}

func (o *object) showChecks(now time.Time, yield func(*sink.Check) bool) bool {
	checks := o.checks()
	for i := range checks {
		c := &checks[i]
		x := sink.Check{Name: c.name.Name, Status: c.status, Message: c.message, Block: o.blocks[c.block], Tags: c.tags.get()}
		if late := seconds(now) - c.due; c.due != 0 && late > 0 {
			x.Status = sink.Critical
			x.Message = strings.TrimSpace(fmt.Sprintf("%s late by %.0f seconds", c.message, late))
		}
		if !yield(&x) {
			return false
		}
	}
	return true
}

// pairs calls f for all objects that two snapshots have not in common, with what
// stood in the same place; nil: nothing.
func pairs(last, now *snapshot, f func(before, after *object) bool) {
	before := map[*shelf][]*object{}
	if last != nil {
		for _, x := range last.shelves {
			before[x.shelf] = x.objects
		}
	}
	for _, x := range now.shelves {
		old := before[x.shelf]
		delete(before, x.shelf)
		for i := range max(len(old), len(x.objects)) {
			var a, b *object
			if i < len(old) {
				a = old[i]
			}
			if i < len(x.objects) {
				b = x.objects[i]
			}
			if a != b && !f(a, b) {
				return
			}
		}
	}
}

// changed walks the series that are new or have another value.
func changed(last, now *snapshot, at time.Time) iter.Seq[*sink.Series] {
	return func(yield func(*sink.Series) bool) {
		var s sink.Series
		pairs(last, now, func(before, after *object) bool {
			if after == nil {
				return true
			}
			for i := range after.values {
				if before != nil && after.hasSame(before, i) && sameValue(after.values[i], before.values[i]) {
					continue
				}
				after.show(&s, i, seconds(at))
				if !yield(&s) {
					return false
				}
			}
			return true
		})
	}
}

func changedChecks(last, now *snapshot, at time.Time) iter.Seq[*sink.Check] {
	return func(yield func(*sink.Check) bool) {
		pairs(last, now, func(_, after *object) bool { return after.showChecks(at, yield) })
	}
}

// hasSame reports whether series i is, but for the value, series i of another object.
func (o *object) hasSame(old *object, i int) bool {
	if i >= len(old.values) {
		return false
	}
	a, b := &old.shape.series[i], &o.shape.series[i]
	return a.metric == b.metric && old.blocks[a.block] == o.blocks[b.block] && slices.Equal(a.tags.get(), b.tags.get())
}
