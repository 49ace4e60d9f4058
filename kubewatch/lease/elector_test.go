package lease

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
	"github.com/kubestate/kubestate/kubewatch"
)

// The first replica creates the Lease and keeps it; the second gets it as soon as
// the first has ended, without waiting until it expires.
func TestElection(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		a, stopA := c.elector("a")
		b, _ := c.elector("b")
		for range 10 {
			c.wantLeading(true, a)
			c.wantLeading(false, b)
			wait(20 * time.Second)
		}
		s := c.lease().Spec
		if *s.HolderIdentity != "a" || *s.LeaseDurationSeconds != 15 || *s.LeaseTransitions != 0 ||
			time.Since(s.RenewTime.Time) > 2*time.Second || time.Since(s.AcquireTime.Time) < 200*time.Second {
			t.Errorf("Lease %+v", s)
		}
		stopA()
		c.wantLeading(false, a)
		c.wantHolder("")
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
			e, _ := c.elector(name)
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
			wait(700 * time.Millisecond)
		}
	})
}

// A leader whose server is gone, or answers nothing, takes itself for the leader
// until the renew deadline and no longer, and goes on when the server is back.
func TestElectionOutage(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		a, _ := c.elector("a")
		c.network.cut(true)
		time.Sleep(9900 * time.Millisecond)
		c.wantLeading(true, a)
		time.Sleep(200 * time.Millisecond)
		c.wantLeading(false, a)
		wait(time.Hour)
		if s := a.Status(); s.Failures < 100 || s.Failures > 3600 || !strings.Contains(s.Error, "connection refused") {
			t.Errorf("status %+v", s)
		}
		c.wantLog(`level=INFO msg="acquired lease; leading" lease=monitoring/agent identity=a`,
			`level=WARN msg="failed to acquire or renew lease; retrying" lease=monitoring/agent identity=a err=...`,
			`level=INFO msg="stopped leading" lease=monitoring/agent identity=a holder=a`)
		c.network.cut(false)
		wait(4 * time.Second)
		c.wantLeading(true, a)
		if s := a.Status(); s.Acquired != 2 || s.Error != "" {
			t.Errorf("status %+v", s)
		}
		c.wantLog(`level=INFO msg="acquired lease; leading" lease=monitoring/agent identity=a`,
			`level=INFO msg="lease is accessible again" lease=monitoring/agent identity=a`)
		remove := c.api.Inject(apiserver.Fault{Verb: apiserver.VerbUpdate, Delay: time.Minute})
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
	var cut atomic.Bool
	wrap := func(h http.Handler) http.Handler { // cuts off replica a
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if cut.Load() && r.Header.Get("Authorization") == "Bearer a" {
				http.Error(w, "no", http.StatusServiceUnavailable)
				return
			}
			h.ServeHTTP(w, r)
		})
	}
	for phase := range 10 { // of the pauses of the two replicas
		cut.Store(false)
		inCluster(t, wrap, func(c *cluster) { expires(t, c, &cut, time.Minute+time.Duration(phase)*300*time.Millisecond) })
	}
}

// expires lets two replicas run for a time, then cuts off the first, and waits for the
// second to take over.
func expires(t *testing.T, c *cluster, cut *atomic.Bool, after time.Duration) {
	a, _ := c.elector("a")
	b, _ := c.elector("b")
	time.Sleep(after)
	cut.Store(true)
	synctest.Wait() // a renewal may have been on its way
	last := c.lease().Spec.RenewTime.Time
	for !b.Leading() {
		if a.Leading() && time.Since(last) > 10*time.Second {
			t.Fatal("the first still leads")
		}
		wait(50 * time.Millisecond)
	}
	c.wantLeading(false, a)
	if after := time.Since(last); after < 15*time.Second || after > 20*time.Second { // seen up to 4 s late
		t.Errorf("the second leads after %s", after)
	}
	cut.Store(false)
	wait(time.Minute)
	c.wantLeading(false, a)
	c.wantLeading(true, b)
	if s := a.Status(); s.Holder != "b" || s.Error != "" {
		t.Errorf("status %+v", s)
	}
}

// Without permission nobody leads; the Elector reports that and retries.
func TestElectionForbidden(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		remove := c.api.Inject(apiserver.Forbidden("leases"))
		a, _ := c.elector("a")
		time.Sleep(time.Minute)
		c.wantLeading(false, a)
		if s := a.Status(); !strings.Contains(s.Error, "get Lease: leases is forbidden") {
			t.Errorf("status %+v", s)
		}
		remove()
		wait(4 * time.Second)
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
		_, stop := c.elector("a")
		c.wantHolder("a")
		stop()
		c.wantHolder("")
	})
}

