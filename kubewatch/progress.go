package kubewatch

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// This file judges how a watch ended and decides what follows: resuming it, reading
// all objects again, and how long to wait before either.
//
// A watch makes progress when its resourceVersion moves. One that stays open for
// provenAfter works, too, as most objects rarely change. Anything else is a setback: the
// first is often a connection that broke and is resumed, from the second on the watch is
// failing and all objects are listed again before each attempt.

const (
	// provenAfter is how long a watch must stay open to count as working.
	provenAfter = 10 * time.Second
	// fruitlessLimit is how long watches may be resumed at one resourceVersion, if the
	// server keeps ending them early, before all objects are read again.
	fruitlessLimit = 5 * time.Minute
	// staleDelay replaces longestDelay while stored objects may be outdated and the
	// server answers, so that they are current again soon after it recovers.
	staleDelay = 10 * time.Second
	// patience is how many setbacks in a row lead to a relist; a server that throttles
	// gets more, because listing is what it can afford least.
	patience, throttledPatience = 2, 5
	// maxUndecodable bounds the events in a row that a watch cannot decode.
	maxUndecodable = 100
)

var (
	// errNoProgress is for watches that end early and brought nothing new.
	errNoProgress = errors.New("no progress")
	// errWentBack means that the server was restored from a backup or replaced.
	errWentBack = errors.New("resourceVersion went back")
)

// progress describes the watch that runs or ran last.
type progress struct {
	watched     bool // it started: the initial list, if any, is complete
	began       time.Time
	proven      *time.Timer // fires when the watch has been open for provenAfter
	moved       bool        // version moved
	undecodable int         // events since the last that could be decoded

	movedAt   time.Time // when version last moved, by this watch, one before or a list
	setbacks  int       // in a row
	expiredAt string    // version that the server last rejected as too old
}

// watching notes that a watch has started.
func (w *watcher) watching(a *answer) {
	a.idle = watchIdle
	p := &w.progress
	p.watched, p.moved, p.undecodable, p.began = true, false, 0, time.Now()
	p.proven = time.AfterFunc(provenAfter, w.tracker.recovered)
	w.tracker.watching()
}

// advance moves version on to that of an event. The error is errWentBack if it is older.
func (w *watcher) advance(version string) error {
	if version == "" || version == w.version {
		return nil
	}
	if older(version, w.version) {
		return fmt.Errorf("%w from %s to %s", errWentBack, w.version, version)
	}
	w.version = version
	p := &w.progress
	p.movedAt = time.Now()
	if !p.moved {
		p.moved, p.setbacks = true, 0
		w.tracker.recovered()
	}
	return nil
}

// older reports whether a resourceVersion is older than another. Versions that are not
// decimal numbers cannot be compared.
func older(version, than string) bool {
	a, errA := strconv.ParseUint(version, 10, 64)
	b, errB := strconv.ParseUint(than, 10, 64)
	return errA == nil && errB == nil && a < b
}

// undecodable notes an event that cannot be decoded and is skipped. A watch that brings
// nothing else does not work, which the error says.
func (w *watcher) undecodable(err error) error {
	w.tracker.undecodable(err)
	if !w.complete {
		return nil
	}
	p := &w.progress
	p.proven.Stop()
	if p.undecodable++; p.undecodable >= maxUndecodable {
		return fmt.Errorf("%w: %d events in a row cannot be decoded, the last: %w", errInvalidResponse, p.undecodable, err)
	}
	return nil
}

