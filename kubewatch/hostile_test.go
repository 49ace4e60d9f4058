package kubewatch

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
	"github.com/kubestate/kubestate/kind"
)

// This file is about API servers, and what stands before them, that answer and yet do
// not serve: nothing may loop without back-off, look healthy or leave old data.

// reply is the response to one request.
type reply struct {
	code   int           // 0: 200
	body   string        // JSON
	lasts  time.Duration // until the response ends
	header http.Header
}

// hostile replies to streaming lists, lists, further pages and watches with what the
// functions return. A nil stream refuses streaming lists as old servers do. Counts are
// requests so far.
type hostile struct {
	stream, list, page, watch func(r *http.Request) reply

	mu       sync.Mutex
	requests map[apiserver.Verb]int
}

func (h *hostile) total() (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, requests := range h.requests {
		n += requests
	}
	return n
}

func (h *hostile) count(verb apiserver.Verb) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.requests[verb]
}

func (h *hostile) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	verb, answer := apiserver.VerbList, h.list
	switch q := r.URL.Query(); {
	case q.Has("sendInitialEvents"):
		verb, answer = apiserver.VerbWatchList, h.stream
	case q.Has("watch"):
		verb, answer = apiserver.VerbWatch, h.watch
	case q.Has("continue"):
		verb, answer = apiserver.VerbPage, h.page
	}
	h.mu.Lock()
	if h.requests == nil {
		h.requests = map[apiserver.Verb]int{}
	}
	h.requests[verb]++
	h.mu.Unlock()
	out := reply{code: http.StatusUnprocessableEntity}
	if answer != nil {
		out = answer(r)
	}
	w.Header().Set("Content-Type", mediaJSON)
	for name := range out.header {
		w.Header().Set(name, out.header.Get(name))
	}
	if out.code > 0 {
		w.WriteHeader(out.code)
	}
	_, _ = io.WriteString(w, out.body)
	if out.lasts > 0 {
		_ = http.NewResponseController(w).Flush()
		select {
		case <-time.After(out.lasts):
		case <-r.Context().Done():
		}
	}
}

func always(r reply) func(*http.Request) reply { return func(*http.Request) reply { return r } }

// held is a watch that stays open and brings events.
func held(events ...string) reply {
	return reply{body: strings.Join(events, "\n"), lasts: 1000 * time.Hour}
}

// listOf is a list at a version, in one page if more is empty.
func listOf(version, more string, names ...string) reply {
	items := make([]string, len(names))
	for i, name := range names {
		items[i] = object(name, "1")
	}
	return reply{body: fmt.Sprintf(`{"kind":"ReplicaSetList","apiVersion":"apps/v1","metadata":{"resourceVersion":%q,"continue":%q},"items":[%s]}`,
		version, more, strings.Join(items, ","))}
}

func object(name, version string) string {
	return fmt.Sprintf(`{"metadata":{"name":%q,"namespace":"default","resourceVersion":%q}}`, name, version)
}

func jsonEvent(event, object string) string {
	return fmt.Sprintf(`{"type":%q,"object":%s}`, event, object)
}

func bookmark(version string) string {
	return jsonEvent("BOOKMARK", fmt.Sprintf(`{"metadata":{"resourceVersion":%q}}`, version))
}

func failure(code int, reason string) string {
	return fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","status":"Failure","message":"no","reason":%q,"code":%d}`, reason, code)
}

// against runs a test with one watch of ReplicaSets from a hostile server.
func against(t *testing.T, h *hostile, test func(*cluster, *Group, *memory)) {
	t.Helper()
	inCluster(t, func(http.Handler) http.Handler { return h }, func(c *cluster) {
		g, m := c.watchReplicaSets()
		test(c, g, m)
	})
}

