package kubewatch

import (
	"bytes"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
	"github.com/kubestate/kubestate/kind"
)

// This file tests where a watch stops tolerating a server, and what it forgets when the
// server works again.

var undecodableEvent = jsonEvent("ADDED", `{"metadata":7}`)

// Events that cannot be decoded count in a row only.
func TestUndecodableInterrupted(t *testing.T) {
	some := strings.Repeat(undecodableEvent, maxUndecodable-1)
	h := &hostile{list: always(listOf("5", "", "a")), watch: always(held(some, jsonEvent("ADDED", object("b", "6")), some))}
	against(t, h, func(c *cluster, g *Group, m *memory) {
		time.Sleep(time.Minute)
		m.want(t, "a b")
		if s := c.wantStatus(g, Synced, ""); s.Counts.DecodeErrors != 2*(maxUndecodable-1) {
			t.Errorf("%d decode errors", s.Counts.DecodeErrors)
		}
	})
}

// A watch whose events cannot be decoded does not work, however long it stays open.
func TestUndecodableOnly(t *testing.T) {
	for name, lasts := range map[string]time.Duration{"ends": 20 * time.Second, "stays open": time.Hour} {
		t.Run(name, func(t *testing.T) {
			var failed atomic.Bool
			h := &hostile{list: always(listOf("5", "", "a")), watch: func(*http.Request) reply {
				if name == "ends" || failed.Load() {
					return reply{body: undecodableEvent, lasts: lasts}
				}
				return reply{code: 500, body: failure(500, "InternalError")}
			}}
			against(t, h, func(_ *cluster, g *Group, _ *memory) {
				time.Sleep(time.Minute)
				failed.Store(true)
				time.Sleep(time.Minute)
				if s := g.Statuses()[0]; s.State != Failing {
					t.Errorf("state %s", s.State)
				}
			})
		})
	}
}

// A server that rejects the resourceVersion as invalid is not asked again with it.
func TestVersionRejected(t *testing.T) {
	h := &hostile{list: func(r *http.Request) reply {
		if r.URL.Query().Get("resourceVersion") == "0" {
			return listOf("5", "", "a")
		}
		return listOf("9", "", "b")
	}, watch: func(r *http.Request) reply {
		if r.URL.Query().Get("resourceVersion") == "5" {
			return reply{code: 400, body: failure(400, "BadRequest")}
		}
		return held()
	}}
	against(t, h, func(c *cluster, g *Group, m *memory) {
		time.Sleep(time.Minute)
		m.want(t, "b")
		c.wantStatus(g, Synced, "")
		if n := h.count(apiserver.VerbWatch); n != 2 {
			t.Errorf("%d watches, want 2", n)
		}
	})
}

// Further pages are requested by the token alone, also those of a list that may not be
// older than what is known.
func TestPagesOfRelist(t *testing.T) {
	h := &hostile{list: func(r *http.Request) reply {
		if r.URL.Query().Has("resourceVersionMatch") {
			return listOf("9", "t", "b")
		}
		return listOf("5", "", "a")
	}, page: func(r *http.Request) reply {
		if q := r.URL.Query(); q.Has("resourceVersion") || q.Has("resourceVersionMatch") {
			t.Errorf("page requested with %v", q)
		}
		return listOf("9", "", "c")
	}, watch: func(r *http.Request) reply {
		if r.URL.Query().Get("resourceVersion") == "5" {
			return reply{body: jsonEvent("ERROR", failure(410, "Expired"))}
		}
		return held()
	}}
	against(t, h, func(_ *cluster, _ *Group, m *memory) {
		time.Sleep(time.Minute)
		m.want(t, "b c")
	})
}

