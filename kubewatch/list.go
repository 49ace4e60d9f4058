package kubewatch

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// pageSize is the number of objects per page, that of client-go.
const pageSize = 500

// errPageExpired says that the server forgot the list that we were paging through.
var errPageExpired = errors.New("continue token expired")

// list reads all objects, in pages where the server likes to page.
func (w *watcher) list(ctx context.Context) error {
	err := w.pages(ctx, w.listQuery())
	if errors.Is(err, errPageExpired) {
		// It may expire again and again where a cluster is large and busy; one
		// page that holds everything cannot.
		query := w.listQuery()
		query.Del("limit")
		err = w.pages(ctx, query)
	}
	if err != nil {
		return fmt.Errorf("list %s: %w", w.scope, err)
	}
	return nil
}

// listQuery asks for the first page. Unless a quorum is needed the server may
// answer from its cache, with any state not older than what we know.
func (w *watcher) listQuery() url.Values {
	query := w.query()
	switch {
	case w.quorum:
		query.Set("limit", strconv.Itoa(pageSize))
	case w.version == "":
		query.Set("limit", strconv.Itoa(pageSize))
		query.Set("resourceVersion", "0")
	default:
		// A limit would take the server past its cache: after its restart all
		// clients together would read etcd.
		query.Set("resourceVersion", w.version)
		query.Set("resourceVersionMatch", string(metav1.ResourceVersionMatchNotOlderThan))
	}
	return query
}

// pages reads all objects, beginning with the page that query asks for.
func (w *watcher) pages(ctx context.Context, query url.Values) error {
	w.watch.Store.Begin()
	for page := 1; ; page++ {
		meta, err := w.page(ctx, query)
		switch {
		case err != nil && page > 1 && expired(err):
			return fmt.Errorf("page %d: %w: %w", page, errPageExpired, err)
		case err != nil:
			return fmt.Errorf("page %d: %w", page, err)
		case meta.Continue == "":
			return w.commit(meta.ResourceVersion)
		}
		query.Set("continue", meta.Continue)
		query.Del("resourceVersion") // the token holds it
		query.Del("resourceVersionMatch")
	}
}

func (w *watcher) page(ctx context.Context, query url.Values) (meta metav1.ListMeta, err error) {
	a, err := w.get(ctx, query, acceptList())
	if err != nil {
		return meta, err
	}
	defer a.close()
	w.tracker.proceed(Syncing)
	items := &intake{watcher: w, codec: a.codec}
	defer func() { // as in consume
		if fault := items.wait(); fault != nil {
			err = fault
		}
	}()
	return a.codec.list(a, items.put)
}

// expired reports whether the server no longer knows a resourceVersion.
func expired(err error) bool {
	return apierrors.IsResourceExpired(err) || apierrors.IsGone(err)
}

// ahead reports whether the server does not know a resourceVersion yet, for
// example because it was restored from a backup.
func ahead(err error) bool {
	return apierrors.HasStatusCause(err, metav1.CauseTypeResourceVersionTooLarge)
}