// Watches that bring nothing new back off, are shown as failing, and objects are listed
// until watching works.
func TestNoProgress(t *testing.T) {
	endOfInitialEvents := jsonEvent("BOOKMARK", `{"metadata":{"resourceVersion":"5","annotations":{"k8s.io/initial-events-end":"true"}}}`)
	for name, test := range map[string]struct {
		reply  reply
		reason string
	}{
		"empty":                {reply{}, NoProgress},
		"an empty object":      {reply{body: `{}`}, NoProgress},
		"null":                 {reply{body: `null`}, NoProgress},
		"a repeated bookmark":  {reply{body: bookmark("5")}, NoProgress},
		"many bookmarks":       {reply{body: strings.Repeat(bookmark("5"), 1000)}, NoProgress},
		"a repeated event":     {reply{body: jsonEvent("MODIFIED", object("a", "5"))}, NoProgress},
		"no resourceVersion":   {reply{body: jsonEvent("MODIFIED", object("a", ""))}, NoProgress},
		"no name":              {reply{body: jsonEvent("MODIFIED", `{"metadata":{"resourceVersion":"6"}}`)}, NoProgress},
		"an unknown event":     {reply{body: jsonEvent("EXPLODED", object("a", "9"))}, NoProgress},
		"an undecodable event": {reply{body: jsonEvent("ADDED", `{"metadata":7}`)}, NoProgress},
		"undecodable, held":    {held(strings.Repeat(jsonEvent("ADDED", `{"metadata":7}`), maxUndecodable)), InvalidResponse},
		"not JSON":             {reply{body: `<html>`}, InvalidResponse},
		"half an event":        {reply{body: `{"type":"ADD`}, Unreachable},
		"error event 500":      {reply{body: jsonEvent("ERROR", failure(500, "InternalError"))}, "InternalError"},
		"error event 403":      {reply{body: jsonEvent("ERROR", failure(403, "Forbidden"))}, "Forbidden"},
		"error event 410":      {reply{body: jsonEvent("ERROR", failure(410, "Expired"))}, "Expired"},
		"error event, odd":     {reply{body: jsonEvent("ERROR", `{}`)}, InvalidResponse},
		"a version gone back":  {reply{body: jsonEvent("MODIFIED", object("a", "4"))}, InvalidResponse},
		"a bookmark gone back": {reply{body: bookmark("4")}, InvalidResponse},
		"400":                  {reply{code: 400, body: failure(400, "BadRequest")}, "BadRequest"},
		"401":                  {reply{code: 401, body: failure(401, "Unauthorized")}, "Unauthorized"},
		"403":                  {reply{code: 403, body: failure(403, "Forbidden")}, "Forbidden"},
		"404":                  {reply{code: 404}, "NotFound"},
		"405":                  {reply{code: 405}, "MethodNotAllowed"},
		"410":                  {reply{code: 410, body: failure(410, "Gone")}, "Gone"},
		"429":                  {reply{code: 429}, "TooManyRequests"},
		"500":                  {reply{code: 500, body: failure(500, "InternalError")}, "InternalError"},
		"503":                  {reply{code: 503}, "ServiceUnavailable"},
		"a redirect":           {reply{code: 302, header: http.Header{"Location": {"http://elsewhere/"}}}, InvalidResponse},
		"204":                  {reply{code: 204}, InvalidResponse},
		"a login page":         {reply{header: http.Header{"Content-Type": {"text/html"}}}, InvalidResponse},
		"a long Retry-After":   {reply{code: 503, header: http.Header{"Retry-After": {"99999999999999999999"}}}, "ServiceUnavailable"},
	} {
		for streams, stream := range map[string]func(*http.Request) reply{
			"stream refused": nil,
			"stream alike":   always(test.reply),
			"stream served":  always(reply{body: jsonEvent("ADDED", object("a", "1")) + endOfInitialEvents}),
		} {
			if name == "undecodable, held" && streams == "stream alike" {
				continue // what does not end is TestSilence
			}
			t.Run(name+"/"+streams, func(t *testing.T) {
				var names atomic.Value
				names.Store("a")
				var serve atomic.Bool
				h := &hostile{
					stream: stream,
					list:   func(*http.Request) reply { return listOf("5", "", strings.Fields(names.Load().(string))...) },
					watch: func(*http.Request) reply {
						if serve.Load() {
							return held()
						}
						return test.reply
					},
				}
				against(t, h, func(c *cluster, g *Group, m *memory) {
					time.Sleep(time.Minute)
					m.want(t, "a")
					c.wantStatus(g, Failing, test.reason)
					time.Sleep(14 * time.Minute)
					if streams != "stream served" {
						names.Store("a c")
					}
					time.Sleep(time.Minute)
					m.want(t, names.Load().(string))
					time.Sleep(14 * time.Minute)
					if n := h.total(); n < 50 || n > 300 {
						t.Errorf("%d requests in half an hour, want at most 3 every 22 to 37 s", n)
					}
					c.wantStatus(g, Failing, test.reason)
					serve.Store(true)
					time.Sleep(time.Minute)
					c.wantStatus(g, Synced, "")
				})
			})
		}
	}
}

