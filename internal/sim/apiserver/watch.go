package apiserver

import (
	"context"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apimachinery/pkg/watch"
)

// watcher serves one watch. A single goroutine uses it.
type watcher struct {
	request
	server  *Server
	frames  *frameWriter
	version uint64 // everything up to here has been sent
}

func (s *Server) serveWatch(out *response, r *http.Request, req request, fault Fault) {
	start, problem := s.watchStart(req)
	if problem != nil {
		writeStatus(out, req.form.encoding, problem.Status())
		return
	}
	timeout := s.config.WatchTimeout
	if req.options.timeout > 0 {
		timeout = time.Duration(req.options.timeout) * time.Second
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	leave := s.watchers.enter(req.table.resource.Name, cancel)
	defer leave()

	out.Header().Set("Content-Type", req.form.encoding.contentType(true))
	out.WriteHeader(http.StatusOK)
	// The deadlines of the frames must not outlive the watch: the connection does.
	defer func() { _ = http.NewResponseController(out).SetWriteDeadline(time.Time{}) }()
	w := &watcher{request: req, server: s, version: start, frames: newFrameWriter(ctx, out, req.form, fault)}
	// A watch ends without a word: at its timeout, when it is cut or when the
	// client has gone. The client sees the end of the body.
	_ = w.run(ctx)
}

// watchStart checks the request and returns the version to start from; 0 means
// the present one with all objects as initial events.
func (s *Server) watchStart(req request) (uint64, *apierrors.StatusError) {
	if problem := req.checkStreaming(); problem != nil {
		return 0, problem
	}
	return parseVersion(req.options.version)
}

// checkStreaming rejects the combinations of parameters that the real server
// rejects.
func (r *request) checkStreaming() *apierrors.StatusError {
	path := field.NewPath("resourceVersionMatch")
	var problem *field.Error
	switch match := r.options.match; {
	case r.verb == VerbWatch && match != "":
		problem = field.Forbidden(path, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided")
	case r.verb == VerbWatchList && match != metav1.ResourceVersionMatchNotOlderThan:
		problem = field.Forbidden(path, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
	default:
		return nil
	}
	return invalidOptions(problem)
}

func invalidOptions(problem *field.Error) *apierrors.StatusError {
	return apierrors.NewInvalid(schema.GroupKind{Group: metav1.GroupName, Kind: "ListOptions"}, "", field.ErrorList{problem})
}

// run sends the initial events if the request asks for them and then every
// change, until the context ends or the client falls too far behind.
func (w *watcher) run(ctx context.Context) error {
	if err := w.begin(); err != nil {
		return err
	}
	bookmarks := time.NewTicker(w.server.config.BookmarkInterval)
	defer bookmarks.Stop()
	for {
		changes, version, wait, ok := w.server.store.next(w.table, w.version)
		if !ok {
			return nil // too slow: cut, as the real server does
		}
		for _, change := range changes {
			if err := w.change(change); err != nil {
				return err
			}
		}
		w.version = version
		if len(changes) > 0 && ctx.Err() == nil {
			continue
		}
		if err := w.frames.flush(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-wait:
		case <-bookmarks.C:
			if err := w.bookmark(false); err != nil {
				return err
			}
		}
	}
}

// begin sends what comes before the changes.
func (w *watcher) begin() error {
	if err := w.frames.disturb(); err != nil {
		return err
	}
	store := w.server.store
	if w.verb == VerbWatch && w.version > 0 {
		if oldest, ok := store.canWatch(w.table, w.version); !ok {
			return w.tooOld(oldest)
		}
		if w.frames.fault.Effect == EffectGoBack {
			return w.bookmarkAt(w.version-1, false)
		}
		return nil
	}
	objects, version := store.list(w.table)
	if wanted := w.version; wanted > version {
		return w.frames.status(tooLargeVersion(wanted, version).Status())
	}
	for _, e := range objects {
		if !w.selects(e) {
			continue
		}
		if err := w.frames.object(watch.Added, e); err != nil {
			return err
		}
	}
	w.version = version
	if w.verb == VerbWatchList {
		return w.bookmark(true)
	}
	return nil
}

// change sends one change as the watch's selector sees it: an object that
// enters the selection is added, one that leaves it is deleted.
func (w *watcher) change(c event) error {
	was, is := w.selects(c.object), w.selects(c.object)
	if c.previous != nil {
		was = w.selects(c.previous)
	}
	switch {
	case c.kind != watch.Modified && is, was && is:
		return w.frames.object(c.kind, c.object)
	case is:
		return w.frames.object(watch.Added, c.object)
	case was && c.kind == watch.Modified:
		last, err := c.previous.at(c.version)
		if err != nil {
			return err
		}
		return w.frames.object(watch.Deleted, last)
	}
	return nil
}

func (w *watcher) bookmark(endOfInitialEvents bool) error {
	return w.bookmarkAt(w.version, endOfInitialEvents)
}

func (w *watcher) bookmarkAt(version uint64, endOfInitialEvents bool) error {
	if !w.options.bookmarks {
		return nil
	}
	e, err := w.table.resource.bookmark(version, endOfInitialEvents)
	if err != nil {
		return err
	}
	return w.frames.object(watch.Bookmark, e)
}

// tooOld sends an error in the stream that makes the client relist.
func (w *watcher) tooOld(oldest uint64) error {
	return w.frames.status(expired("too old resource version: " + formatVersion(w.version) + " (" + formatVersion(oldest) + ")").Status())
}
