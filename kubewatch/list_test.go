package kubewatch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
	"github.com/kubestate/kubestate/kind"
)

// queries returns the query of each request with a verb.
func (c *cluster) queries(verb apiserver.Verb) []url.Values {
	c.t.Helper()
	var queries []url.Values
	for _, r := range c.api.Requests() {
		if r.Verb != verb {
			continue
		}
		u, err := url.Parse(r.URL)
		if err != nil {
			c.t.Fatal(err)
		}
		queries = append(queries, u.Query())
	}
	return queries
}

// Where streaming lists are refused, pages are read; the refusal is remembered,
// but not for ever.
func TestStreamingRefused(t *testing.T) {
	for name, wrap := range map[string]func(http.Handler) http.Handler{"protobuf": nil, "json": jsonOnly} {
		t.Run(name, func(t *testing.T) {
			inCluster(t, wrap, func(c *cluster) {
				c.put("a", "b")
				allow := c.api.Inject(apiserver.NoStreaming())
				g, m := c.watchReplicaSets()
				m.want(t, "a b")
				c.wantRequests(map[apiserver.Verb]int{apiserver.VerbWatchList: 1, apiserver.VerbList: 1, apiserver.VerbWatch: 1})
				if q := c.queries(apiserver.VerbList)[0]; q.Get("resourceVersion") != "0" || q.Get("limit") != "500" {
					t.Errorf("first list is %v", q)
				}
				c.put("c")
				synctest.Wait()
				m.want(t, "a b c")
				c.log.want(t)
				if s := c.wantStatus(g, Synced, ""); s.Counts != (Counts{Lists: 1, Watches: 1, Added: 1}) {
					t.Errorf("counts %+v", s.Counts)
				}

				c.expiry(func() { c.remove("a") })
				time.Sleep(time.Minute)
				m.want(t, "b c")
				// A limit would make it a list of exactly that version.
				if q := c.queries(apiserver.VerbList)[1]; q.Get("resourceVersionMatch") != "NotOlderThan" || q.Get("resourceVersion") != "4" || q.Has("limit") {
					t.Errorf("second list is %v", q)
				}
				if n := c.api.Count(apiserver.VerbWatchList, "replicasets"); n != 1 {
					t.Errorf("streaming list asked for %d times within a minute of the refusal", n)
				}
				allow()
				time.Sleep(refusalLasts)
				c.expiry(func() { c.remove("b") })
				time.Sleep(time.Minute)
				m.want(t, "c")
				if n := c.api.Count(apiserver.VerbWatchList, "replicasets"); n != 2 {
					t.Errorf("streaming list asked for %d times, want 2", n)
				}
			})
		})
	}
}

// pageThrough brings a watch to read 1,200 objects in pages: the server does not
// accept the version that a list from its cache would begin with.
func (c *cluster) pageThrough() (*Group, *memory, string) {
	c.t.Helper()
	c.api.Inject(apiserver.NoStreaming())
	c.put("gone")
	g, m := c.watchReplicaSets()
	names := make([]string, 1200)
	c.api.Inject(apiserver.Fault{Verb: apiserver.VerbList, Times: 1, Effect: apiserver.EffectStatus, Status: apierrors.NewResourceExpired("list").Status()})
	c.expiry(func() {
		c.remove("gone")
		for i := range names {
			names[i] = fmt.Sprintf("r%04d", i)
		}
		c.put(names...)
	})
	return g, m, strings.Join(names, " ")
}

// A page size is that of every list, and lists are not streamed.
func TestPageSize(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		c.put("a", "b", "c")
		m := &memory{}
		c.watch(Watch{Table: kind.ReplicaSets, Store: m, Lists: Lists{PageSize: 2}})
		m.want(t, "a b c")
		if n := c.api.Count(apiserver.VerbWatchList, "replicasets"); n != 0 {
			t.Errorf("%d streaming lists, want none", n)
		}
		c.expiry(func() { c.remove("a") })
		time.Sleep(time.Minute)
		m.want(t, "b c")
		queries := c.queries(apiserver.VerbList)
		for _, q := range queries {
			if q.Get("limit") != "2" {
				t.Errorf("a list is %v, want limit=2", q)
			}
		}
		if len(queries) < 2 || queries[0].Get("resourceVersion") != "0" {
			t.Errorf("lists %v, want the first with resourceVersion=0 and another after the watch expired", queries)
		}
	})
}