// A watch that ends as soon as it has brought a change is resumed, with a pause.
func TestOneChangePerWatch(t *testing.T) {
	var version atomic.Int64
	version.Store(5)
	h := &hostile{list: always(listOf("5", "", "a")), watch: func(*http.Request) reply {
		v := version.Add(1)
		return reply{body: jsonEvent("MODIFIED", object(fmt.Sprint("r", v), fmt.Sprint(v)))}
	}}
	against(t, h, func(c *cluster, g *Group, _ *memory) {
		time.Sleep(time.Hour + firstDelay/2) // between two watches
		c.wantStatus(g, Synced, "")
		if n := h.count(apiserver.VerbWatch); n < 4000 || n > 4600 {
			t.Errorf("%d watches in an hour, want one in 0.8 s", n)
		}
		if n := h.count(apiserver.VerbList); n != 1 {
			t.Errorf("%d lists, want 1", n)
		}
		c.log.want(t)
	})
}

// Watches that a proxy ends after a while are no failure, but are not trusted forever.
func TestProxyTimeout(t *testing.T) {
	h := &hostile{list: always(listOf("5", "", "a")), watch: always(reply{lasts: 30 * time.Second})}
	against(t, h, func(c *cluster, g *Group, _ *memory) {
		time.Sleep(time.Hour - time.Second)
		s := c.wantStatus(g, Synced, "")
		if s.Counts.Watches != 120 || s.Counts.Lists != 11 {
			t.Errorf("%d watches and %d lists in an hour, want 120 and 11", s.Counts.Watches, s.Counts.Lists)
		}
		c.log.want(t)
	})
}

// After an error in a running watch, data is current within 15 s of lists being served,
// however long they were not.
func TestCurrentSoonAfterErrors(t *testing.T) {
	for _, code := range []int{403, 500, 503} {
		for _, down := range []time.Duration{0, time.Second, 20 * time.Second, 10 * time.Minute} {
			for _, retryAfter := range []string{"", "86400"} {
				t.Run(fmt.Sprint(code, down, retryAfter), func(t *testing.T) {
					broken := reply{code: code, body: failure(code, ""), header: http.Header{"Retry-After": {retryAfter}}}
					var failing, unlisted atomic.Bool
					h := &hostile{
						list: func(*http.Request) reply {
							switch {
							case unlisted.Load():
								return broken
							case failing.Load():
								return listOf("9", "", "b")
							}
							return listOf("5", "", "a")
						},
						watch: func(*http.Request) reply {
							if failing.Load() {
								return broken
							}
							return reply{body: jsonEvent("ADDED", object("a", "6")), lasts: time.Minute}
						},
					}
					against(t, h, func(_ *cluster, _ *Group, m *memory) {
						time.Sleep(59 * time.Second)
						failing.Store(true)
						unlisted.Store(true)
						time.Sleep(time.Second + down)
						m.want(t, "a")
						unlisted.Store(false)
						time.Sleep(15 * time.Second)
						m.want(t, "b")
					})
				})
			}
		}
	}
}

