package series

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/kubestate/kubestate/sink"
)

// Snapshot is the resolved state at one moment.
type Snapshot struct {
	sets      []snapshotSet
	ambiguous map[*sink.Metric]bool // see ambiguity
}

// snapshotSet is a set of objects or groups.
type snapshotSet struct {
	slots   *slots
	objects []*object
}

// settleAtOnce is how many blocks are rebuilt before the lock is released for writers.
const settleAtOnce = 256

// Snapshot returns the current state.
func (s *State) Snapshot() *Snapshot {
	for done := false; !done; {
		s.mu.Lock()
		done = s.settle(settleAtOnce)
		s.mu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle(len(s.dirty)) // what was touched in between
	x := &Snapshot{ambiguous: s.interner.sources.found}
	for _, sets := range s.objects {
		for _, o := range sets {
			if o.synced {
				x.sets = append(x.sets, snapshotSet{&o.slots, o.slots.snapshot()})
			}
		}
	}
	for _, g := range s.groups {
		x.sets = append(x.sets, snapshotSet{&g.slots, g.slots.snapshot()})
	}
	return x
}

// seconds is the time at which ages are taken: values are whole seconds too.
func seconds(now time.Time) float64 { return float64(now.Unix()) }

// Series iterates over all series, with ages as of now.
func (x *Snapshot) Series(now time.Time) iter.Seq[*sink.Series] {
	return func(yield func(*sink.Series) bool) {
		var s sink.Series
		at := seconds(now)
		for i := range x.sets {
			for _, o := range x.sets[i].objects {
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

// Checks iterates over all service checks, as of now.
func (x *Snapshot) Checks(now time.Time) iter.Seq[*sink.Check] {
	return func(yield func(*sink.Check) bool) {
		for i := range x.sets {
			for _, o := range x.sets[i].objects {
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

// pairs calls f for all objects that differ between two snapshots, with the object in the
// same slot of the other one, nil if empty.
func pairs(last, now *Snapshot, f func(before, after *object) bool) {
	before := map[*slots][]*object{}
	if last != nil {
		for _, x := range last.sets {
			before[x.slots] = x.objects
		}
	}
	for _, x := range now.sets {
		old := before[x.slots]
		delete(before, x.slots)
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

// Changed iterates over the series that are new or have a new value.
func Changed(last, now *Snapshot, at time.Time) iter.Seq[*sink.Series] {
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

// ChangedChecks iterates over the service checks of changed objects.
func ChangedChecks(last, now *Snapshot, at time.Time) iter.Seq[*sink.Check] {
	return func(yield func(*sink.Check) bool) {
		pairs(last, now, func(_, after *object) bool { return after.showChecks(at, yield) })
	}
}

// hasSame reports whether series i equals series i of another object, ignoring the value.
func (o *object) hasSame(old *object, i int) bool {
	if i >= len(old.values) {
		return false
	}
	a, b := &old.shape.series[i], &o.shape.series[i]
	return a.metric == b.metric && old.blocks[a.block] == o.blocks[b.block] && slices.Equal(a.tags.get(), b.tags.get())
}