// Lists from the cache have resourceVersion=0, also where a quorum would be needed.
func TestCachedLists(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		c.put("a")
		m := &memory{}
		c.watch(Watch{Table: kind.ReplicaSets, Store: m, Lists: Lists{Cached: true}})
		m.want(t, "a")
		if q := c.queries(apiserver.VerbWatchList); len(q) != 1 || q[0].Get("resourceVersion") != "0" {
			t.Errorf("streaming lists %v, want one with resourceVersion=0", q)
		}
	})
	for _, cached := range []bool{false, true} {
		w := &watcher{watch: Watch{Lists: Lists{Cached: cached}}, quorum: true, version: "7"}
		if q := w.listQuery(); q.Has("resourceVersion") != cached || cached && q.Get("resourceVersion") != "0" {
			t.Errorf("cached %t: a list that needs a quorum is %v", cached, q)
		}
	}
}

func TestPages(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		g, m, want := c.pageThrough()
		time.Sleep(time.Minute)
		m.want(t, want)
		if lists, pages := c.api.Count(apiserver.VerbList, "replicasets"), c.api.Count(apiserver.VerbPage, "replicasets"); lists != 3 || pages != 2 {
			t.Errorf("%d lists with %d further pages, want 3 and 2", lists, pages)
		}
		for _, q := range c.queries(apiserver.VerbPage) {
			if q.Has("resourceVersion") { // a real server refuses it beside a token
				t.Errorf("page asked for with %v", q)
			}
		}
		if s := c.wantStatus(g, Synced, ""); s.Counts.Lists != 2 || s.Counts.ListErrors != 1 || s.Counts.Relists != 2 {
			t.Errorf("counts %+v", s.Counts)
		}
	})
}

// A list whose continue token expires is read again in one piece.
func TestPageExpired(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		c.api.Inject(apiserver.Fault{Verb: apiserver.VerbPage, Skip: 1, Times: 1, Effect: apiserver.EffectStatus, Status: apierrors.NewResourceExpired("token").Status()})
		g, m, want := c.pageThrough()
		time.Sleep(time.Minute)
		m.want(t, want)
		lists := c.queries(apiserver.VerbList)
		if len(lists) != 4 || lists[2].Get("limit") != "500" || lists[3].Has("limit") {
			t.Errorf("lists %v", lists)
		}
		if s := c.wantStatus(g, Synced, ""); s.Counts.Lists != 2 || s.Counts.ListErrors != 1 || m.commits != 2 {
			t.Errorf("counts %+v, %d commits", s.Counts, m.commits)
		}
	})
}

// A list that breaks off between or within pages is not committed.
func TestPagesBroken(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		stop := c.api.Inject(apiserver.Fault{Verb: apiserver.VerbPage, Effect: apiserver.EffectTruncate})
		g, m, want := c.pageThrough()
		time.Sleep(time.Minute)
		s := c.wantStatus(g, Failing, Unreachable)
		if !strings.HasPrefix(s.Error, "list replicasets: page 2: ") || s.Counts.ListErrors == 0 || m.commits != 1 {
			t.Errorf("error %q, counts %+v, %d commits", s.Error, s.Counts, m.commits)
		}
		if !strings.HasPrefix(m.names(), "gone r0000 ") {
			t.Error("the read that broke off has swept")
		}
		stop()
		time.Sleep(time.Minute)
		m.want(t, want)
	})
}

// Servers before 1.27 ignore parameters they do not know and take a streaming
// list for a plain watch, which has no end mark.
func TestStreamingUnknown(t *testing.T) {
	ignore := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			query := r.URL.Query()
			query.Del("sendInitialEvents")
			query.Del("resourceVersionMatch")
			r.URL.RawQuery = query.Encode()
			next.ServeHTTP(w, r)
		})
	}
	inCluster(t, ignore, func(c *cluster) {
		c.put("a", "b")
		g, m := c.watchReplicaSets()
		if g.Synced() {
			t.Error("synced without an end mark")
		}
		time.Sleep(2 * time.Minute)
		m.want(t, "a b")
		c.wantStatus(g, Synced, "")
		c.wantRequests(map[apiserver.Verb]int{apiserver.VerbList: 1, apiserver.VerbWatch: 2})
	})
}