// A paged list that repeats itself or does not end is a failure with back-off.
func TestEndlessList(t *testing.T) {
	var page atomic.Int64
	for name, next := range map[string]func(*http.Request) reply{
		"one token":         always(listOf("5", "t", "b")),
		"one token, empty":  always(listOf("5", "t")),
		"two tokens":        func(*http.Request) reply { return listOf("5", fmt.Sprint(page.Add(1)%2)) },
		"repeated objects":  func(*http.Request) reply { return listOf("5", fmt.Sprint(page.Add(1)), "b", "c") },
		"always new tokens": func(*http.Request) reply { return listOf("5", fmt.Sprint(page.Add(1))) },
	} {
		t.Run(name, func(t *testing.T) {
			h := &hostile{list: always(listOf("5", "first", "a")), page: next}
			against(t, h, func(c *cluster, g *Group, m *memory) {
				time.Sleep(10 * time.Second)
				s := c.wantStatus(g, Failing, InvalidResponse)
				if !strings.Contains(s.Error, "a list that repeats itself or does not end") || s.Synced || m.commits > 0 {
					t.Errorf("error %q, synced %v, %d commits", s.Error, s.Synced, m.commits)
				}
				lists, pages := h.count(apiserver.VerbList), h.count(apiserver.VerbPage)
				most := 3 * lists
				if name == "always new tokens" {
					most = (maxEmptyPages + 1) * lists
				}
				if lists > 5 || pages > most {
					t.Errorf("%d lists with %d further pages in 10 s", lists, pages)
				}
			})
		})
	}
}

// What is not a list must not empty the store.
func TestOddLists(t *testing.T) {
	for _, body := range []string{``, `{}`, `null`, `[]`, `{"metadata":{}}`, `{"metadata":{"resourceVersion":"9"},"items":[`, `{"metadata":{"resourceVersion":"9"},"items":7}`} {
		t.Run(body, func(t *testing.T) {
			inCluster(t, func(http.Handler) http.Handler { return &hostile{list: always(reply{body: body})} }, func(c *cluster) {
				m := &memory{objects: map[string]kind.Object{"default/a": replicaSet("a")}}
				g, _ := c.watch(Watch{Table: kind.ReplicaSets, Store: m})
				time.Sleep(time.Minute)
				m.want(t, "a")
				if s := g.Statuses()[0]; s.State != Failing || s.Synced {
					t.Errorf("status %+v", s)
				}
			})
		})
	}
}

// Objects without a name are skipped, wherever they come from.
func TestNameless(t *testing.T) {
	list := reply{body: `{"metadata":{"resourceVersion":"5"},"items":[null,{},{"metadata":{}},` + object("a", "1") + `]}`}
	h := &hostile{list: always(list), watch: always(held(
		jsonEvent("ADDED", `null`), jsonEvent("ADDED", `{}`), jsonEvent("DELETED", `{"metadata":{"namespace":"default"}}`), jsonEvent("ADDED", object("b", "6"))))}
	against(t, h, func(c *cluster, g *Group, m *memory) {
		m.want(t, "a b")
		if s := c.wantStatus(g, Synced, ""); s.Counts.DecodeErrors != 6 {
			t.Errorf("%d decode errors, want 6", s.Counts.DecodeErrors)
		}
	})
}

// The token goes to the API server and to nobody it redirects to.
func TestRedirect(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	for _, code := range []int{301, 302, 303, 307, 308} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL+"/secret?token=x", code)
		}))
		c, err := NewClient(&rest.Config{Host: server.URL, BearerToken: "open-sesame"})
		if err != nil {
			t.Fatal(err)
		}
		_, errVersion := c.Version(t.Context())
		_, errUID := c.NamespaceUID(t.Context(), "kube-system")
		_, errGet := c.get(t.Context(), "/api/v1/pods", nil, acceptWatch().whole)
		_, errSend := c.send(t.Context(), http.MethodPut, "/apis", nil, mediaJSON, strings.NewReader("{}"))
		for _, err := range []error{errVersion, errUID, errGet, errSend} {
			if want := "redirect to " + other.URL + " not followed (" + fmt.Sprint(code); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%d: got %v, want %q", code, err, want)
			}
		}
		server.Close()
	}
	if n := elsewhere.Load(); n != 0 {
		t.Errorf("%d requests followed a redirect", n)
	}
	if http.DefaultClient.CheckRedirect != nil {
		t.Error("http.DefaultClient was changed")
	}
}
