package kubewatch

import (
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
	"github.com/kubestate/kubestate/kind"
)

// jsonOnly makes a server answer in JSON, whatever is asked for.
func jsonOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Accept", mediaJSON)
		next.ServeHTTP(w, r)
	})
}

func TestSync(t *testing.T) {
	for name, wrap := range map[string]func(http.Handler) http.Handler{"protobuf": nil, "json": jsonOnly} {
		t.Run(name, func(t *testing.T) {
			inCluster(t, wrap, func(c *cluster) {
				c.put("a", "b")
				g, m := c.watchReplicaSets()
				m.want(t, "a b")
				if !g.Synced() || m.commits != 1 {
					t.Errorf("synced %v after %d commits", g.Synced(), m.commits)
				}
				c.put("b", "c")
				c.remove("a")
				synctest.Wait()
				m.want(t, "b c")

				s := c.wantStatus(g, Synced, "")
				want := Counts{Lists: 1, Watches: 1, Added: 3, Modified: 1, Deleted: 1, Bookmarks: 1}
				if s.Counts != want {
					t.Errorf("counts %+v, want %+v", s.Counts, want)
				}
				if s.ResourceVersion != "6" || !s.LastEvent.Equal(time.Now()) {
					t.Errorf("version %q, last event %v", s.ResourceVersion, s.LastEvent)
				}
				c.wantRequests(map[apiserver.Verb]int{apiserver.VerbWatchList: 1})
				c.log.want(t)
			})
		})
	}
}

func TestScope(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		c.put("a", "b")
		other := replicaSet("a")
		other.Namespace = "other"
		if err := c.store.Put(other); err != nil {
			t.Fatal(err)
		}
		m := &memory{}
		g, _ := c.watch(Watch{Table: kind.ReplicaSets, Namespace: "default", FieldSelector: "metadata.name=a", Store: m})
		m.want(t, "a")
		if s := g.Statuses()[0]; s.Namespace != "default" || s.FieldSelector != "metadata.name=a" || s.Resource.Name != "replicasets" {
			t.Errorf("status %+v", s)
		}
	})
}

// A watch that the server ends is resumed where it was: nothing is read twice,
// nothing is missed and nothing is logged.
func TestResume(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		c.put("a", "b")
		g, m := c.watchReplicaSets()
		time.Sleep(time.Minute) // long enough not to be called hasty
		for _, name := range []string{"c", "d", "e"} {
			c.api.CutWatches("replicasets")
			c.put(name)
			c.remove(name)
			c.put(name)
			time.Sleep(time.Minute)
		}
		m.want(t, "a b c d e")
		if lists, watches := c.api.Count(apiserver.VerbWatchList, "replicasets"), c.api.Count(apiserver.VerbWatch, "replicasets"); lists != 1 || watches != 3 {
			t.Errorf("%d streaming lists and %d watches, want 1 and 3", lists, watches)
		}
		if s := c.wantStatus(g, Synced, ""); s.Counts.Relists != 0 || m.commits != 1 {
			t.Errorf("%d relists, %d commits", s.Counts.Relists, m.commits)
		}
		c.log.want(t)
	})
}

// Watches end by themselves after 5 to 10 minutes.
func TestWatchTimeout(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		g, _ := c.watchReplicaSets()
		time.Sleep(61 * time.Minute)
		if n := c.api.Count(apiserver.VerbWatch, "replicasets"); n < 6 || n > 12 {
			t.Errorf("%d watches in an hour", n)
		}
		if s := c.wantStatus(g, Synced, ""); s.Counts.Interruptions+s.Counts.WatchErrors != 0 {
			t.Errorf("counts %+v", s.Counts)
		}
		c.log.want(t)
	})
}

// Bookmarks move the version on, so that a quiet kind can be resumed after the
// server has forgotten the versions before.
func TestBookmarks(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		c.put("a")
		_, m := c.watchReplicaSets()
		for range 10 {
			if err := c.store.Put(namespace("busy")); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(150 * time.Second) // two bookmarks, one a minute
		c.store.Compact()
		c.api.CutWatches("replicasets")
		time.Sleep(time.Second)
		c.put("b")
		synctest.Wait()
		m.want(t, "a b")
		c.wantRequests(map[apiserver.Verb]int{apiserver.VerbWatchList: 1, apiserver.VerbWatch: 1})
	})
}

