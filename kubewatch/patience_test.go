package kubewatch

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
	"github.com/kubestate/kubestate/kind"
)

// This file is about how often something has to fail before the watch loop changes its
// approach: one failure fewer, and it does not.

const endOfInitialEventsJSON = `{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"5","annotations":{"k8s.io/initial-events-end":"true"}}}}`

// throttled responds 429 to the first n requests, and to others as then does.
func throttled(n int64, then func(*http.Request) reply) func(*http.Request) reply {
	var requests atomic.Int64
	return func(r *http.Request) reply {
		if requests.Add(1) <= n {
			return reply{code: http.StatusTooManyRequests}
		}
		return then(r)
	}
}

// Streaming lists that are throttled four times in a row are tried again, also when that
// happens a second time; the fifth in a row is replaced by a paged list.
func TestThrottledStreams(t *testing.T) {
	served := always(held(endOfInitialEventsJSON))
	ended, expired := always(reply{body: endOfInitialEventsJSON}), always(reply{body: jsonEvent("ERROR", failure(410, "Expired"))})
	for name, test := range map[string]struct {
		stream, watch func(*http.Request) reply
		lists         int
	}{
		"4 and 4": {throttled(4, sequence(ended, throttled(4, served))), sequence(expired, always(held())), 0},
		"5":       {throttled(5, served), always(held()), 1},
	} {
		t.Run(name, func(t *testing.T) {
			h := &hostile{stream: test.stream, list: always(listOf("5", "", "a")), watch: test.watch}
			against(t, h, func(c *cluster, g *Group, _ *memory) {
				time.Sleep(5 * time.Minute)
				c.wantStatus(g, Synced, "")
				if n := h.count(apiserver.VerbList); n != test.lists {
					t.Errorf("%d paged lists, want %d", n, test.lists)
				}
			})
		})
	}
}

// sequence responds to the first request as first does, and to others as then does.
func sequence(first, then func(*http.Request) reply) func(*http.Request) reply {
	var begun atomic.Bool
	return func(r *http.Request) reply {
		if begun.CompareAndSwap(false, true) {
			return first(r)
		}
		return then(r)
	}
}

// A watch that is throttled is resumed four times before all objects are listed again.
func TestThrottledWatches(t *testing.T) {
	for failures, lists := range map[int64]int{4: 1, 5: 2} {
		t.Run(fmt.Sprint(failures), func(t *testing.T) {
			h := &hostile{list: always(listOf("5", "", "a")), watch: throttled(failures, always(held()))}
			against(t, h, func(c *cluster, g *Group, _ *memory) {
				time.Sleep(5 * time.Minute)
				c.wantStatus(g, Synced, "")
				if n := h.count(apiserver.VerbList); n != lists {
					t.Errorf("%d lists, want %d", n, lists)
				}
			})
		})
	}
}

// Up to 100 pages of a list may be empty.
func TestEmptyPages(t *testing.T) {
	for pages, complete := range map[int64]bool{100: true, 101: false} {
		t.Run(fmt.Sprint(pages), func(t *testing.T) {
			var page atomic.Int64
			h := &hostile{
				list: func(*http.Request) reply { page.Store(0); return listOf("5", "first", "a") },
				page: func(*http.Request) reply {
					more := ""
					if n := page.Add(1); n <= pages {
						more = fmt.Sprint(n)
					}
					if more == "" {
						return listOf("5", "", "b")
					}
					return listOf("5", more)
				},
				watch: always(held()),
			}
			against(t, h, func(_ *cluster, g *Group, _ *memory) {
				time.Sleep(time.Minute)
				if g.Synced() != complete {
					t.Errorf("%d empty pages: synced is %v", pages, g.Synced())
				}
			})
		})
	}
}

// A streaming list that breaks off when it is complete is resumed as a watch. If that
// fails, the next list is followed at once: a server that breaks all streaming lists
// would never be watched otherwise.
func TestStreamsBreakOff(t *testing.T) {
	broken := always(reply{body: `{"type":"ADD`})
	h := &hostile{
		stream: always(reply{body: endOfInitialEventsJSON + `{"type":"ADD`}),
		watch:  sequence(broken, always(held())),
	}
	against(t, h, func(c *cluster, g *Group, _ *memory) {
		time.Sleep(5 * time.Minute)
		c.wantStatus(g, Synced, "")
		if streams, watches := h.count(apiserver.VerbWatchList), h.count(apiserver.VerbWatch); streams != 2 || watches != 2 {
			t.Errorf("%d streaming lists and %d watches, want 2 and 2", streams, watches)
		}
	})
}

// When watches keep expiring right after a list, the third list is of the newest state,
// and that is reported as a failure.
func TestExpiresAfterEachList(t *testing.T) {
	var versions []string
	h := &hostile{
		list: func(r *http.Request) reply {
			versions = append(versions, r.URL.Query().Get("resourceVersion"))
			return listOf(fmt.Sprint(len(versions)), "", "a")
		},
		watch: func(*http.Request) reply {
			if len(versions) == 4 {
				return held()
			}
			return reply{body: jsonEvent("ERROR", failure(410, "Expired"))}
		},
	}
	against(t, h, func(c *cluster, g *Group, _ *memory) {
		time.Sleep(5 * time.Minute)
		c.wantStatus(g, Synced, "")
		if want := []string{"0", "1", "2", ""}; !slices.Equal(versions, want) {
			t.Errorf("lists with resourceVersions %q, want %q", versions, want)
		}
		c.log.want(t, "INFO relisting: the server cannot resume the watch", "INFO relisting: the server cannot resume the watch",
			"WARN watch failed; retrying Expired", "INFO watch recovered")
	})
}

