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
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/internal/wire"
	"github.com/kubestate/kubestate/kind"
)

const (
	// Every watch asks the server to end it after a random time from shortestWatch up
	// to twice that, so that watches spread over servers and over time.
	shortestWatch = 5 * time.Minute
	// watchIdle is how long a watch may receive nothing, not even a bookmark, before it
	// is given up. The server should have ended it by then.
	watchIdle = 2*shortestWatch + 30*time.Second
	// refusalLasts is how long a refusal of streaming lists is remembered. API servers
	// are upgraded while clients run. Each watch remembers its own refusal, because
	// aggregated API servers behind one address differ.
	refusalLasts = 30 * time.Minute
)

var (
	// errNoStreaming means that the server does not support streaming lists.
	errNoStreaming = errors.New("streaming list refused")
	// errBroken means that a watch started and then ended with an error.
	errBroken = errors.New("interrupted")
)

// watcher keeps one store up to date. Only its tracker is for other goroutines.
type watcher struct {
	client  *Client
	watch   Watch
	workers *workers
	tracker *tracker
	outage  *outage
	log     *slog.Logger
	backoff backoff
	paths   []string     // one per version of the resource, the one in use first
	scope   string       // what is read, for errors
	filter  *wire.Filter // keeps the fields that the store reads
	whole   *wire.Filter // keeps all fields
	others  *wire.Filter // keeps what is read of objects of other shards
	partial bool         // the store reads metadata only
	rows    *rowFields   // what the store reads is in the rows of a Table; nil: it is not, or there are none

	buf []byte // holds the object of an event without the fields that are dropped

	complete     bool      // the store has everything up to version, so that changes can be followed
	version      string    // resourceVersion of the newest known state; empty: none
	quorum       bool      // the next list must be the newest state, whatever version says
	refusedUntil time.Time // do not ask for streaming lists before this time
	progress     progress  // of the watch that runs or ran last

	streamFailures int // streaming lists that failed in a row

	sharded   bool // watch.Shard drops objects
	turning   sync.Mutex
	shard     Shard                   // of the next turn; guarded by turning
	interrupt context.CancelCauseFunc // ends the turn; nil: none began; guarded by turning
}

// newWatcher returns the watcher of a watch. The error names what makes no sense
// of it.
func newWatcher(c *Client, watch Watch, p *workers, o *outage, log *slog.Logger) (*watcher, error) {
	r := watch.Table.Resource
	w := &watcher{client: c, watch: watch, shard: watch.Shard, workers: p, outage: o, log: log.With("resource", r.Name), scope: r.Name, paths: paths(r, watch.Namespace)}
	var problems []error
	if watch.Namespace != "" && !r.Namespaced {
		problems = append(problems, fmt.Errorf("watch %s: namespace %q is given, but they are not in namespaces", r.Name, watch.Namespace))
	}
	w.whole = wire.Whole(watch.Table.New())
	w.filter = w.whole
	if watch.Fields != nil {
		var err error
		needed := identifying()
		if watch.Shard != (Shard{}) {
			needed = append(needed, "metadata.uid")
		}
		if w.filter, err = compile(watch.Table.New(), watch.Fields, needed...); err != nil {
			problems = append(problems, fmt.Errorf("watch %s: %w", r.Name, err))
		}
		w.rows = newRowFields(watch.Table, watch.Fields)
		w.partial = !slices.ContainsFunc(watch.Fields, func(f string) bool { return !strings.HasPrefix(f, "metadata.") })
	}
	var err error
	if w.others, err = others(&watch); err != nil {
		problems = append(problems, fmt.Errorf("watch %s: other shards: %w", r.Name, err))
	}
	if watch.Namespace != "" {
		w.scope += " in namespace " + watch.Namespace
		w.log = w.log.With("namespace", watch.Namespace)
	}
	w.tracker = &tracker{log: w.log, outage: o, turned: time.Now(), status: Status{
		Resource: r, Namespace: watch.Namespace, FieldSelector: watch.FieldSelector,
		State: Connecting, Since: time.Now(),
	}}
	return w, errors.Join(problems...)
}