// expiry forgets the versions that a watch needs, while the network is cut.
func (c *cluster) expiry(change func()) {
	c.network.cut(true)
	synctest.Wait() // the watch has noticed and not yet asked again
	change()
	c.store.Compact()
	c.network.cut(false)
}

// 410 Gone leads to one full read, during which everything stored stays, and
// after which what was deleted meanwhile is gone.
func TestExpired(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		c.put("a", "b", "c")
		g, m := c.watchReplicaSets()
		c.expiry(func() { c.remove("b"); c.put("d") })
		slow := c.api.Inject(apiserver.Fault{Verb: apiserver.VerbWatchList, Delay: time.Minute})
		time.Sleep(130 * time.Second)
		m.want(t, "a b c") // after a minute of nothing and a minute before the first event
		time.Sleep(61 * time.Second)
		m.want(t, "a b c") // a again, c is due
		time.Sleep(61 * time.Second)
		slow()
		time.Sleep(2 * time.Minute)
		m.want(t, "a c d")
		s := c.wantStatus(g, Synced, "")
		if s.Counts.Relists != 1 || s.Counts.Lists != 2 || s.Counts.Errors != 1 || m.commits != 2 {
			t.Errorf("counts %+v, %d commits", s.Counts, m.commits)
		}
		if n := c.api.Count(apiserver.VerbWatchList, "replicasets"); n != 2 {
			t.Errorf("%d streaming lists, want 2", n)
		}
	})
}

func TestGoneEvent(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		c.put("a")
		g, m := c.watchReplicaSets()
		c.api.Inject(apiserver.Gone("replicasets", 1))
		time.Sleep(time.Minute)
		c.api.CutWatches("")
		time.Sleep(time.Minute)
		m.want(t, "a")
		c.wantStatus(g, Synced, "")
		c.wantRequests(map[apiserver.Verb]int{apiserver.VerbWatchList: 2, apiserver.VerbWatch: 1, apiserver.VerbList: 1})
		c.log.want(t, "INFO relisting: the server cannot resume the watch")
	})
}

// A server that was restored from a backup does not know the version that we ask
// for. Then any version is right.
func TestVersionAhead(t *testing.T) {
	old, err := apiserver.NewStore(apiserver.StoreConfig{Resources: apiserver.Resources()})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b", "c", "d"} {
		if err := old.Put(replicaSet(name)); err != nil {
			t.Fatal(err)
		}
	}
	var restored atomic.Bool
	wrap := func(next http.Handler) http.Handler {
		before := apiserver.New(old, apiserver.Config{})
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if restored.Load() {
				next.ServeHTTP(w, r)
			} else {
				before.ServeHTTP(w, r)
			}
		})
	}
	inCluster(t, wrap, func(c *cluster) {
		c.put("a", "b")
		g, m := c.watchReplicaSets()
		m.want(t, "a b c d")
		restored.Store(true)
		c.api.Inject(apiserver.Gone("replicasets", 1))
		c.network.cut(false)
		time.Sleep(time.Minute)
		m.want(t, "a b")
		if s := c.wantStatus(g, Synced, ""); s.ResourceVersion != "3" {
			t.Errorf("version %q, want 3", s.ResourceVersion)
		}
		for i, want := range []string{"5", ""} {
			if got := c.queries(apiserver.VerbWatchList)[i].Get("resourceVersion"); got != want {
				t.Errorf("streaming list %d asked for version %q, want %q", i+1, got, want)
			}
		}
	})
}

