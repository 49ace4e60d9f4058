package apiserver

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/watch"
)

// maxBatch bounds the changes handed to a watcher at once.
const maxBatch = 256

// event is one change of one object.
type event struct {
	version uint64
	kind    watch.EventType
	object  *Encoded // of a deletion: the last state under the deletion's version
	// previous is the state before, kept only where a selector could match one of
	// the two states and not the other.
	previous *Encoded
}

// eventLog keeps the last events of one resource. Store's lock guards it.
type eventLog struct {
	limit   int
	events  []event // oldest first
	dropped uint64  // version of the newest event that is no longer kept
	wake    chan struct{}
}

func (l *eventLog) append(e event) {
	l.events = append(l.events, e)
	if n := len(l.events) - l.limit; n > 0 {
		l.dropped = l.events[n-1].version
		// Moving the rest down only now and then keeps the cost per event constant.
		if n >= l.limit {
			l.events = slices.Delete(l.events, 0, n)
		}
	}
	if l.wake != nil {
		close(l.wake)
		l.wake = nil
	}
}

func (l *eventLog) clear() {
	if n := len(l.events); n > 0 {
		l.dropped = l.events[n-1].version
		l.events = nil
	}
}

// after returns a copy of the events that follow a version, at most maxBatch.
// ok is false if events between were dropped.
func (l *eventLog) after(version uint64) (events []event, ok bool) {
	rest, ok := l.all(version)
	return slices.Clone(rest[:min(len(rest), maxBatch)]), ok
}

// all returns the events that follow a version, which change with the log.
func (l *eventLog) all(version uint64) (events []event, ok bool) {
	if version < l.dropped {
		return nil, false
	}
	i, _ := slices.BinarySearchFunc(l.events, version+1, func(e event, v uint64) int {
		return cmp.Compare(e.version, v)
	})
	return l.events[i:], true
}

// changed returns a channel that the next append closes.
func (l *eventLog) changed() <-chan struct{} {
	if l.wake == nil {
		l.wake = make(chan struct{})
	}
	return l.wake
}