// A server that throttles is asked less often than one that refuses.
func TestThrottledBackoff(t *testing.T) {
	var throttled atomic.Bool
	tooMany := reply{code: 429, body: failure(429, "TooManyRequests")}
	h := &hostile{list: func(*http.Request) reply {
		if throttled.Load() {
			return tooMany
		}
		return listOf("5", "", "a")
	}, watch: func(*http.Request) reply {
		throttled.Store(true)
		return tooMany
	}}
	against(t, h, func(c *cluster, g *Group, m *memory) {
		time.Sleep(30 * time.Minute)
		m.want(t, "a")
		c.wantStatus(g, Failing, "TooManyRequests")
		if n := h.total(); n > 100 {
			t.Errorf("%d requests in half an hour, want one every 22 to 37 s", n)
		}
	})
}

// Streaming lists that are throttled are tried throttledPatience times before pages are
// read.
func TestThrottledStream(t *testing.T) {
	h := &hostile{stream: always(reply{code: 429, body: failure(429, "TooManyRequests")}), list: always(listOf("5", "", "a")), watch: always(held())}
	against(t, h, func(c *cluster, g *Group, m *memory) {
		time.Sleep(time.Minute)
		m.want(t, "a")
		c.wantStatus(g, Synced, "")
		if streams, lists := h.count(apiserver.VerbWatchList), h.count(apiserver.VerbList); streams != throttledPatience || lists != 1 {
			t.Errorf("%d streaming lists and %d lists, want %d and 1", streams, lists, throttledPatience)
		}
	})
}

// A panic while an event is stored leads to a relist, as the event is lost.
func TestPanicWhileFollowing(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		c.put("a")
		panics := 1
		m := &memory{onPut: func(o kind.Object) {
			if o.GetName() == "b" && panics > 0 {
				panics--
				panic("no room for b")
			}
		}}
		g, _ := c.watch(Watch{Table: kind.ReplicaSets, Store: m})
		c.put("b")
		time.Sleep(time.Minute)
		m.want(t, "a b")
		c.wantStatus(g, Synced, "")
	})
}

// The memory for a huge object is not kept for the next.
func TestHugeEvent(t *testing.T) {
	huge := `{"metadata":{"name":"b","namespace":"default","resourceVersion":"6","annotations":{"a":"` + strings.Repeat("x", 2*maxKept) + `"}}}`
	h := &hostile{list: always(listOf("5", "", "a")), watch: always(held(jsonEvent("ADDED", huge), jsonEvent("ADDED", object("c", "7"))))}
	against(t, h, func(_ *cluster, g *Group, m *memory) {
		m.want(t, "a b c")
		if n := cap(g.members[0].buf); n == 0 || n > maxKept {
			t.Errorf("%d bytes kept", n)
		}
	})
}

// Watches ask to be ended after different times.
func TestWatchTimeoutVaries(t *testing.T) {
	g, err := NewGroup(&Client{}, []Watch{{Table: kind.ReplicaSets, Store: &memory{}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	timeouts := map[int]bool{}
	for range 100 {
		seconds, err := strconv.Atoi(g.members[0].watchQuery().Get("timeoutSeconds"))
		if err != nil || seconds < 300 || seconds >= 600 {
			t.Errorf("timeout of %d s, error %v", seconds, err)
		}
		timeouts[seconds] = true
	}
	if len(timeouts) < 50 {
		t.Errorf("100 watches have only %d different timeouts", len(timeouts))
	}
}

// Each outage is logged, with the most watches that failed at once.
func TestOutages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer
		o := newOutage(slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}})))
		a, b := &tracker{}, &tracker{}
		failed := func(t1 *tracker, reason string, want slog.Level) {
			t.Helper()
			if got := o.failed(t1, reason); got != want {
				t.Errorf("%s is logged at %v, want %v", reason, got, want)
			}
		}
		for range 2 {
			failed(a, Unreachable, slog.LevelWarn)
			failed(b, Unreachable, slog.LevelDebug)
			o.recovered(b)
			time.Sleep(time.Minute)
			failed(a, NoProgress, slog.LevelWarn)
			o.recovered(a)
		}
		line := "level=INFO msg=\"API server recovered\" watches=2 duration=1m0s\n"
		if got, want := text.String(), line+line; got != want {
			t.Errorf("log\n%swant\n%s", got, want)
		}
	})
}
