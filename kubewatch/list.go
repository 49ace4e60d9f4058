package kubewatch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"net/url"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// pageSize is the number of objects per page by default, as in client-go.
	pageSize = 500
	// maxEmptyPages bounds the pages of one list that are empty. A server may send some,
	// for example where a field selector matches few objects.
	maxEmptyPages = 100
)

// errPageExpired means that the server forgot the list being paged through.
var errPageExpired = errors.New("continue token expired")

// list reads all objects, in pages where the server supports that.
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
	lists := w.watch.Lists
	limit := cmp.Or(lists.PageSize, pageSize)
	switch {
	case w.quorum && !lists.Cached:
	case w.quorum || w.version == "":
		query.Set("resourceVersion", "0")
	default:
		// A limit would take the server past its cache: after its restart all
		// clients together would read etcd.
		limit = lists.PageSize
		query.Set("resourceVersion", w.version)
		query.Set("resourceVersionMatch", string(metav1.ResourceVersionMatchNotOlderThan))
	}
	if limit > 0 {
		query.Set("limit", strconv.Itoa(limit))
	}
	return query
}

// pages reads all objects, starting with the page that query asks for.
func (w *watcher) pages(ctx context.Context, query url.Values) error {
	w.watch.Store.Begin()
	seen := pagesSeen{seed: maphash.MakeSeed(), hashes: map[uint64]struct{}{}}
	for page := 1; ; page++ {
		meta, fresh, err := w.page(ctx, query, &seen)
		switch {
		case err != nil && page > 1 && expired(err):
			return fmt.Errorf("page %d: %w: %w", page, errPageExpired, err)
		case err != nil:
			return fmt.Errorf("page %d: %w", page, err)
		case meta.Continue == "":
			return w.commit(meta.ResourceVersion)
		case !seen.add([]byte(meta.Continue)) || !fresh:
			return fmt.Errorf("page %d: %w: a list that repeats itself or does not end", page, errInvalidResponse)
		}
		query.Set("continue", meta.Continue)
		query.Del("resourceVersion") // the token contains it
		query.Del("resourceVersionMatch")
	}
}

// pagesSeen has hashes of the continue tokens of a list and of the objects that its
// pages start with. None comes twice in a list that ends.
type pagesSeen struct {
	seed   maphash.Seed
	hashes map[uint64]struct{}
	empty  int // pages without objects
}

// add reports whether a text is new.
func (s *pagesSeen) add(text []byte) bool {
	n := len(s.hashes)
	s.hashes[maphash.Bytes(s.seed, text)] = struct{}{}
	return len(s.hashes) > n
}

// page reads one page. It is not fresh if it starts with an object that an earlier page
// started with, or if too many pages are empty.
func (w *watcher) page(ctx context.Context, query url.Values, seen *pagesSeen) (meta metav1.ListMeta, fresh bool, err error) {
	a, err := w.get(ctx, query, acceptList())
	if err != nil {
		return meta, false, err
	}
	defer a.close()
	w.tracker.proceed(Syncing)
	items := &intake{watcher: w, codec: a.codec}
	defer func() { // as in consume
		if fault := items.wait(); fault != nil {
			err = fault
		}
	}()
	objects := 0
	fresh = true
	meta, err = a.codec.list(a, func(object []byte) {
		if objects++; objects == 1 {
			fresh = seen.add(object)
		}
		items.put(object)
	})
	if objects == 0 {
		seen.empty++
	}
	return meta, fresh && seen.empty <= maxEmptyPages, err
}

// compareVersion lists one object to learn the server's newest resourceVersion. The error
// is errWentBack if that is older than the known one: the server was restored or replaced,
// and watches from a version that it has not reached stay silent. That the list fails is
// no error, as watching may work all the same.
func (w *watcher) compareVersion(ctx context.Context) error {
	query := w.query()
	query.Set("limit", "1")
	a, err := w.get(ctx, query, acceptList())
	if err == nil {
		defer a.close()
		var meta metav1.ListMeta
		meta, err = a.codec.list(a, func([]byte) {})
		if err == nil && older(meta.ResourceVersion, w.version) {
			return fmt.Errorf("list %s: %w from %s to %s", w.scope, errWentBack, w.version, meta.ResourceVersion)
		}
	}
	if err != nil {
		w.log.Debug("cannot compare resourceVersion", "err", err)
	}
	return nil
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
