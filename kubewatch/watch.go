package kubewatch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"runtime/debug"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/kubestate/kubestate/kind"
)

const (
	// The server ends a watch after a time that we choose at random from here up
	// to twice as long, so that watches spread over servers and over time.
	shortestWatch = 5 * time.Minute
	// watchIdle is how long a watch may bring nothing, not even a bookmark, until
	// we give it up. By then the server should have ended it.
	watchIdle = 2*shortestWatch + 30*time.Second
	// A watch that ends sooner than hasty, without an event, is not resumed at once.
	hasty = time.Second
	// refusalLasts is how long a refusal of streaming lists is remembered. Servers
	// are upgraded under us. Each watch remembers its own, because aggregated API
	// servers behind one address differ.
	refusalLasts = 30 * time.Minute
	// longestRetryAfter bounds the delay that a server may ask for.
	longestRetryAfter = 5 * time.Minute
)

var (
	// errNoStreaming says that the server does not know streaming lists.
	errNoStreaming = errors.New("streaming list refused")
	// errBroken says that a watch began and did not end as watches do.
	errBroken = errors.New("broke off")
)

// watcher keeps one store up to date. Only its tracker is for other goroutines.
type watcher struct {
	client  *Client
	watch   Watch
	tracker *tracker
	log     *slog.Logger
	backoff backoff
	paths   []string // one per version of the resource, the one in use first
	scope   string   // what is read, for errors

	complete     bool      // the store has everything up to version; changes can be followed
	version      string    // resourceVersion of the newest state known; empty: none
	quorum       bool      // the server did not accept version for a full read
	brokeAt      string    // version when a watch last ended for other reasons than time and network
	refusedUntil time.Time // streaming lists are not asked for before
}

func newWatcher(c *Client, watch Watch, log *slog.Logger) *watcher {
	r := watch.Table.Resource
	w := &watcher{client: c, watch: watch, log: log.With("resource", r.Name), scope: r.Name, paths: paths(r, watch.Namespace)}
	if watch.Namespace != "" {
		w.scope += " in namespace " + watch.Namespace
		w.log = w.log.With("namespace", watch.Namespace)
	}
	w.tracker = &tracker{log: w.log, turned: time.Now(), status: Status{
		Resource: r, Namespace: watch.Namespace, FieldSelector: watch.FieldSelector,
		State: Connecting, Since: time.Now(),
	}}
	return w
}

// paths returns where the API has the resource, in each of its versions.
func paths(r kind.Resource, namespace string) []string {
	group, scope := "/api/", ""
	if r.Group != "" {
		group = "/apis/" + r.Group + "/"
	}
	if namespace != "" {
		scope = "/namespaces/" + url.PathEscape(namespace)
	}
	paths := []string{group + r.Version + scope + "/" + r.Name}
	for _, older := range r.Older {
		paths = append(paths, group+older+scope+"/"+r.Name)
	}
	return paths
}

func (w *watcher) run(ctx context.Context) {
	for ctx.Err() == nil {
		w.tracker.proceed(Connecting)
		err := w.attempt(ctx)
		if ctx.Err() != nil {
			return
		}
		select {
		case <-time.After(w.settle(err)):
		case <-ctx.Done():
		}
	}
}

// attempt is turn, with a panic as an error.
func (w *watcher) attempt(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			// What the store holds is uncertain now.
			w.complete = false
			w.log.Error("panic in a watch", "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("watch %s: %w", w.scope, panicked{fmt.Sprint(p)})
		}
	}()
	return w.turn(ctx)
}

// turn reads all objects if it has to and follows changes until the watch ends.
// Without an error the watch ended as watches do and is to be resumed.
func (w *watcher) turn(ctx context.Context) error {
	if w.complete {
		return w.follow(ctx)
	}
	if w.tracker.snapshot().Synced {
		w.tracker.count(func(c *Counts) { c.Relists++ })
	}
	if !time.Now().Before(w.refusedUntil) {
		err := w.stream(ctx)
		if !errors.Is(err, errNoStreaming) {
			return err
		}
		w.log.Debug("server refuses streaming lists; reading pages", "error", err)
		w.refusedUntil = time.Now().Add(refusalLasts)
	}
	if err := w.list(ctx); err != nil {
		w.tracker.count(func(c *Counts) { c.ListErrors++ })
		return err
	}
	return w.follow(ctx)
}

func (w *watcher) query() url.Values {
	query := url.Values{}
	if w.watch.FieldSelector != "" {
		query.Set("fieldSelector", w.watch.FieldSelector)
	}
	return query
}

func (w *watcher) watchQuery() url.Values {
	query := w.query()
	query.Set("watch", "true")
	query.Set("allowWatchBookmarks", "true")
	seconds := int(shortestWatch.Seconds())
	query.Set("timeoutSeconds", strconv.Itoa(seconds+rand.N(seconds)))
	if w.version != "" && !w.quorum {
		query.Set("resourceVersion", w.version)
	}
	return query
}

// get sends a request for the resource. Where the server does not have the
// version in use, it is the next from then on.
func (w *watcher) get(ctx context.Context, query url.Values, accept string) (a *answer, err error) {
	for range w.paths {
		a, err = w.client.get(ctx, w.paths[0], query, accept)
		if !apierrors.IsNotFound(err) {
			break
		}
		w.paths = append(w.paths[1:], w.paths[0])
	}
	return a, err
}

