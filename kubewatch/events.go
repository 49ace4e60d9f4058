package kubewatch

import (
	"errors"
	"fmt"
	"io"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/kubestate/kubestate/kind"
)

// consume handles one event after another until the watch ends.
func (w *watcher) consume(a *answer) (err error) {
	frames, initial := a.codec.frames(a), &intake{watcher: w, codec: a.codec, events: true}
	defer func() { // after a panic, too: the workers must be done with the store
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
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %w", errBroken, err)
		}
	}
}

// receive decodes an event and applies it, or leaves that to initial. An event
// that cannot be decoded is skipped; an error ends the watch.
func (w *watcher) receive(a *answer, initial *intake, frame []byte) error {
	e, err := a.codec.event(frame)
	if errors.Is(err, errNotPrinted) {
		return err
	}
	if err != nil {
		return w.undecodable(fmt.Errorf("watch %s: %w", w.scope, err))
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
	own := true
	filter := w.whole // an annotation of a bookmark says what it marks
	if e.Type != watch.Bookmark {
		own = w.owns(a.codec, e.Object)
		filter = w.filterFor(own)
	}
	if cap(w.buf) > maxKept {
		w.buf = nil
	}
	w.buf = a.codec.strip(w.buf[:0], e.Object, filter)
	object := w.watch.Table.New()
	decode := w.decode
	if e.Type == watch.Bookmark {
		decode = w.decodeNameless
	}
	if err := decode(a.codec, w.buf, object); err != nil {
		return w.undecodable(fmt.Errorf("event %s: %w", e.Type, err))
	}
	return w.apply(a, e.Type, object, own)
}

// decode reads an object of the watched kind. It is safe for concurrent use.
func (w *watcher) decode(c codec, raw []byte, into kind.Object) error {
	if err := w.decodeNameless(c, raw, into); err != nil {
		return err
	}
	if into.GetName() == "" {
		return fmt.Errorf("decode %s: an object without a name", w.watch.Table.Name)
	}
	return nil
}

// decodeNameless is decode for bookmarks, which have no name.
func (w *watcher) decodeNameless(c codec, raw []byte, into kind.Object) error {
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

// apply stores what an event brought, an object of the own shard or of another.
func (w *watcher) apply(a *answer, e watch.EventType, object kind.Object, own bool) error {
	switch {
	case e == watch.Bookmark && !w.complete:
		return w.endOfInitialEvents(a, object)
	case e != watch.Added && e != watch.Modified && e != watch.Deleted && e != watch.Bookmark:
		return w.undecodable(fmt.Errorf("watch %s: event of unknown type %q", w.scope, e))
	}
	w.progress.undecodable = 0
	if w.complete { // initial events come in no order of versions
		if err := w.advance(object.GetResourceVersion()); err != nil {
			return err
		}
	}
	switch e {
	case watch.Added, watch.Modified:
		w.put(object, own)
	case watch.Deleted:
		if s := w.storeFor(own); s != nil {
			s.Delete(object.GetNamespace(), object.GetName())
		}
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
	w.watching(a)
	return nil
}

// commit ends a full read. A list older than what is known may come from a cache that
// lags behind; it is accepted only as the newest state.
func (w *watcher) commit(version string) error {
	switch {
	case version == "":
		return fmt.Errorf("%w: a list without a resourceVersion", errInvalidResponse)
	case !w.quorum && older(version, w.version):
		return fmt.Errorf("%w from %s to %s", errWentBack, w.version, version)
	}
	w.watch.Store.Commit()
	w.complete, w.quorum, w.version = true, false, version
	w.progress.movedAt = time.Now()
	w.tracker.committed(version)
	return nil
}
