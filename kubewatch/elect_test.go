package kubewatch

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"

	"github.com/kubestate/kubestate/internal/sim"
)

func election(identity string) Election {
	return Election{Namespace: "monitoring", Name: "agent", Identity: identity}
}

// elector starts an Elector and returns it and what ends it.
func (c *cluster) elector(config Election) (*Elector, func()) {
	c.t.Helper()
	e, err := NewElector(c.client, config, slog.New(c.log))
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(c.t.Context())
	var running sync.WaitGroup
	running.Go(func() { e.Run(ctx) })
	stop := func() { cancel(); running.Wait() }
	c.t.Cleanup(stop)
	synctest.Wait()
	return e, stop
}

func (c *cluster) lease() *coordinationv1.Lease {
	c.t.Helper()
	e, found := c.store.Get("leases", "monitoring", "agent")
	if !found {
		c.t.Fatal("there is no Lease")
	}
	o, err := e.Decode()
	if err != nil {
		c.t.Fatal(err)
	}
	return o.(*coordinationv1.Lease)
}

// logged returns how many lines of the log have text in them.
func (c *cluster) logged(text string) int {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	n := 0
	for _, line := range c.log.lines {
		n += strings.Count(line, text)
	}
	return n
}

func (c *cluster) wantLeading(want bool, e *Elector) {
	c.t.Helper()
	if e.Leading() != want || e.Status().Leading != want {
		c.t.Errorf("leading %t, want %t; status %+v", e.Leading(), want, e.Status())
	}
}

// The first replica creates the Lease and keeps it; the second gets it as soon as
// the first has ended, without waiting until it expires.
func TestElection(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		a, stopA := c.elector(election("a"))
		b, _ := c.elector(election("b"))
		for range 10 {
			c.wantLeading(true, a)
			c.wantLeading(false, b)
			time.Sleep(20 * time.Second)
			synctest.Wait()
		}
		s := c.lease().Spec
		if *s.HolderIdentity != "a" || *s.LeaseDurationSeconds != 15 || *s.LeaseTransitions != 0 ||
			time.Since(s.RenewTime.Time) > 2*time.Second || time.Since(s.AcquireTime.Time) < 200*time.Second {
			t.Errorf("Lease %+v", s)
		}
		stopA()
		c.wantLeading(false, a)
		if got := *c.lease().Spec.HolderIdentity; got != "" {
			t.Errorf("the Lease is still that of %q", got)
		}
		time.Sleep(4 * time.Second) // twice the retry period, for jitter
		synctest.Wait()
		c.wantLeading(true, b)
		if s := c.lease().Spec; *s.HolderIdentity != "b" || *s.LeaseTransitions != 1 {
			t.Errorf("Lease %+v", s)
		}
		if got := b.Status(); got.Acquired != 1 || got.Failures != 0 || got.Holder != "b" {
			t.Errorf("status %+v", got)
		}
	})
}

// Of many that start together one leads.
func TestElectionRace(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		var electors []*Elector
		for _, name := range []string{"a", "b", "c", "d", "e"} {
			e, _ := c.elector(election(name))
			electors = append(electors, e)
		}
		for range 100 {
			leaders := 0
			for _, e := range electors {
				if e.Leading() {
					leaders++
				}
			}
			if leaders != 1 {
				t.Fatalf("%d leaders", leaders)
			}
			time.Sleep(700 * time.Millisecond)
			synctest.Wait()
		}
	})
}

// A leader whose server is gone, or answers nothing, takes itself for the leader
// until the renew deadline and no longer, and goes on when the server is back.
func TestElectionOutage(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		a, _ := c.elector(election("a"))
		c.network.cut(true)
		time.Sleep(9900 * time.Millisecond)
		c.wantLeading(true, a)
		time.Sleep(200 * time.Millisecond)
		c.wantLeading(false, a)
		time.Sleep(time.Hour)
		synctest.Wait()
		if s := a.Status(); s.Failures < 100 || !strings.Contains(s.Error, "connection refused") {
			t.Errorf("status %+v", s)
		}
		if n := c.logged("the Lease cannot be had"); n != 1 {
			t.Errorf("the failure is logged %d times", n)
		}
		c.network.cut(false)
		time.Sleep(4 * time.Second)
		synctest.Wait()
		c.wantLeading(true, a)
		if s := a.Status(); s.Acquired != 2 || s.Error != "" {
			t.Errorf("status %+v", s)
		}
		remove := c.api.Inject(sim.Fault{Verb: sim.VerbUpdate, Delay: time.Minute})
		time.Sleep(10100 * time.Millisecond)
		c.wantLeading(false, a)
		remove()
		time.Sleep(2 * time.Minute) // the server answers at last, but to nobody
		synctest.Wait()
		c.wantLeading(true, a)
	})
}