// After a conflict the Lease is read and written again at once, not at the next retry.
func TestElectionConflict(t *testing.T) {
	var writes []time.Time
	wrap := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPut {
				if writes = append(writes, time.Now()); len(writes) == 1 {
					w.Header().Set("Content-Type", "application/json")
					w.WriteHeader(http.StatusConflict)
					_, _ = w.Write([]byte(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Conflict","code":409}`))
					return
				}
			}
			h.ServeHTTP(w, r)
		})
	}
	inCluster(t, wrap, func(c *cluster) {
		a, _ := c.elector("a")
		wait(3 * time.Second)
		if len(writes) < 2 || !writes[1].Equal(writes[0]) {
			t.Errorf("writes at %v: the second must follow the first at once", writes)
		}
		c.wantLeading(true, a)
	})
}

// A Lease that somebody deletes is created again.
func TestElectionDeleted(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		a, _ := c.elector("a")
		if _, err := c.store.Delete("leases", "monitoring", "agent"); err != nil {
			t.Fatal(err)
		}
		for range 50 {
			c.wantLeading(true, a)
			wait(time.Second)
		}
	})
}

// Lead waits for the term and returns a context that ends with it: when the Lease could
// not be renewed, and before anybody else leads; when it is released; with its own context.
func TestLead(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		a, stopA := c.elector("a")
		b, _ := c.elector("b")
		term, err := a.Lead(c.t.Context())
		if err != nil || term.Err() != nil {
			t.Fatalf("error %v; the term has ended: %v", err, term.Err())
		}
		limited, cancel := context.WithTimeoutCause(c.t.Context(), time.Hour, errors.New("an hour is over"))
		defer cancel()
		if _, err := b.Lead(limited); err == nil || err.Error() != "an hour is over" {
			t.Errorf("a standby leads; error %v", err)
		}
		own, end := context.WithCancel(c.t.Context())
		ended, _ := a.Lead(own)
		end()
		synctest.Wait()
		if !errors.Is(context.Cause(ended), context.Canceled) || term.Err() != nil {
			t.Errorf("the context of who waits ended: %v and %v", context.Cause(ended), term.Err())
		}

		next := make(chan error)
		go func() {
			ofB, err := b.Lead(c.t.Context())
			if err == nil && (!errors.Is(context.Cause(term), ErrLost) || a.Leading() || ofB.Err() != nil) {
				err = errors.New("two replicas lead")
			}
			next <- err
		}()
		stopA()
		if err := <-next; err != nil {
			t.Error(err)
		}
		c.wantHolder("b")
	})
}

// A term ends to the moment when it was not renewed in time, though no request has
// ended, and its context with it. What comes later is another term.
func TestTermEndsInTime(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		a, _ := c.elector("a")
		began := time.Now()
		term, err := a.Lead(c.t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c.network.cut(true)
		<-term.Done()
		if took := time.Since(began); took != 10*time.Second || !errors.Is(context.Cause(term), ErrLost) {
			t.Errorf("the term ended after %s, because %v", took, context.Cause(term))
		}
		c.wantLeading(false, a)
		c.network.cut(false)
		second, err := a.Lead(c.t.Context())
		if err != nil || second.Err() != nil || term.Err() == nil {
			t.Errorf("the second term: %v, %v", err, second.Err())
		}
		wait(time.Hour)
		if second.Err() != nil {
			t.Error("a term that is renewed has ended")
		}
		c.network.cut(true)
		cut := time.Now()
		<-second.Done()
		if took := time.Since(cut); took < 8*time.Second || took > 10*time.Second {
			t.Errorf("the second term ended %s after its last renewal could be", took)
		}
		if got := a.Status().Acquired; got != 2 {
			t.Errorf("%d terms, want 2", got)
		}
	})
}

// A response that comes after the deadline that it would set begins no term.
func TestLateResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &Elector{log: slog.New(slog.DiscardHandler), elected: make(chan struct{})}
		e.leadUntil(time.Now())
		if e.Leading() || e.status.Acquired != 0 {
			t.Error("a term without time")
		}
		e.leadUntil(time.Now().Add(time.Second))
		term, _ := e.Lead(t.Context())
		e.leadUntil(time.Now())
		if e.Leading() || term.Err() == nil {
			t.Error("the term goes on")
		}
	})
}

func TestLeadingAllocatesNothing(t *testing.T) {
	e := &Elector{}
	if n := testing.AllocsPerRun(100, func() { e.Leading() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestConfig(t *testing.T) {
	_, err := New(Config{LeaseDuration: 1500 * time.Millisecond, RenewDeadline: 2 * time.Second, RetryPeriod: 3 * time.Second})
	want := `leader election: client: must be set
leader election: invalid Lease namespace "", name "": must both be set
leader election: invalid lease duration 1.5s: must be whole seconds, at least 1s
leader election: invalid renew deadline 2s: must be less than the lease duration, 1.5s
leader election: invalid retry period 3s: must be more than 0 and less than the renew deadline, 2s`
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	e, err := New(Config{Client: &kubewatch.Client{}, Namespace: "a", Name: "b"}) // without a logger
	if err != nil || len(e.config.Identity) < 18 {
		t.Errorf("identity %q, %v", e.config.Identity, err)
	}
}
