package auth_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"

	"github.com/kubestate/kubestate/internal/auth"
)

// cluster answers reviews: a token is TOKEN-USER, and only prometheus may get
// /metrics.
type cluster struct {
	t                 *testing.T
	tokens, access    atomic.Int64
	fail              atomic.Bool
	hold              chan struct{} // non-nil: reviews wait for it
	mu                sync.Mutex
	lastAccess        authorizationv1.SubjectAccessReviewSpec
	rejectEverything  bool
	responseOfGarbage string
}

func (c *cluster) post(ctx context.Context, path string, body []byte) ([]byte, error) {
	if c.hold != nil {
		select {
		case <-c.hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if c.fail.Load() {
		return nil, errors.New("connection refused")
	}
	if c.responseOfGarbage != "" {
		return []byte(c.responseOfGarbage), nil
	}
	switch path {
	case "/apis/authentication.k8s.io/v1/tokenreviews":
		c.tokens.Add(1)
		var review authenticationv1.TokenReview
		if err := json.Unmarshal(body, &review); err != nil || review.Kind != "TokenReview" {
			c.t.Errorf("post %s: %s", body, err)
		}
		name, ok := strings.CutPrefix(review.Spec.Token, "TOKEN-")
		review.Status.Authenticated = ok
		if ok {
			review.Status.User = authenticationv1.UserInfo{
				Username: name, UID: "u1", Groups: []string{"g"},
				Extra: map[string]authenticationv1.ExtraValue{"pod": {"p"}},
			}
		}
		return json.Marshal(review)
	case "/apis/authorization.k8s.io/v1/subjectaccessreviews":
		c.access.Add(1)
		var review authorizationv1.SubjectAccessReview
		if err := json.Unmarshal(body, &review); err != nil || review.Kind != "SubjectAccessReview" {
			c.t.Errorf("post %s: %s", body, err)
		}
		c.mu.Lock()
		c.lastAccess = review.Spec
		c.mu.Unlock()
		a := review.Spec.NonResourceAttributes
		review.Status.Allowed = !c.rejectEverything && review.Spec.User == "prometheus" && a.Path == "/metrics" && a.Verb == "get"
		return json.Marshal(review)
	}
	c.t.Errorf("post to %s", path)
	return nil, errors.New("not found")
}

func (c *cluster) get(f http.Handler, method, path, authorization string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(c.t.Context(), method, path, http.NoBody)
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w
}

func filter(c *cluster) http.Handler {
	return auth.NewFilter(auth.Config{Post: c.post}).Wrap(http.HandlerFunc(
		func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("series")) }))
}

func TestVerdicts(t *testing.T) {
	c := &cluster{t: t}
	f := filter(c)
	for _, test := range []struct {
		method, path, authorization string
		code                        int
		body                        string
	}{
		{"GET", "/metrics", "", 401, "Unauthorized\n"},
		{"GET", "/metrics", "Basic dXNlcjpwYXNz", 401, "Unauthorized\n"},
		{"GET", "/metrics", "Bearer", 401, "Unauthorized\n"},
		{"GET", "/metrics", "Bearer  ", 401, "Unauthorized\n"},
		{"GET", "/metrics", "Bearer unknown", 401, "Unauthorized\n"},
		{"GET", "/metrics", "Bearer TOKEN-" + strings.Repeat("x", 40<<10), 401, "Unauthorized\n"},
		{"GET", "/metrics", "Bearer TOKEN-eve", 403, "Authorization denied for user eve\n"},
		{"GET", "/debug/pprof/heap", "Bearer TOKEN-prometheus", 403, "Authorization denied for user prometheus\n"},
		{"HEAD", "/metrics", "Bearer TOKEN-prometheus", 403, "Authorization denied for user prometheus\n"},
		{"GET", "/metrics", "Bearer TOKEN-prometheus", 200, "series"},
		{"GET", "/metrics", "bearer TOKEN-prometheus", 200, "series"},
	} {
		w := c.get(f, test.method, test.path, test.authorization)
		if w.Code != test.code || w.Body.String() != test.body {
			t.Errorf("%s %s with %.40q: %d %q, want %d %q", test.method, test.path, test.authorization, w.Code, w.Body, test.code, test.body)
		}
		if challenge := w.Header().Get("WWW-Authenticate"); (w.Code == 401) != (challenge == "Bearer") {
			t.Errorf("%d with challenge %q", w.Code, challenge)
		}
	}
	want := `{"nonResourceAttributes":{"path":"/metrics","verb":"get"},"user":"prometheus","groups":["g"],"extra":{"pod":["p"]},"uid":"u1"}`
	c.mu.Lock()
	defer c.mu.Unlock()
	if got, _ := json.Marshal(c.lastAccess); string(got) != want {
		t.Errorf("asked for %s, want %s", got, want)
	}
}