// A server that keeps us waiting is given up.
func TestStalled(t *testing.T) {
	var stall atomic.Bool
	wrap := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if stall.Load() {
				<-r.Context().Done()
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	inCluster(t, wrap, func(c *cluster) {
		c.put("a")
		stall.Store(true)
		g, m := c.watchReplicaSets()
		time.Sleep(stallLimit + time.Second)
		s := c.wantStatus(g, Failing, Unreachable)
		if want := "streaming list of replicasets: the server sends nothing for 1m30s"; s.Error != want {
			t.Errorf("error %q, want %q", s.Error, want)
		}
		stall.Store(false)
		time.Sleep(2 * stallLimit)
		m.want(t, "a")
	})
}

// script answers each request with the next body, as a watch or list in protobuf,
// and leaves those after the last without an answer. A body that ends in hold is
// not ended.
func script(requests *atomic.Int32, bodies ...[]byte) func(http.Handler) http.Handler {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n := int(requests.Add(1))
			if n > len(bodies) {
				<-r.Context().Done()
				return
			}
			w.Header().Set("Content-Type", mediaProtobuf)
			body, held := bytes.CutSuffix(bodies[n-1], hold)
			_, _ = w.Write(body)
			if held {
				_ = http.NewResponseController(w).Flush()
				<-r.Context().Done()
			}
		})
	}
}

var hold = []byte("...")

// endOfInitialEvents is the frame that ends a streaming list.
func endOfInitialEvents(t *testing.T) []byte {
	t.Helper()
	o := replicaSet("")
	o.Annotations = map[string]string{"k8s.io/initial-events-end": "true"}
	return protobufFrame(t, watch.Bookmark, o)
}

// While initial events are due silence is suspect soon, afterwards it is not.
func TestSilence(t *testing.T) {
	var requests atomic.Int32
	added := protobufFrame(t, watch.Added, replicaSet("a"))
	inCluster(t, script(&requests,
		slices.Concat(added, hold), // a streaming list that does not end
		listBodies(t, "a", "b")["protobuf"],
	), func(c *cluster) {
		c.watchReplicaSets()
		time.Sleep(stallLimit - time.Second)
		wantRequests(t, &requests, 1)
		time.Sleep(2 * time.Second)
		wantRequests(t, &requests, 3) // the list and its second page
	})
	requests.Store(0)
	inCluster(t, script(&requests,
		slices.Concat(added, endOfInitialEvents(t), hold),
		hold,
		hold,
	), func(c *cluster) {
		g, m := c.watchReplicaSets()
		for n := range int32(2) {
			time.Sleep(watchIdle - 5*time.Second)
			wantRequests(t, &requests, n+1)
			time.Sleep(8 * time.Second)
			wantRequests(t, &requests, n+2)
		}
		m.want(t, "a")
		// Once is an accident. From the second time on the server is not trusted: the
		// third request is for a streaming list.
		if s := c.wantStatus(g, Failing, Unreachable); s.Counts.Interruptions != 1 || s.Counts.Relists != 1 {
			t.Errorf("counts %+v", s.Counts)
		}
	})
}

func wantRequests(t *testing.T, requests *atomic.Int32, want int32) {
	t.Helper()
	if got := requests.Load(); got != want {
		t.Errorf("%d requests, want %d", got, want)
	}
}

// A server that ends each watch at once is not asked without a pause.
func TestHastyServer(t *testing.T) {
	var requests atomic.Int32
	bodies := make([][]byte, 100_000)
	bodies[0] = endOfInitialEvents(t)
	inCluster(t, script(&requests, bodies...), func(c *cluster) {
		_, m := c.watchReplicaSets()
		time.Sleep(time.Hour)
		if n := requests.Load(); n < 90 || n > 170 || m.commits != 1 {
			t.Errorf("%d requests in an hour, want one in about 30 s; %d commits", n, m.commits)
		}
	})
}