// 200 and 201 are success. A Location means a redirect only with a status of that class.
func TestStatusCodes(t *testing.T) {
	var code atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", mediaJSON)
		w.Header().Set("Location", "http://elsewhere/")
		w.WriteHeader(int(code.Load()))
		fmt.Fprint(w, `{"kind":"Lease"}`)
	}))
	defer server.Close()
	c, err := NewClient(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	for status, success := range map[int64]bool{200: true, 201: true, 202: false, 302: false, 404: false, 503: false} {
		code.Store(status)
		body, err := c.Send(t.Context(), http.MethodPost, "/apis/coordination.k8s.io/v1/namespaces/default/leases", []byte("{}"))
		switch {
		case success && (err != nil || string(body) != `{"kind":"Lease"}`):
			t.Errorf("%d: body %q, error %v", status, body, err)
		case !success && err == nil:
			t.Errorf("%d is no error", status)
		case !success && strings.Contains(err.Error(), "redirect") != (status == 302):
			t.Errorf("%d: error %v", status, err)
		case status == 503 && !apierrors.IsServiceUnavailable(err):
			t.Errorf("503: error %v", err)
		}
	}
}

// A plan that is applied after the end of Run starts nothing.
func TestApplyAfterRun(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		g, stop := c.watch()
		stop()
		s := &stores{}
		c.apply(g, NewPlan(Scope{}, s.consumer("x", kind.ReplicaSets)))
		c.wantScopes(g, "replicasets")
		if g.members[0].done != nil {
			t.Error("a watch was started after the end of Run")
		}
	})
}

// A watch that is removed while it fails does not keep an outage from ending, and is not
// reported as served again.
func TestRemovedWatchLeavesOutage(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		s := &stores{}
		replicaSets, namespaces := s.consumer("x", kind.ReplicaSets), s.consumer("x", kind.Namespaces)
		g := c.applied(NewPlan(Scope{}, replicaSets, namespaces))
		c.network.cut(true)
		time.Sleep(time.Minute)
		c.apply(g, NewPlan(Scope{}, namespaces))
		c.network.cut(false)
		time.Sleep(time.Minute)
		lines := []string{"WARN cannot reach API server; retrying Unreachable", "INFO API server recovered"}
		c.log.want(t, lines...)

		c.api.Inject(apiserver.Forbidden("replicasets"))
		c.apply(g, NewPlan(Scope{}, replicaSets, namespaces))
		time.Sleep(time.Minute)
		c.apply(g, NewPlan(Scope{}, namespaces))
		time.Sleep(time.Minute)
		c.log.want(t, append(lines, notServedLine+"replicasets (forbidden)")...)
		if n := len(g.outage.failing) + len(g.outage.refused) + len(g.outage.reported); n > 0 {
			t.Errorf("%d removed watches are remembered", n)
		}
	})
}

// The memory of a batch of up to maxKept bytes is used again.
func TestBatchIsKept(t *testing.T) {
	p := newWorkers()
	for range 1000 { // a sync.Pool may drop what it is given, but seldom
		b := &batch{data: bytes.Repeat([]byte{1}, maxKept)[:maxKept:maxKept]}
		p.release(b)
		if p.batches.Get().(*batch) == b {
			return
		}
	}
	t.Error("no batch was used again")
}

// Watches of the simulated server that end at once, or begin before the known version,
// fail for the reason that is theirs until they work.
func TestSimulatedFaults(t *testing.T) {
	for reason, effect := range map[string]apiserver.Effect{NoProgress: apiserver.EffectEnd, InvalidResponse: apiserver.EffectGoBack} {
		t.Run(reason, func(t *testing.T) {
			inCluster(t, nil, func(c *cluster) {
				c.put("a")
				g, m := c.watchReplicaSets()
				remove := c.api.Inject(apiserver.Fault{Verb: apiserver.VerbWatch, Effect: effect})
				broken := c.api.Inject(apiserver.Fault{Verb: apiserver.VerbWatchList, Effect: apiserver.EffectEnd, AfterEvents: 2})
				c.api.CutWatches("")
				time.Sleep(10 * time.Minute)
				c.wantStatus(g, Failing, reason)
				remove()
				broken()
				c.put("b")
				time.Sleep(time.Minute)
				m.want(t, "a b")
				c.wantStatus(g, Synced, "")
			})
		})
	}
}

func TestSimulatedEndlessList(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		c.put("a")
		c.api.Inject(apiserver.NoStreaming())
		end := []func(){
			c.api.Inject(apiserver.Fault{Verb: apiserver.VerbList, Effect: apiserver.EffectEndless}),
			c.api.Inject(apiserver.Fault{Verb: apiserver.VerbPage, Effect: apiserver.EffectEndless}),
		}
		g, m := c.watchReplicaSets()
		time.Sleep(time.Minute)
		if s := c.wantStatus(g, Failing, InvalidResponse); !strings.Contains(s.Error, "a list that repeats itself or does not end") {
			t.Errorf("error %q", s.Error)
		}
		for _, remove := range end {
			remove()
		}
		time.Sleep(time.Minute)
		m.want(t, "a")
		c.wantStatus(g, Synced, "")
	})
}