// A leader that vanishes without a word is followed when its Lease has expired, no
// sooner, and finds out that it has been followed.
func TestElectionExpiry(t *testing.T) {
	var mu sync.Mutex
	cut := false
	wrap := func(h http.Handler) http.Handler { // cuts off the replica that does not call itself b
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			refuse := cut && r.Header.Get("X-Replica") != "b"
			mu.Unlock()
			if refuse {
				http.Error(w, "no", http.StatusServiceUnavailable)
				return
			}
			h.ServeHTTP(w, r)
		})
	}
	inCluster(t, wrap, func(c *cluster) {
		a, _ := c.elector(election("a"))
		other := *c.client
		other.http = &http.Client{Transport: replica{c.client.http.Transport, "b"}}
		c.client = &other
		b, _ := c.elector(election("b"))
		time.Sleep(time.Minute)
		mu.Lock()
		cut = true
		mu.Unlock()
		synctest.Wait() // a renewal may have been on its way
		last := c.lease().Spec.RenewTime.Time
		for !b.Leading() {
			if a.Leading() && time.Since(last) > 10*time.Second {
				t.Fatal("the first still leads")
			}
			time.Sleep(50 * time.Millisecond)
			synctest.Wait()
		}
		c.wantLeading(false, a)
		if after := time.Since(last); after < 15*time.Second || after > 23*time.Second { // seen up to 4 s late, and up to 4 s until it is asked again
			t.Errorf("the second leads after %s", after)
		}
		mu.Lock()
		cut = false
		mu.Unlock()
		time.Sleep(time.Minute)
		synctest.Wait()
		c.wantLeading(false, a)
		c.wantLeading(true, b)
		if s := a.Status(); s.Holder != "b" || s.Error != "" {
			t.Errorf("status %+v", s)
		}
	})
}

// replica is a transport that says who asks.
type replica struct {
	http.RoundTripper
	name string
}

func (n replica) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Replica", n.name)
	return n.RoundTripper.RoundTrip(r)
}

// Without permission nobody leads; that is told, and tried again.
func TestElectionForbidden(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		remove := c.api.Inject(sim.Forbidden("leases"))
		a, _ := c.elector(election("a"))
		time.Sleep(time.Minute)
		c.wantLeading(false, a)
		if s := a.Status(); !strings.Contains(s.Error, "read the Lease: leases is forbidden") {
			t.Errorf("status %+v", s)
		}
		remove()
		time.Sleep(4 * time.Second)
		synctest.Wait()
		c.wantLeading(true, a)
	})
}

// A Lease whose very first write was cut off by the end of the replica is given
// away as well.
func TestElectionEndsAtOnce(t *testing.T) {
	wrap := func(h http.Handler) http.Handler { // creates what is to be created, and does not say so
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				h.ServeHTTP(httptest.NewRecorder(), r)
				<-r.Context().Done()
				return
			}
			h.ServeHTTP(w, r)
		})
	}
	inCluster(t, wrap, func(c *cluster) {
		_, stop := c.elector(election("a"))
		if got := *c.lease().Spec.HolderIdentity; got != "a" {
			t.Fatalf("the Lease is that of %q", got)
		}
		stop()
		if got := *c.lease().Spec.HolderIdentity; got != "" {
			t.Errorf("the Lease is still that of %q", got)
		}
	})
}

// A Lease that somebody deletes is made anew.
func TestElectionDeleted(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		a, _ := c.elector(election("a"))
		if _, err := c.store.Delete("leases", "monitoring", "agent"); err != nil {
			t.Fatal(err)
		}
		for range 50 {
			c.wantLeading(true, a)
			time.Sleep(time.Second)
			synctest.Wait()
		}
	})
}

func TestElectionProblems(t *testing.T) {
	_, err := NewElector(&Client{}, Election{LeaseDuration: 1500 * time.Millisecond, RenewDeadline: 2 * time.Second, RetryPeriod: 3 * time.Second}, slog.New(slog.DiscardHandler))
	want := `leader election: namespace "" and name "" of the Lease: both must be given
leader election: lease duration 1.5s: want whole seconds, 1s or more
leader election: renew deadline 2s: want less than the lease duration, 1.5s
leader election: retry period 3s: want more than 0 and less than the renew deadline, 2s`
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	e, err := NewElector(&Client{}, Election{Namespace: "a", Name: "b"}, slog.New(slog.DiscardHandler))
	if err != nil || len(e.config.Identity) < 18 {
		t.Errorf("identity %q, %v", e.config.Identity, err)
	}
}
