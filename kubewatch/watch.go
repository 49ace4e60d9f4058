package kubewatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/internal/wire"
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
	workers *workers
	tracker *tracker
	log     *slog.Logger
	backoff backoff
	paths   []string     // one per version of the resource, the one in use first
	scope   string       // what is read, for errors
	filter  *wire.Filter // keeps the fields that the store reads
	partial bool         // the store reads metadata only

	buf []byte // holds the object of an event without the fields that are dropped

	complete     bool      // the store has everything up to version; changes can be followed
	version      string    // resourceVersion of the newest state known; empty: none
	quorum       bool      // the server did not accept version for a full read
	brokeAt      string    // version when a watch last ended for other reasons than time and network
	refusedUntil time.Time // streaming lists are not asked for before
}

// newWatcher returns the watcher of a watch. The error names what makes no sense
// of it.
func newWatcher(c *Client, watch Watch, p *workers, log *slog.Logger) (*watcher, error) {
	r := watch.Table.Resource
	w := &watcher{client: c, watch: watch, workers: p, log: log.With("resource", r.Name), scope: r.Name, paths: paths(r, watch.Namespace)}
	var problems []error
	if watch.Namespace != "" && !r.Namespaced {
		problems = append(problems, fmt.Errorf("watch %s: namespace %q is given, but they are not in namespaces", r.Name, watch.Namespace))
	}
	if watch.Fields != nil {
		var err error
		if w.filter, err = compile(watch.Table.New(), watch.Fields); err != nil {
			problems = append(problems, fmt.Errorf("watch %s: %w", r.Name, err))
		}
		w.partial = !slices.ContainsFunc(watch.Fields, func(f string) bool { return !strings.HasPrefix(f, "metadata.") })
	}
	if watch.Namespace != "" {
		w.scope += " in namespace " + watch.Namespace
		w.log = w.log.With("namespace", watch.Namespace)
	}
	w.tracker = &tracker{log: w.log, turned: time.Now(), status: Status{
		Resource: r, Namespace: watch.Namespace, FieldSelector: watch.FieldSelector,
		State: Connecting, Since: time.Now(),
	}}
	return w, errors.Join(problems...)
}

// compile returns the filter that keeps fields of an object. Without some of them no
// object can be told from another, nor a watch be resumed.
func compile(o kind.Object, fields []string) (*wire.Filter, error) {
	f, err := wire.Compile(o, fields)
	if err != nil {
		return nil, err
	}
	var missing []string
	for _, needed := range []string{"metadata.name", "metadata.namespace", "metadata.resourceVersion"} {
		if !f.Keeps(o, needed) {
			missing = append(missing, needed)
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("fields: %s must be among them", strings.Join(missing, ", "))
	}
	return f, nil
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
			err = fmt.Errorf("watch %s: %w", w.scope, w.recovered(p))
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
// version in use, it is the next from then on. Where metadata is all that is
// wanted the server may send that or whole objects, as it can.
func (w *watcher) get(ctx context.Context, query url.Values, as accepted) (a *answer, err error) {
	for range w.paths {
		if w.partial {
			a, err = w.client.get(ctx, w.paths[0], query, as.metadata+","+as.whole)
		}
		if !w.partial || apierrors.IsNotAcceptable(err) {
			a, err = w.client.get(ctx, w.paths[0], query, as.whole)
		}
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
	a, err := w.get(ctx, query, acceptWatch())
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
	a, err := w.get(ctx, w.watchQuery(), acceptWatch())
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