// compile returns the filter that keeps fields of an object. The error says which of those
// that are needed are not among them.
func compile(o kind.Object, fields []string, needed ...string) (*wire.Filter, error) {
	f, err := wire.Compile(o, fields)
	if err != nil {
		return nil, err
	}
	var missing []string
	for _, field := range needed {
		if !f.Keeps(o, field) {
			missing = append(missing, field)
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
		turn, cancel := w.begin(ctx)
		w.tracker.proceed(Connecting)
		if err := w.attempt(turn); turn.Err() == nil {
			select {
			case <-time.After(w.settle(err)):
			case <-turn.Done():
			}
		}
		cancel(nil)
	}
}

// attempt is turn, with a panic as an error.
func (w *watcher) attempt(ctx context.Context) (err error) {
	defer func() {
		if proven := w.progress.proven; proven != nil {
			proven.Stop()
		}
		if p := recover(); p != nil {
			// What the store contains is uncertain now.
			w.complete = false
			err = fmt.Errorf("watch %s: %w", w.scope, w.recovered(p))
		}
	}()
	err = w.turn(ctx)
	if errors.Is(err, errNotPrinted) {
		w.rows = nil
	}
	return err
}

// turn lists all objects if necessary and follows changes until the watch ends. If the
// error is nil, the watch ended normally and is resumed.
func (w *watcher) turn(ctx context.Context) error {
	err := w.listAndFollow(ctx)
	if err == nil && w.complete && !w.progress.moved {
		err = w.compareVersion(ctx)
	}
	return err
}

func (w *watcher) listAndFollow(ctx context.Context) error {
	if w.complete {
		return w.follow(ctx)
	}
	if w.tracker.snapshot().Synced {
		w.tracker.count(func(c *Counts) { c.Relists++ })
	}
	err := w.relist(ctx)
	if !w.complete {
		w.tracker.count(func(c *Counts) { c.ListErrors++ })
	}
	if err != nil || w.progress.watched {
		return err
	}
	return w.follow(ctx)
}

// relist reads all objects, by a streaming list or, where that fails, by a paged one.
// A streaming list goes on as a watch if the server lets it, until that ends.
func (w *watcher) relist(ctx context.Context) error {
	w.progress.watched = false
	if w.watch.Lists.PageSize == 0 && !time.Now().Before(w.refusedUntil) {
		err := w.stream(ctx)
		if w.complete {
			w.streamFailures = 0
			return err
		}
		if w.streamFailures++; w.streamFailures < throttledPatience && !listInstead(err) {
			return err
		}
		w.log.Debug("streaming list failed; reading pages", "err", err)
		if errors.Is(err, errNoStreaming) {
			w.refusedUntil = time.Now().Add(refusalLasts)
		}
	}
	return w.list(ctx)
}

// listInstead reports whether a paged list may succeed where a streaming list failed
// with err: the server answered, and neither asked for patience nor rejected the
// resourceVersion.
func listInstead(err error) bool {
	if expired(err) || ahead(err) || apierrors.IsTooManyRequests(err) {
		return false
	}
	return answered(err) || errors.Is(err, errNoStreaming)
}

func (w *watcher) query() url.Values {
	query := url.Values{}
	if w.watch.FieldSelector != "" {
		query.Set("fieldSelector", w.watch.FieldSelector)
	}
	if w.sharded && w.watch.Shard.Ranges && w.watch.Others == nil {
		query.Set("shardSelector", w.watch.Shard.Selector()) // a server that cannot ignores it
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
func (w *watcher) get(ctx context.Context, query url.Values, as accepted) (a *answer, err error) {
	for range w.paths {
		a, err = w.ask(ctx, query, as)
		if !apierrors.IsNotFound(err) {
			break
		}
		w.paths = append(w.paths[1:], w.paths[0])
	}
	return a, err
}

// ask sends a request for as little of the objects as the server can leave it at:
// rows of a Table or metadata where that is all that is wanted. It may send whole
// objects all the same.
func (w *watcher) ask(ctx context.Context, query url.Values, as accepted) (a *answer, err error) {
	path := w.paths[0]
	if w.rows != nil {
		a, err = w.client.get(ctx, path, withMetadata(query), as.table+","+as.whole)
		if !refusesTable(err) {
			return w.rows.read(a), err
		}
	}
	if w.partial {
		a, err = w.client.get(ctx, path, query, as.metadata+","+as.whole)
		if !apierrors.IsNotAcceptable(err) {
			return a, err
		}
	}
	return w.client.get(ctx, path, query, as.whole)
}

// stream reads all objects as the first events of a watch, which it then follows.
func (w *watcher) stream(ctx context.Context) error {
	query := w.watchQuery()
	query.Set("sendInitialEvents", "true")
	if w.watch.Lists.Cached && !query.Has("resourceVersion") {
		query.Set("resourceVersion", "0")
	}
	query.Set("resourceVersionMatch", string(metav1.ResourceVersionMatchNotOlderThan))
	a, err := w.get(ctx, query, acceptWatch())
	if err == nil {
		defer a.close()
		w.watch.Store.Begin()
		w.tracker.proceed(Syncing)
		err = w.consume(a)
		if w.complete {
			err = w.endedStream(err)
		} else if err == nil || errors.Is(err, errStalled) {
			// A server that does not know streaming lists may take the request for a
			// plain watch, whose initial events have no end.
			err = fmt.Errorf("%w: no bookmark at the end of the initial events", errNoStreaming)
		}
	} else if apierrors.IsBadRequest(err) || apierrors.IsInvalid(err) || apierrors.IsMethodNotSupported(err) {
		err = fmt.Errorf("%w: %w", errNoStreaming, err)
	}
	if err != nil {
		return fmt.Errorf("streaming list of %s: %w", w.scope, err)
	}
	return nil
}

// follow applies the changes after version until the watch ends.
func (w *watcher) follow(ctx context.Context) error {
	a, err := w.get(ctx, w.watchQuery(), acceptWatch())
	if err != nil {
		w.tracker.count(func(c *Counts) { c.WatchErrors++ })
		return fmt.Errorf("watch %s: %w", w.scope, err)
	}
	defer a.close()
	w.watching(a)
	if err := w.ended(w.consume(a)); err != nil {
		return fmt.Errorf("watch %s: %w", w.scope, err)
	}
	return nil
}
