package kubewatch

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/kubestate/kubestate/internal/logged"
	"github.com/kubestate/kubestate/kind"
)

// State is what a watch is doing.
type State string

// The states of a watch.
const (
	Connecting State = "connecting" // asking the server
	Syncing    State = "syncing"    // a full read is arriving
	Synced     State = "synced"     // changes are followed
	Failing    State = "failing"    // the last attempt failed; another follows
)

// Reasons for failing that are not of the API server. Its own are those of
// metav1.StatusReason, such as "Forbidden", or "NotFound" for a missing kind.
const (
	// Unreachable means that the server does not answer, or not to the end.
	Unreachable = "Unreachable"
	// InvalidResponse means that the server sends something other than objects.
	InvalidResponse = "InvalidResponse"
	// NoProgress means that the server accepts watches but ends them at once.
	NoProgress = "NoProgress"
	// Panicked means that a fault in this program ended the attempt.
	Panicked = "Panicked"
)

// Status is what is known about one watch at one moment.
type Status struct {
	Resource      kind.Resource
	Namespace     string // as in Watch
	FieldSelector string // as in Watch

	State State
	Since time.Time // when State was entered
	// Synced says that the store has been complete once. It stays true: what is
	// stored is served while the server is away.
	Synced bool
	// Reason is a word for why the watch fails and Error the text; both are empty
	// unless State is Failing.
	Reason, Error string

	LastEvent       time.Time // zero: none yet
	ResourceVersion string    // up to which changes are stored; empty: none known
	Counts          Counts
}

// Counts says how often something happened since the start.
type Counts struct {
	Lists, ListErrors    uint64 // full reads, as streaming or paged lists
	Watches, WatchErrors uint64 // watches that began, and that did not
	Relists              uint64 // full reads begun after the first complete one
	Interruptions        uint64 // watches that broke off and were resumed

	Added, Modified, Deleted, Bookmarks, Errors uint64 // events by type
	DecodeErrors                                uint64 // objects and events that could not be read
}

// panicked is the error made of a recovered panic.
type panicked struct{ text string }

func (p panicked) Error() string { return "panic: " + p.text }

// reason returns the word for an error.
func reason(err error) string {
	if status, ok := errors.AsType[*apierrors.StatusError](err); ok {
		if r := status.Status().Reason; r != metav1.StatusReasonUnknown {
			return string(r)
		}
		return InvalidResponse
	}
	if _, ok := errors.AsType[panicked](err); ok {
		return Panicked
	}
	if errors.Is(err, errInvalidResponse) || errors.Is(err, errWentBack) {
		return InvalidResponse
	}
	if errors.Is(err, errNoProgress) {
		return NoProgress
	}
	return Unreachable
}

// tracker keeps the Status of a watch and logs when it starts or stops failing.
// It is safe for concurrent use.
type tracker struct {
	changes *changes // signaled after each change of state, and after each list; nil: nobody waits
	log     *slog.Logger
	outage  *outage // shared by the watches of a group

	mu     sync.Mutex
	status Status
	turned time.Time       // when the loop last made a step
	logged string          // the last logged reason that is the resource's own, until it recovers
	faults logged.Messages // decode errors that were logged
}

func (t *tracker) snapshot() Status {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.status
}

// count changes the counters.
func (t *tracker) count(change func(*Counts)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(&t.status.Counts)
	t.signal()
}

func (t *tracker) enter(s State) {
	if t.status.State != s {
		t.status.State, t.status.Since = s, time.Now()
		t.signal()
	}
}

func (t *tracker) signal() {
	if t.changes != nil {
		t.changes.signal()
	}
}

// proceed enters Connecting or Syncing. A watch that fails goes on failing until
// it recovers.
func (t *tracker) proceed(s State) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.turned = time.Now()
	if t.status.State != Failing {
		t.enter(s)
	}
}

// committed notes the end of a full read. A failing watch goes on failing until it
// works: that a list succeeded does not show it.
func (t *tracker) committed(version string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.turned = time.Now()
	t.status.Counts.Lists++
	t.status.Synced = true
	t.signal()
	t.status.ResourceVersion = version
	t.synced()
}

// watching notes that a watch began, which does not yet show that it works.
func (t *tracker) watching() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.status.Counts.Watches++
	t.synced()
}

func (t *tracker) synced() {
	if t.status.State != Failing {
		t.enter(Synced)
	}
}

// received notes an event and how far changes are stored now.
func (t *tracker) received(e watch.EventType, version string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.turned = time.Now()
	t.status.LastEvent = time.Now()
	t.status.ResourceVersion = version
	c := &t.status.Counts
	switch e {
	case watch.Added:
		c.Added++
	case watch.Modified:
		c.Modified++
	case watch.Deleted:
		c.Deleted++
	case watch.Bookmark:
		c.Bookmarks++
	case watch.Error:
		c.Errors++
	}
}

// added notes initial events.
func (t *tracker) added(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.turned = time.Now()
	t.status.LastEvent = t.turned
	t.status.Counts.Added += uint64(n)
}

// recovered notes that the watch works.
func (t *tracker) recovered() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.status.State != Failing {
		return
	}
	level := t.outage.recovered(t)
	t.log.Log(context.Background(), level, "watch recovered", "duration", time.Since(t.status.Since).Round(time.Second))
	t.status.Reason, t.status.Error, t.logged = "", "", ""
	t.enter(Synced)
}

// failed notes a failed attempt. Only the first of several with one reason is
// logged.
func (t *tracker) failed(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.turned = time.Now()
	why := reason(err)
	if t.status.State != Failing || t.status.Reason != why {
		text := "watch failed; retrying"
		if why == Unreachable {
			text = "cannot reach API server; retrying"
		}
		level := t.outage.failed(t, why)
		if why == t.logged {
			level = slog.LevelDebug
		}
		if !ofServer(why) {
			t.logged = why
		}
		t.log.Log(context.Background(), level, text, "reason", why, "err", err)
	}
	t.status.Reason, t.status.Error = why, err.Error()
	t.enter(Failing)
}

// undecodable notes an object that could not be read. An error that recurs is
// logged once.
func (t *tracker) undecodable(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.status.Counts.DecodeErrors++
	if t.faults.New(err.Error()) {
		t.log.Warn("object skipped", "err", err)
	}
}