// An answer that is no list must not be taken for an empty one.
func TestListWithoutVersion(t *testing.T) {
	empty := inEnvelope(t, "ReplicaSetList", &appsv1.ReplicaSetList{})
	inCluster(t, script(new(atomic.Int32), nil, empty), func(c *cluster) {
		m := &memory{objects: map[string]kind.Object{"default/a": replicaSet("a")}}
		g, _ := c.watch(Watch{Table: kind.ReplicaSets, Store: m})
		m.want(t, "a")
		c.wantStatus(g, Failing, InvalidResponse)
	})
}

// A list from a cache that lies behind what can be watched is not read for ever.
func TestExpiredTwice(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		c.put("a")
		g, m := c.watchReplicaSets()
		time.Sleep(time.Minute)
		c.api.Inject(apiserver.Gone("replicasets", 2))
		c.api.CutWatches("")
		time.Sleep(time.Minute)
		c.api.CutWatches("")
		time.Sleep(time.Minute)
		m.want(t, "a")
		c.wantStatus(g, Synced, "")
		reads := c.queries(apiserver.VerbWatchList)
		if len(reads) != 3 || reads[1].Get("resourceVersion") != "2" || reads[2].Has("resourceVersion") {
			t.Errorf("streaming lists %v", reads)
		}
	})
}

// A watch that breaks off twice at one version is not resumed there a third time.
func TestStuck(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		c.put("a")
		g, m := c.watchReplicaSets()
		time.Sleep(time.Minute)
		internal := apierrors.NewInternalError(io.ErrNoProgress).Status()
		c.api.Inject(apiserver.Fault{Verb: apiserver.VerbWatch, Times: 2, Effect: apiserver.EffectErrorEvent, Status: internal})
		c.api.CutWatches("")
		time.Sleep(time.Minute)
		m.want(t, "a")
		c.wantStatus(g, Synced, "")
		c.wantRequests(map[apiserver.Verb]int{apiserver.VerbWatchList: 2, apiserver.VerbWatch: 2, apiserver.VerbList: 1})
	})
}

func TestRetryAfterHeader(t *testing.T) {
	for header, want := range map[string]int{"": 0, "-1": 0, "soon": 0, "7": 7, "86400": 86400, "86401": 86400, "99999999999999999999": 86400} {
		if got := retryAfter(http.Header{"Retry-After": {header}}); got != want {
			t.Errorf("Retry-After %q is %d s, want %d", header, got, want)
		}
	}
}

func TestRefusal(t *testing.T) {
	for name, test := range map[string]struct {
		code        int
		contentType string
		body        string
		reason      string
		text        string
	}{
		"status":  {403, mediaJSON, `{"kind":"Status","status":"Failure","reason":"Forbidden","message":"no pods for you","code":403}`, "Forbidden", "no pods for you"},
		"no code": {503, mediaJSON, `{"kind":"Status","status":"Failure","reason":"ServiceUnavailable","message":"no leader"}`, "ServiceUnavailable", "no leader"},
		"success": {503, mediaJSON, `{"kind":"Status","status":"Success","reason":"Forbidden","message":"fine"}`, "ServiceUnavailable", "currently unable"},
		"proxy":   {502, "text/html", "<html>", "InternalError", "502 Bad Gateway"},
		"lie":     {404, mediaProtobuf, "not protobuf", "NotFound", "could not find the requested resource"},
		"html":    {200, "text/html", "<html>please log in</html>", InvalidResponse, `content type "text/html"`},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", test.contentType)
				w.WriteHeader(test.code)
				_, _ = io.WriteString(w, test.body)
			}))
			defer server.Close()
			base, err := url.Parse(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			c := newClient(base, server.Client())
			_, err = c.get(t.Context(), "/api/v1/pods", nil, mediaJSON)
			if err == nil || reason(err) != test.reason || !strings.Contains(err.Error(), test.text) {
				t.Errorf("got %v with reason %q, want %q with %q", err, reason(err), test.text, test.reason)
			}
			if status, ok := errors.AsType[*apierrors.StatusError](err); ok && int(status.Status().Code) != test.code {
				t.Errorf("code %d, want %d", status.Status().Code, test.code)
			}
		})
	}
}