// ended judges the end of a watch that consume returned err for. It returns nil if the
// watch worked and is resumed where it ended.
func (w *watcher) ended(err error) error {
	p := &w.progress
	p.proven.Stop()
	lasted := time.Since(p.began)
	worked := p.moved || lasted >= provenAfter && p.undecodable == 0
	if errors.Is(err, errStalled) {
		return err
	}
	if worked {
		p.setbacks = 0
	}
	switch {
	case err == nil && !worked:
		return fmt.Errorf("%w: ended after %v", errNoProgress, lasted.Round(time.Millisecond))
	case err != nil && (!worked || !cut(err)):
		return err
	case err != nil:
		w.interrupted(err)
	}
	if lasted < shortestWatch*4/5 && time.Since(p.movedAt) > fruitlessLimit {
		w.log.Debug("watches keep ending early and bring nothing; relisting")
		w.complete = false
	}
	return nil
}

// endedStream judges the end of a streaming list that was complete. One that ended soon
// after that counts as a list, so that watching is still to be tried.
func (w *watcher) endedStream(err error) error {
	err = w.ended(err)
	p := &w.progress
	if err == nil || p.moved || time.Since(p.began) >= provenAfter || p.setbacks == 0 && cut(err) {
		return err
	}
	w.interrupted(err)
	p.watched = false
	return nil
}

// cut reports whether err means that the connection of a watch broke.
func cut(err error) bool { return errors.Is(err, errBroken) && reason(err) == Unreachable }

func (w *watcher) interrupted(err error) {
	w.tracker.count(func(c *Counts) { c.Interruptions++ })
	w.log.Debug("watch interrupted; resuming", "err", err)
}

// settle decides what follows the end of a turn and returns how long to wait before the
// next.
func (w *watcher) settle(err error) time.Duration {
	if err == nil {
		return max(0, firstDelay-time.Since(w.progress.began))
	}
	following, p := w.complete, &w.progress
	if following && answered(err) {
		p.setbacks++
	}
	longest := longestDelay
	if w.tracker.snapshot().Synced && refused(err) && (!following || p.setbacks < patience) {
		longest = staleDelay
	}
	delay := w.backoff.next(time.Now(), longest)
	if seconds, ok := apierrors.SuggestsClientDelay(err); ok {
		delay = max(delay, min(time.Duration(seconds)*time.Second, longest))
	}
	switch {
	case !following:
		w.quorum = w.quorum || outdated(err)
		w.tracker.failed(err)
	case outdated(err):
		w.complete = false
		// A list that has expired by the time it is read is of no use.
		w.quorum = !expired(err) || p.setbacks > patience || p.expiredAt == w.version
		p.expiredAt = w.version
		if p.setbacks <= patience { // a connection that broke before is no failure yet
			w.log.Info("relisting: the server cannot resume the watch", "resourceVersion", w.version, "err", err)
		} else {
			w.tracker.failed(err)
		}
	case p.setbacks < patience && (cut(err) || errors.Is(err, errNoProgress)):
		w.interrupted(err)
	default:
		w.complete = !w.stuck(err, delay)
		w.tracker.failed(err)
	}
	return delay
}

// stuck reports whether to list all objects again rather than to resume from version:
// the server rejects it, or keeps answering without progress.
func (w *watcher) stuck(err error, delay time.Duration) bool {
	switch {
	case !answered(err):
		return false
	case apierrors.IsTooManyRequests(err):
		return w.progress.setbacks >= throttledPatience
	}
	return apierrors.IsBadRequest(err) || apierrors.IsInvalid(err) || w.progress.setbacks >= patience || delay > 2*firstDelay
}

// outdated reports whether the server can neither resume from a resourceVersion nor list
// a state not older.
func outdated(err error) bool { return expired(err) || ahead(err) || errors.Is(err, errWentBack) }

// refused reports whether err is an error response of the server other than a request
// for patience.
func refused(err error) bool {
	_, status := errors.AsType[*apierrors.StatusError](err)
	return status && !apierrors.IsTooManyRequests(err)
}

// answered reports whether a server answered at all, well or badly.
func answered(err error) bool {
	_, status := errors.AsType[*apierrors.StatusError](err)
	return status || errors.Is(err, errBroken) || errors.Is(err, errNoProgress) || errors.Is(err, errInvalidResponse)
}