// What is stored outlives an outage of any length; failures and recovery are
// logged once.
func TestOutage(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		c.put("a", "b")
		g, m := c.watchReplicaSets()
		c.network.cut(true)
		time.Sleep(time.Hour)
		m.want(t, "a b")
		s := c.wantStatus(g, Failing, Unreachable)
		if !s.Synced || !g.Synced() || time.Since(s.Since) < 59*time.Minute {
			t.Errorf("synced %v, since %v", s.Synced, s.Since)
		}
		if want := "watch replicasets: connection refused"; s.Error != want {
			t.Errorf("error %q, want %q", s.Error, want)
		}
		if n := s.Counts.WatchErrors; n < 90 || n > 170 {
			t.Errorf("%d attempts in an hour, want one in about 30 s", n)
		}
		c.network.cut(false)
		c.put("c")
		time.Sleep(38 * time.Second)
		m.want(t, "a b c")
		if s := c.wantStatus(g, Synced, ""); s.Counts.Relists != 0 || s.Counts.Interruptions != 1 {
			t.Errorf("counts %+v", s.Counts)
		}
		c.log.want(t, "WARN cannot reach API server; retrying Unreachable", "INFO API server recovered")
	})
}

// A connection that breaks and is made again at once is nobody's business.
func TestBrokenConnection(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		c.put("a")
		g, m := c.watchReplicaSets()
		time.Sleep(time.Minute)
		c.api.Inject(apiserver.Fault{Verb: apiserver.VerbWatch, Times: 3, AfterEvents: 1, Effect: apiserver.EffectTruncate})
		c.api.CutWatches("")
		for _, name := range []string{"b", "c", "d", "e"} {
			c.put(name)
			time.Sleep(time.Minute)
		}
		m.want(t, "a b c d e")
		if s := c.wantStatus(g, Synced, ""); s.Counts.Interruptions != 3 || s.Counts.Relists != 0 {
			t.Errorf("counts %+v", s.Counts)
		}
		c.log.want(t)
	})
}

func TestServerErrors(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		c.put("a")
		c.api.Inject(apiserver.Unavailable("replicasets", 3))
		g, m := c.watchReplicaSets()
		c.wantStatus(g, Failing, "ServiceUnavailable")
		time.Sleep(time.Minute)
		m.want(t, "a")
		c.wantStatus(g, Synced, "")
		c.wantRequests(map[apiserver.Verb]int{apiserver.VerbWatchList: 2, apiserver.VerbList: 2, apiserver.VerbWatch: 1})
	})
}

func TestRetryAfter(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		c.put("a")
		c.api.Inject(apiserver.Throttled("replicasets", 1, 20*time.Second))
		g, m := c.watchReplicaSets()
		time.Sleep(19 * time.Second)
		c.wantStatus(g, Failing, "TooManyRequests")
		c.wantRequests(map[apiserver.Verb]int{apiserver.VerbWatchList: 1})
		time.Sleep(2 * time.Second)
		m.want(t, "a")
		time.Sleep(provenAfter)
		c.wantStatus(g, Synced, "")
	})
}

// A list that breaks off changes nothing for what was there before.
func TestBrokenSync(t *testing.T) {
	for name, test := range map[string]struct {
		effect apiserver.Effect
		decode uint64 // events that cannot be decoded
	}{
		"truncated": {apiserver.EffectTruncate, 0},
		"garbage":   {apiserver.EffectGarbage, 2},
	} {
		t.Run(name, func(t *testing.T) {
			inCluster(t, nil, func(c *cluster) {
				c.put("a", "b", "c")
				g, m := c.watchReplicaSets()
				c.api.Inject(apiserver.Fault{Verb: apiserver.VerbWatchList, Times: 2, AfterEvents: 1, Effect: test.effect})
				unavailable := apiserver.Unavailable("replicasets", 2)
				unavailable.Verb = apiserver.VerbList
				c.api.Inject(unavailable)
				c.expiry(func() { c.remove("c") })
				time.Sleep(time.Second)
				m.want(t, "a b c")
				time.Sleep(time.Minute)
				m.want(t, "a b")
				s := c.wantStatus(g, Synced, "")
				if n := s.Counts; n.ListErrors != 2 || n.Lists != 2 || m.commits != 2 || n.DecodeErrors != test.decode {
					t.Errorf("counts %+v, %d commits", n, m.commits)
				}
				want := []string{"INFO relisting: the server cannot resume the watch"}
				if test.decode > 0 {
					want = append(want, "WARN object skipped: watch replicasets: event: not a protobuf message")
				}
				c.log.want(t, append(want, "WARN watch failed; retrying ServiceUnavailable", "INFO API server recovered")...)
			})
		})
	}
}