// stream reads all objects as the first events of a watch, which it then follows.
func (w *watcher) stream(ctx context.Context) error {
	query := w.watchQuery()
	query.Set("sendInitialEvents", "true")
	query.Set("resourceVersionMatch", string(metav1.ResourceVersionMatchNotOlderThan))
	a, err := w.get(ctx, query, acceptWatch)
	if err == nil {
		defer a.close()
		w.watch.Store.Begin()
		w.tracker.proceed(Syncing)
		_, err = w.consume(a)
		// A server that does not know streaming lists may take the request for a
		// plain watch, which has no end mark.
		if !w.complete && (err == nil || errors.Is(err, errStalled)) {
			err = fmt.Errorf("%w: no mark at the end of the initial events", errNoStreaming)
		}
	} else if apierrors.IsBadRequest(err) || apierrors.IsInvalid(err) || apierrors.IsMethodNotSupported(err) {
		err = fmt.Errorf("%w: %w", errNoStreaming, err)
	}
	if err == nil {
		return nil
	}
	if !w.complete && !errors.Is(err, errNoStreaming) {
		w.tracker.count(func(c *Counts) { c.ListErrors++ })
	}
	return fmt.Errorf("streaming list of %s: %w", w.scope, err)
}

// follow applies the changes after version until the watch ends.
func (w *watcher) follow(ctx context.Context) error {
	a, err := w.get(ctx, w.watchQuery(), acceptWatch)
	if err != nil {
		w.tracker.count(func(c *Counts) { c.WatchErrors++ })
		return fmt.Errorf("watch %s: %w", w.scope, err)
	}
	defer a.close()
	a.idle = watchIdle
	w.tracker.watching()
	began := time.Now()
	events, err := w.consume(a)
	if err == nil && events == 0 && time.Since(began) < hasty {
		err = fmt.Errorf("%w: ended at once", errBroken)
	}
	if err != nil {
		return fmt.Errorf("watch %s: %w", w.scope, err)
	}
	return nil
}

// consume handles one event after another until the watch ends, and returns how
// many there were.
func (w *watcher) consume(a *answer) (events int, err error) {
	frames := a.codec.frames(a)
	for {
		frame, err := frames.next()
		if errors.Is(err, io.EOF) {
			return events, nil
		}
		if err == nil {
			err = w.receive(a, frame)
		}
		if err != nil {
			return events, fmt.Errorf("%w: %w", errBroken, err)
		}
		events++
	}
}

// receive decodes an event and applies it. An event that cannot be decoded is
// left out; an error ends the watch.
func (w *watcher) receive(a *answer, frame []byte) error {
	e, err := a.codec.event(frame)
	if err != nil {
		w.tracker.undecodable(fmt.Errorf("watch %s: %w", w.scope, err))
		return nil
	}
	if e.Type == watch.Error {
		w.tracker.received(e.Type, w.version)
		return serverError(a.codec, e.Object)
	}
	object, err := w.decode(a.codec, e.Object)
	if err != nil {
		w.tracker.undecodable(fmt.Errorf("event %s: %w", e.Type, err))
		return nil
	}
	return w.apply(a, e.Type, object)
}

// decode reads an object of the watched kind.
func (w *watcher) decode(c codec, raw []byte) (kind.Object, error) {
	object := w.watch.Table.New()
	if err := c.decode(raw, object); err != nil {
		// Metadata comes first, so that the name is often known all the same.
		return nil, fmt.Errorf("decode %s %q in namespace %q: %w", w.watch.Table.Name, object.GetName(), object.GetNamespace(), err)
	}
	return object, nil
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

// settle decides what follows the end of a turn and returns how long to wait
// before the next.
func (w *watcher) settle(err error) time.Duration {
	if err == nil {
		return 0
	}
	switch following := w.complete; {
	case following && expired(err):
		w.complete = false
		w.quorum = w.again() // a list that has expired already when it is read is of no use
		w.log.Info("reading all objects anew, as the server no longer has the changes since", "resourceVersion", w.version)
	case following && errors.Is(err, errBroken) && reason(err) == Unreachable:
		w.tracker.count(func(c *Counts) { c.Interruptions++ })
		w.log.Debug("watch is resumed", "error", err)
	case following:
		w.complete = !w.stuck(err)
		w.tracker.failed(err)
	default:
		w.quorum = w.quorum || expired(err) || ahead(err)
		w.tracker.failed(err)
	}
	delay := w.backoff.next(time.Now())
	if seconds, ok := apierrors.SuggestsClientDelay(err); ok {
		delay = max(delay, min(time.Duration(seconds)*time.Second, longestRetryAfter))
	}
	return delay
}

// stuck reports whether resuming from version leads nowhere: the server refuses
// it, or the watch broke off there before.
func (w *watcher) stuck(err error) bool {
	if ahead(err) || apierrors.IsBadRequest(err) || apierrors.IsInvalid(err) {
		return true
	}
	return errors.Is(err, errBroken) && w.again()
}

// again reports whether it was called before at this version.
func (w *watcher) again() bool {
	again := w.brokeAt == w.version
	w.brokeAt = w.version
	return again
}
