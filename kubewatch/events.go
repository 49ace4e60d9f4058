package kubewatch

import (
	"errors"
	"fmt"
	"io"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/kubestate/kubestate/kind"
)

// consume handles one event after another until the watch ends, and returns how
// many there were.
func (w *watcher) consume(a *answer) (events int, err error) {
	frames, initial := a.codec.frames(a), &intake{watcher: w, codec: a.codec, events: true}
	defer func() { // after a panic, too: what follows begins anew with the store
		if fault := initial.wait(); fault != nil {
			err = fault
		}
	}()
	for {
		if w.complete {
			frames.calm()
		}
		frame, err := frames.next()
		if err == nil {
			err = w.receive(a, initial, frame)
		}
		if errors.Is(err, io.EOF) {
			return events, nil
		}
		if err != nil {
			return events, fmt.Errorf("%w: %w", errBroken, err)
		}
		events++
	}
}

// receive decodes an event and applies it, or leaves that to initial. An event
// that cannot be decoded is left out; an error ends the watch.
func (w *watcher) receive(a *answer, initial *intake, frame []byte) error {
	e, err := a.codec.event(frame)
	if err != nil {
		w.tracker.undecodable(fmt.Errorf("watch %s: %w", w.scope, err))
		return nil
	}
	if !w.complete {
		// Until the end mark objects come once, as added. Whatever else happens to
		// one meanwhile has to be stored after that.
		if e.Type == watch.Added {
			initial.put(e.Object)
			return nil
		}
		if err := initial.wait(); err != nil {
			return err
		}
	}
	if e.Type == watch.Error {
		w.tracker.received(e.Type, w.version)
		return serverError(a.codec, e.Object)
	}
	filter := w.filter
	if e.Type == watch.Bookmark {
		filter = nil // an annotation says what it marks
	}
	if cap(w.buf) > maxKept {
		w.buf = nil
	}
	w.buf = a.codec.strip(w.buf[:0], e.Object, filter)
	object := w.watch.Table.New()
	if err := w.decode(a.codec, w.buf, object); err != nil {
		w.tracker.undecodable(fmt.Errorf("event %s: %w", e.Type, err))
		return nil
	}
	return w.apply(a, e.Type, object)
}

// decode reads an object of the watched kind. It is safe for concurrent use.
func (w *watcher) decode(c codec, raw []byte, into kind.Object) error {
	if err := c.decode(raw, into); err != nil {
		// Metadata comes first, so that the name is often known all the same.
		return fmt.Errorf("decode %s %q in namespace %q: %w", w.watch.Table.Name, into.GetName(), into.GetNamespace(), err)
	}
	return nil
}

func serverError(c codec, raw []byte) error {
	var status metav1.Status
	if err := c.decode(raw, &status); err != nil {
		return fmt.Errorf("%w: error event: %w", errInvalidResponse, err)
	}
	return statusError(status, 0, 0)
}

func (w *watcher) apply(a *answer, e watch.EventType, object kind.Object) error {
	switch e {
	case watch.Added, watch.Modified:
		w.watch.Store.Put(object)
	case watch.Deleted:
		w.watch.Store.Delete(object.GetNamespace(), object.GetName())
	case watch.Bookmark:
		if !w.complete {
			return w.endOfInitialEvents(a, object)
		}
	default:
		w.tracker.undecodable(fmt.Errorf("watch %s: event of unknown type %q", w.scope, e))
		return nil
	}
	// Initial events come in no order of versions.
	if version := object.GetResourceVersion(); w.complete && version != "" {
		w.version = version
	}
	w.tracker.received(e, w.version)
	return nil
}

func (w *watcher) endOfInitialEvents(a *answer, bookmark kind.Object) error {
	if bookmark.GetAnnotations()[metav1.InitialEventsAnnotationKey] != "true" {
		return fmt.Errorf("%w: a bookmark among the initial events", errNoStreaming)
	}
	w.tracker.received(watch.Bookmark, w.version)
	if err := w.commit(bookmark.GetResourceVersion()); err != nil {
		return err
	}
	a.idle = watchIdle
	w.tracker.watching()
	return nil
}

// commit ends a full read.
func (w *watcher) commit(version string) error {
	if version == "" {
		return fmt.Errorf("%w: a list without a resourceVersion", errInvalidResponse)
	}
	w.watch.Store.Commit()
	w.complete, w.quorum, w.version = true, false, version
	w.tracker.committed(version)
	return nil
}
