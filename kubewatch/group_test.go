package kubewatch

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
	"github.com/kubestate/kubestate/kind"
)

// A kind that is forbidden or missing is asked for again and again; the others
// are served meanwhile.
func TestNoAccess(t *testing.T) {
	for why, test := range map[string]struct {
		fault apiserver.Fault
		text  string
	}{
		"Forbidden": {apiserver.Forbidden("replicasets"), "forbidden"},
		"NotFound":  {apiserver.Missing("replicasets"), "not found"},
	} {
		t.Run(why, func(t *testing.T) {
			inCluster(t, nil, func(c *cluster) {
				c.put("a")
				if err := c.store.Put(namespace("default")); err != nil {
					t.Fatal(err)
				}
				grant := c.api.Inject(test.fault)
				refused, served := &memory{}, &memory{}
				g, _ := c.watch(Watch{Table: kind.ReplicaSets, Store: refused}, Watch{Table: kind.Namespaces, Store: served})
				time.Sleep(time.Hour)
				c.wantStatus(g, Failing, why)
				if g.Synced() || !g.Statuses()[1].Synced || len(served.objects) != 1 {
					t.Errorf("statuses %+v", g.Statuses())
				}
				grant()
				time.Sleep(2 * time.Minute)
				refused.want(t, "a")
				if c.wantStatus(g, Synced, ""); !g.Synced() {
					t.Error("not synced")
				}
				c.log.want(t, notServedLine+"replicasets ("+test.text+")", "INFO resources are served again: replicasets")
				// Taken away again: what is stored stays.
				c.api.Inject(test.fault)
				c.api.CutWatches("replicasets")
				time.Sleep(time.Minute)
				refused.want(t, "a")
				c.wantStatus(g, Failing, why)
			})
		})
	}
}

// A fault in a store ends one attempt of one watch.
func TestPanic(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		c.put("a", "b")
		if err := c.store.Put(namespace("default")); err != nil {
			t.Fatal(err)
		}
		panics := 2
		broken := &memory{onPut: func(o kind.Object) {
			if o.GetName() == "b" && panics > 0 {
				panics--
				panic("no room for b")
			}
		}}
		well := &memory{}
		g, _ := c.watch(Watch{Table: kind.ReplicaSets, Store: broken}, Watch{Table: kind.Namespaces, Store: well})
		s := c.wantStatus(g, Failing, Panicked)
		if !strings.Contains(s.Error, "no room for b") || len(well.objects) != 1 {
			t.Errorf("error %q, others %v", s.Error, well.objects)
		}
		time.Sleep(time.Minute)
		broken.want(t, "a b")
		c.wantStatus(g, Synced, "")
		c.log.want(t, "ERROR panic in a watch", "WARN watch failed; retrying Panicked", "ERROR panic in a watch", "INFO watch recovered")
	})
}

// Run returns when its context is cancelled, whatever the watches do. That no
// goroutine is left is what the bubble checks.
func TestStop(t *testing.T) {
	faults := map[string]apiserver.Fault{
		"following": {Resource: "none"},
		"waiting":   {Delay: 10 * time.Minute},
		"retrying":  apiserver.Forbidden("replicasets"),
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			inCluster(t, nil, func(c *cluster) {
				c.put("a")
				c.api.Inject(fault)
				_, stop := c.watch(Watch{Table: kind.ReplicaSets, Store: &memory{}})
				began := time.Now()
				stop()
				if waited := time.Since(began); waited != 0 {
					t.Errorf("Run returned after %v", waited)
				}
			})
		})
	}
}

func TestNewGroupRefusesNonsense(t *testing.T) {
	_, err := NewGroup(&Client{}, []Watch{{Table: kind.Nodes, Namespace: "default"}, {Table: kind.Pods}, {Table: kind.Namespaces, Namespace: "x"}}, slog.New(slog.DiscardHandler))
	want := "watch nodes: namespace \"default\" is given, but they are not in namespaces\n" +
		"watch namespaces: namespace \"x\" is given, but they are not in namespaces"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// An outage of the server is no reason to be restarted, a store that hangs is.
func TestAlive(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		c.put("a")
		release := make(chan struct{})
		hanging := &memory{onPut: func(kind.Object) { <-release }}
		g, _ := c.watch(Watch{Table: kind.ReplicaSets, Store: hanging}, Watch{Table: kind.Nodes, Store: &memory{}})
		if err := g.Alive(); err != nil {
			t.Errorf("at the start: %v", err)
		}
		c.network.cut(true)
		time.Sleep(24 * time.Hour)
		if err := g.Alive(); err == nil || err.Error() != "watch replicasets: no sign of life for 24h0m0s" {
			t.Errorf("after a day: %v", err)
		}
		close(release)
		time.Sleep(time.Hour)
		if err := g.Alive(); err != nil {
			t.Errorf("after the store went on: %v", err)
		}
	})
}

// Changed wakes who waits until a Group is ready: at a refused list, and when the last
// list is complete, without asking in between.
func TestChanged(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		grant := c.api.Inject(apiserver.Forbidden("replicasets"))
		g, err := NewGroup(c.client, []Watch{{Table: kind.ReplicaSets, Store: &memory{}}}, slog.New(c.log))
		if err != nil {
			t.Fatal(err)
		}
		asked := 0
		await := func(ready func() bool) {
			for {
				changed := g.Changed()
				if asked++; ready() {
					return
				}
				<-changed
			}
		}
		go g.Run(c.t.Context())
		await(func() bool { return g.Statuses()[0].Counts.ListErrors >= 2 })
		grant()
		await(func() bool { return Ready(g.Statuses(), 100) == nil })
		if asked > 20 {
			t.Errorf("asked %d times", asked)
		}
	})
}
