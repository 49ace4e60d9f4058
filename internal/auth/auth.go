// Package auth asks the cluster who a client is and whether it may read what it
// asks for: a TokenReview of its bearer token, then a SubjectAccessReview of the
// path. Verdicts are cached, by a hash of the token, in memory of a fixed bound.
package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
	"k8s.io/apimachinery/pkg/util/cache"
)

const (
	cacheEntries = 4096
	// How long a verdict counts. A refusal is short-lived, so that a permission
	// that has just been granted works soon.
	tokenTTL         = time.Minute
	invalidTokenTTL  = 10 * time.Second
	allowedTTL       = 5 * time.Minute
	deniedTTL        = 30 * time.Second
	reviewTimeout    = 10 * time.Second
	maxReviews       = 16 // in flight at one time
	maxTokenBytes    = 32 << 10
	authorizationKey = "Authorization"
)

// Config says how to reach the API server.
type Config struct {
	// Post creates an object with the JSON body at a path of the API server, and
	// returns the JSON of its response. It must be safe for concurrent use.
	Post   func(ctx context.Context, path string, body []byte) ([]byte, error)
	Logger *slog.Logger
}

// Filter lets authorized requests pass. It is safe for concurrent use.
type Filter struct {
	review  reviewer
	logger  *slog.Logger
	tokens  *cache.LRUExpireCache // digest of a token → identity
	access  *cache.LRUExpireCache // digest of a token, verb and path → bool
	flights singleflight.Group
	slots   chan struct{}
	failing atomic.Bool // the last review failed, which is logged once
}

// NewFilter makes a filter with empty caches.
func NewFilter(c Config) *Filter {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Filter{
		review: reviewer{post: c.Post}, logger: c.Logger,
		tokens: cache.NewLRUExpireCache(cacheEntries), access: cache.NewLRUExpireCache(cacheEntries),
		slots: make(chan struct{}, maxReviews),
	}
}

// identity is what a TokenReview said; a token that is not valid has no user.
type identity struct {
	valid bool
	user  user
}

// Wrap returns h behind the filter: 401 without a valid token, 403 if the user may
// not use the path, 500 if the API server could not be asked, 503 if too many
// reviews are under way.
func (f *Filter) Wrap(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := bearerToken(r)
		if token == "" {
			unauthorized(w)
			return
		}
		id, err := f.identify(r.Context(), token)
		if err == nil && !id.valid {
			unauthorized(w)
			return
		}
		allowed := false
		if err == nil {
			allowed, err = f.authorize(r.Context(), token, id.user, strings.ToLower(r.Method), r.URL.Path)
		}
		switch {
		case errors.Is(err, errBusy):
			w.Header().Set("Retry-After", "1")
			http.Error(w, "Too many authentication requests", http.StatusServiceUnavailable)
		case err != nil:
			f.log(r.Context(), err)
			http.Error(w, "Authentication failed", http.StatusInternalServerError)
		case !allowed:
			http.Error(w, "Authorization denied for user "+id.user.Username, http.StatusForbidden)
		default:
			h.ServeHTTP(w, r)
		}
	})
}

// log logs the first of several failures. A client that has left is none.
func (f *Filter) log(ctx context.Context, err error) {
	if ctx.Err() == nil && !f.failing.Swap(true) {
		f.logger.Warn("failed to authorize requests; refusing them until the API server answers", "err", err)
	}
}

func unauthorized(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", "Bearer")
	http.Error(w, "Unauthorized", http.StatusUnauthorized)
}

// bearerToken returns the token of a request (RFC 6750, section 2.1); empty: none.
func bearerToken(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get(authorizationKey), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || len(token) > maxTokenBytes {
		return ""
	}
	return token
}

func (f *Filter) identify(ctx context.Context, token string) (identity, error) {
	key := sha256.Sum256([]byte(token))
	if v, ok := f.tokens.Get(key); ok {
		return v.(identity), nil //nolint:forcetypeassert // nothing else is stored
	}
	return f.once(ctx, "t"+string(key[:]), func(ctx context.Context) (identity, error) {
		if v, ok := f.tokens.Get(key); ok { // since the first look
			return v.(identity), nil //nolint:forcetypeassert // nothing else is stored
		}
		id, err := f.review.token(ctx, token)
		if err != nil {
			return identity{}, err
		}
		ttl := tokenTTL
		if !id.valid {
			ttl = invalidTokenTTL
		}
		f.tokens.Add(key, id, ttl)
		return id, nil
	})
}

func (f *Filter) authorize(ctx context.Context, token string, u user, verb, path string) (bool, error) {
	key := sha256.Sum256([]byte(token + "\n" + verb + "\n" + path)) // a header has no line breaks
	if v, ok := f.access.Get(key); ok {
		return v.(bool), nil //nolint:forcetypeassert // nothing else is stored
	}
	id, err := f.once(ctx, "a"+string(key[:]), func(ctx context.Context) (identity, error) {
		if v, ok := f.access.Get(key); ok { // since the first look
			return identity{valid: v.(bool)}, nil //nolint:forcetypeassert // nothing else is stored
		}
		allowed, err := f.review.access(ctx, u, verb, path)
		if err != nil {
			return identity{}, err
		}
		ttl := deniedTTL
		if allowed {
			ttl = allowedTTL
		}
		f.access.Add(key, allowed, ttl)
		return identity{valid: allowed}, nil
	})
	return id.valid, err
}

var errBusy = errors.New("too many reviews under way")

// once runs one review for all requests that wait for the same one. Its time is
// bounded by its own timeout rather than by the request that came first, whose
// client may leave.
func (f *Filter) once(ctx context.Context, key string, review func(context.Context) (identity, error)) (identity, error) {
	result := f.flights.DoChan(key, func() (any, error) {
		select {
		case f.slots <- struct{}{}:
			defer func() { <-f.slots }()
		default:
			return identity{}, errBusy
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reviewTimeout)
		defer cancel()
		id, err := review(ctx)
		if err == nil && f.failing.Swap(false) {
			f.logger.Info("authorizing requests again")
		}
		return id, err
	})
	select {
	case r := <-result:
		id, _ := r.Val.(identity)
		return id, r.Err
	case <-ctx.Done():
		return identity{}, ctx.Err()
	}
}
