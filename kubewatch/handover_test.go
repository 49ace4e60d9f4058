package kubewatch

import (
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
	"github.com/kubestate/kubestate/kind"
)

// Where all watches of a resource change and all their consumers, those before serve until
// every new one has its first list: of one watch for all namespaces, and two for one each.
func TestApplyOtherNamespaces(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		c.put("a")
		before, after := &stores{}, &stores{}
		g := c.applied(NewPlan(Scope{}, before.consumer("x", kind.ReplicaSets)))
		slow := c.api.Inject(apiserver.Fault{Verb: apiserver.VerbWatchList, Skip: 1, Delay: 10 * time.Second})
		c.apply(g, NewPlan(Scope{Namespaces: []string{"default", "other"}}, after.consumer("x", kind.ReplicaSets)))
		time.Sleep(time.Second)
		c.put("b")
		time.Sleep(time.Second)
		before.made[0].want(t, "a b") // one of the new ones has its list
		c.wantScopes(g, "replicasets")
		if n := g.Pending(); n != 1 {
			t.Errorf("%d watches pending", n)
		}
		slow()
		time.Sleep(time.Minute)
		before.made[0].want(t, "")
		after.made[0].want(t, "a b")
		after.made[1].want(t, "")
		c.wantScopes(g, "replicasets in namespace default", "replicasets in namespace other")
		if n := g.Pending(); n != 0 {
			t.Errorf("%d watches pending at the end", n)
		}
	})
}

// A changed plan during such a change: those that serve go on, and what never served ends.
func TestApplyDuringHandover(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		c.put("a")
		first, second, third := &stores{}, &stores{}, &stores{}
		g := c.applied(NewPlan(Scope{}, first.consumer("x", kind.ReplicaSets)))
		end := c.api.Inject(apiserver.Forbidden("replicasets"))
		c.apply(g, NewPlan(Scope{Namespaces: []string{"default", "other"}}, second.consumer("x", kind.ReplicaSets)))
		time.Sleep(time.Minute)
		c.wantScopes(g, "replicasets")
		c.apply(g, NewPlan(Scope{Namespaces: []string{"default"}}, third.consumer("x", kind.ReplicaSets)))
		time.Sleep(time.Minute)
		first.made[0].want(t, "a")
		c.wantScopes(g, "replicasets")
		end()
		time.Sleep(5 * time.Minute)
		first.made[0].want(t, "")
		c.wantScopes(g, "replicasets in namespace default")
	})
}

// A Frozen store is left as it was where others take over.
func TestFrozen(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		c.put("a")
		s := &stores{}
		frozen := s.consumer("x", kind.ReplicaSets)
		frozen.Frozen = true
		g := c.applied(NewPlan(Scope{}, frozen))
		c.apply(g, NewPlan(Scope{}, s.consumer("x", kind.ReplicaSets)))
		time.Sleep(time.Minute)
		c.put("b")
		time.Sleep(time.Minute)
		s.made[0].want(t, "a")
		s.made[1].want(t, "a b")
		c.apply(g, Plan{})
		s.made[0].want(t, "a")
		s.made[1].want(t, "")
	})
}

// New credentials for the same server leave watches alone. Another server is read by new
// watches, and the ones before serve until those have their lists.
func TestBecome(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		c.put("a")
		s := &stores{}
		plan := NewPlan(Scope{}, s.consumer("x", kind.ReplicaSets))
		g := c.applied(plan)
		var renewed, elsewhere int
		old := c.client.to.Load().http.Load()
		same := &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			renewed++
			return old.Transport.RoundTrip(r)
		})}
		c.client.Become(newClient(&url.URL{Scheme: "http", Host: "api"}, same))
		c.apply(g, plan)
		if len(s.made) != 1 || renewed != 0 {
			t.Errorf("%d stores, %d requests after new credentials", len(s.made), renewed)
		}
		other := &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			elsewhere++
			return old.Transport.RoundTrip(r)
		})}
		c.client.Become(newClient(&url.URL{Scheme: "http", Host: "other"}, other))
		slow := c.api.Inject(apiserver.Fault{Verb: apiserver.VerbWatchList, Delay: 10 * time.Second})
		c.apply(g, plan)
		time.Sleep(time.Second)
		s.made[0].want(t, "a")
		slow()
		time.Sleep(time.Minute)
		synctest.Wait()
		s.made[0].want(t, "")
		s.made[1].want(t, "a")
		if elsewhere == 0 {
			t.Error("the other server was not asked")
		}
	})
}

// roundTripper is a http.RoundTripper.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