func TestFailureOfTheAPIServerIsNoVerdict(t *testing.T) {
	c := &cluster{t: t}
	f := filter(c)
	c.fail.Store(true)
	if w := c.get(f, "GET", "/metrics", "Bearer TOKEN-prometheus"); w.Code != 500 || w.Body.String() != "Authentication failed\n" {
		t.Errorf("unreachable API server: %d %q", w.Code, w.Body)
	}
	c.fail.Store(false)
	if w := c.get(f, "GET", "/metrics", "Bearer TOKEN-prometheus"); w.Code != 200 {
		t.Errorf("afterwards: %d %q", w.Code, w.Body)
	}
	c = &cluster{t: t, responseOfGarbage: `{"spec":{"token":5}}`}
	if w := c.get(filter(c), "GET", "/metrics", "Bearer TOKEN-prometheus"); w.Code != 500 {
		t.Errorf("invalid response: %d %q", w.Code, w.Body)
	}
}

// An outage is one line of the log, and its end another; neither has a token.
func TestOutageIsLoggedOnce(t *testing.T) {
	var log bytes.Buffer
	c := &cluster{t: t}
	f := auth.NewFilter(auth.Config{Post: c.post, Logger: slog.New(slog.NewTextHandler(&log, nil))}).Wrap(http.NotFoundHandler())
	c.fail.Store(true)
	for i := range 3 {
		c.get(f, "GET", "/metrics", fmt.Sprint("Bearer TOKEN-", i))
	}
	c.fail.Store(false)
	for range 2 {
		c.get(f, "GET", "/metrics", "Bearer TOKEN-prometheus")
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], "connection refused") || !strings.Contains(lines[1], "again") || strings.Contains(log.String(), "TOKEN-") {
		t.Errorf("the log is\n%s", &log)
	}
}

func TestVerdictsExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cluster{t: t}
		f := filter(c)
		ask := func(token string, code int, tokens, access int64) {
			t.Helper()
			if w := c.get(f, "GET", "/metrics", "Bearer "+token); w.Code != code || c.tokens.Load() != tokens || c.access.Load() != access {
				t.Errorf("%s: %d after %d token and %d access reviews, want %d, %d, %d", token, w.Code, c.tokens.Load(), c.access.Load(), code, tokens, access)
			}
		}
		ask("TOKEN-prometheus", 200, 1, 1)
		c.rejectEverything = true
		time.Sleep(59 * time.Second)
		ask("TOKEN-prometheus", 200, 1, 1)
		time.Sleep(2 * time.Second) // the identity expires first
		ask("TOKEN-prometheus", 200, 2, 1)
		time.Sleep(4 * time.Minute) // then the permission
		ask("TOKEN-prometheus", 403, 3, 2)
		c.rejectEverything = false
		time.Sleep(29 * time.Second) // a refusal for half a minute
		ask("TOKEN-prometheus", 403, 3, 2)
		time.Sleep(2 * time.Second)
		ask("TOKEN-prometheus", 200, 3, 3)
		ask("unknown", 401, 4, 3)
		time.Sleep(9 * time.Second)
		ask("unknown", 401, 4, 3)
		time.Sleep(2 * time.Second)
		ask("unknown", 401, 5, 3)
	})
}

func TestWaitingRequestsShareOneReview(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cluster{t: t, hold: make(chan struct{})}
		f := filter(c)
		var running sync.WaitGroup
		for range 50 {
			running.Go(func() {
				if w := c.get(f, "GET", "/metrics", "Bearer TOKEN-prometheus"); w.Code != 200 {
					t.Errorf("%d %q", w.Code, w.Body)
				}
			})
		}
		synctest.Wait()
		close(c.hold)
		running.Wait()
		if c.tokens.Load() != 1 || c.access.Load() != 1 {
			t.Errorf("%d token and %d access reviews, want one each", c.tokens.Load(), c.access.Load())
		}
	})
}

// A flood of invented tokens must not become a flood of requests to the API server.
func TestReviewsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cluster{t: t, hold: make(chan struct{})}
		f := filter(c)
		codes := make(chan int, 100)
		for i := range 100 {
			go func() { codes <- c.get(f, "GET", "/metrics", fmt.Sprintf("Bearer invented-%d", i)).Code }()
		}
		synctest.Wait()
		if n := len(codes); n != 84 {
			t.Errorf("%d requests were turned away, want 84 of 100", n)
		}
		for range len(codes) {
			if code := <-codes; code != 503 {
				t.Errorf("turned away with %d, want 503", code)
			}
		}
		time.Sleep(11 * time.Second) // the others time out
		synctest.Wait()
		if n := len(codes); n != 16 {
			t.Errorf("%d requests were answered after the timeout, want 16", n)
		}
	})
}
