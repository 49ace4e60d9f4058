package kubewatch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
	"github.com/kubestate/kubestate/kind"
)

// stores makes the stores of a Consumer and keeps them.
type stores struct {
	mu   sync.Mutex
	made []*memory
}

func (s *stores) consumer(owner string, t *kind.Table) *Consumer {
	return &Consumer{Owner: owner, Table: t, NewStore: func() (Store, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		m := &memory{}
		s.made = append(s.made, m)
		return m, nil
	}}
}

func lines(p Plan) (all []string) {
	for _, e := range p.Entries {
		all = append(all, describe(e))
	}
	return all
}

func describe(e Entry) string {
	var owners []string
	for _, c := range e.Consumers {
		owners = append(owners, c.Owner)
	}
	return fmt.Sprintf("%s %q for %s", e, e.FieldSelector, strings.Join(owners, " "))
}

// A plan has one watch per resource and namespace, whoever wants it, with the fields of
// all, and with a selector that all can live with.
func TestPlan(t *testing.T) {
	table := func(rows ...string) *kind.Table {
		planned, err := kind.Pods.Plan(kind.Options{Reads: rows})
		if err != nil {
			t.Fatal(err)
		}
		return planned
	}
	s := &stores{}
	exporter, agent := s.consumer("exporter", table("spec.hostNetwork")), s.consumer("agent", table("spec.subdomain"))
	nodes := s.consumer("exporter", kind.Nodes)
	agent.FieldSelector = "spec.nodeName="
	scope := Scope{Namespaces: []string{"b", "a", "b"}, FieldSelector: "metadata.namespace!=c"}
	plan := NewPlan(scope, exporter, nodes, agent)
	want := []string{
		`nodes "" for exporter`,
		`pods in namespace a "metadata.namespace!=c" for exporter agent`,
		`pods in namespace b "metadata.namespace!=c" for exporter agent`,
	}
	if diff := cmp.Diff(want, lines(plan)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(kind.Reads(exporter.Table, agent.Table), plan.Entries[1].Fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	alone := NewPlan(Scope{FieldSelector: "metadata.namespace!=c"}, agent)
	if diff := cmp.Diff([]string{`pods "metadata.namespace!=c,spec.nodeName=" for agent`}, lines(alone)); diff != "" {
		t.Errorf("alone (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{`pods "spec.nodeName=" for agent`}, lines(NewPlan(Scope{}, agent))); diff != "" {
		t.Errorf("alone in all namespaces (-want +got):\n%s", diff)
	}
	exporter.FieldSelector = "spec.nodeName=a"
	if diff := cmp.Diff([]string{`pods "" for exporter agent`}, lines(NewPlan(Scope{}, exporter, agent))); diff != "" {
		t.Errorf("different selectors (-want +got):\n%s", diff)
	}
	if len(s.made) != 0 {
		t.Errorf("%d stores were made for plans", len(s.made))
	}
}

func TestDiff(t *testing.T) {
	s := &stores{}
	nodes, pods, secrets, jobs := s.consumer("x", kind.Nodes), s.consumer("x", kind.Pods), s.consumer("x", kind.Secrets), s.consumer("x", kind.Jobs)
	before := NewPlan(Scope{}, nodes, pods, secrets)
	d := before.Diff(NewPlan(Scope{FieldSelector: "metadata.name!=a"}, jobs, nodes, pods))
	got := map[string][]string{"kept": lines(Plan{d.Kept}), "added": lines(Plan{d.Added}), "removed": lines(Plan{d.Removed}), "changed": lines(Plan{d.Changed})}
	want := map[string][]string{
		"kept":    {`nodes "" for x`},
		"added":   {`jobs "metadata.name!=a" for x`},
		"removed": {`secrets "" for x`},
		"changed": {`pods "metadata.name!=a" for x`},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	pod := before.Entries[1]
	for name, change := range map[string]func(*Entry){
		"fields":    func(e *Entry) { e.Fields = e.Fields[1:] },
		"consumers": func(e *Entry) { e.Consumers = []*Consumer{s.consumer("x", kind.Pods)} },
		"selector":  func(e *Entry) { e.FieldSelector = "a=b" },
		"namespace": func(e *Entry) { e.Namespace = "a" },
	} {
		other := pod
		if change(&other); pod.Equal(other) {
			t.Errorf("entries with other %s are equal", name)
		}
	}
}

// applied runs a group with a plan.
func (c *cluster) applied(p Plan) *Group {
	c.t.Helper()
	g, _ := c.watch()
	c.apply(g, p)
	return g
}

func (c *cluster) apply(g *Group, p Plan) {
	c.t.Helper()
	if err := g.Apply(p); err != nil {
		c.t.Error(err)
	}
	synctest.Wait()
}

func (c *cluster) wantScopes(g *Group, want ...string) {
	c.t.Helper()
	var got []string
	for _, s := range g.Statuses() {
		got = append(got, s.Scope())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		c.t.Errorf("watches (-want +got):\n%s", diff)
	}
}

// A group adds and ends watches as plans change; what is equal goes on undisturbed.
func TestApplyAddsAndRemoves(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		c.put("a")
		if err := c.store.Put(namespace("default")); err != nil {
			t.Fatal(err)
		}
		s, other := &stores{}, &stores{}
		replicaSets, namespaces := s.consumer("x", kind.ReplicaSets), other.consumer("x", kind.Namespaces)
		g := c.applied(NewPlan(Scope{}, replicaSets))
		c.wantScopes(g, "replicasets")
		c.apply(g, NewPlan(Scope{}, replicaSets, namespaces))
		c.wantScopes(g, "namespaces", "replicasets")
		c.put("b")
		synctest.Wait()
		s.made[0].want(t, "a b")
		if len(s.made) != 1 || len(other.made[0].objects) != 1 || !g.Synced() {
			t.Errorf("%d stores, others have %v", len(s.made), other.made[0].objects)
		}
		c.wantRequests(map[apiserver.Verb]int{apiserver.VerbWatchList: 2})
		c.apply(g, NewPlan(Scope{}, namespaces))
		c.wantScopes(g, "namespaces")
		s.made[0].want(t, "")
		c.put("c")
		synctest.Wait()
		s.made[0].want(t, "")
		c.log.want(t)
	})
}

// A changed entry is read next to the watch before, which serves and follows changes
// until the new one has everything.
func TestApplyReplaces(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		c.put("a", "b")
		s := &stores{}
		consumer := s.consumer("x", kind.ReplicaSets)
		g := c.applied(NewPlan(Scope{}, consumer))
		slow := c.api.Inject(apiserver.Fault{Verb: apiserver.VerbWatchList, Delay: 10 * time.Second})
		c.apply(g, NewPlan(Scope{FieldSelector: "metadata.name!=b"}, consumer))
		c.put("c")
		time.Sleep(time.Second)
		s.made[0].want(t, "a b c")
		s.made[1].want(t, "")
		if status := c.wantStatus(g, Synced, ""); status.FieldSelector != "" {
			t.Errorf("status of %q while the first list is due", status.FieldSelector)
		}
		// Changed again before that: the first change never serves.
		c.apply(g, NewPlan(Scope{FieldSelector: "metadata.name!=a"}, consumer))
		slow()
		time.Sleep(time.Minute)
		s.made[0].want(t, "")
		s.made[1].want(t, "")
		s.made[2].want(t, "b c")
		if status := c.wantStatus(g, Synced, ""); status.FieldSelector != "metadata.name!=a" || len(g.Statuses()) != 1 {
			t.Errorf("status of %q", status.FieldSelector)
		}
		c.put("d")
		c.remove("b")
		time.Sleep(time.Minute) // this watch is still slow
		s.made[0].want(t, "")
		s.made[2].want(t, "c d")
		// Removed while it is replaced: both end.
		c.api.Inject(apiserver.Forbidden("replicasets"))
		c.apply(g, NewPlan(Scope{}, consumer))
		s.made[2].want(t, "c d")
		c.apply(g, Plan{})
		c.wantScopes(g)
		for _, m := range s.made {
			m.want(t, "")
		}
	})
}

// A plan that cannot be applied changes nothing.
func TestApplyProblems(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		c.put("a")
		s := &stores{}
		consumer := s.consumer("x", kind.ReplicaSets)
		g := c.applied(NewPlan(Scope{}, consumer))
		broken := &Consumer{Owner: "x", Table: kind.Pods, NewStore: func() (Store, error) { return nil, errors.New("no store") }}
		bad := NewPlan(Scope{FieldSelector: "a=b"}, consumer, broken)
		bad.Entries[0].Fields = []string{"metadata.name"}
		err := g.Apply(bad)
		if want := "watch pods for x: no store"; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
		c.wantScopes(g, "replicasets")
		s.made[0].want(t, "a")
		c.put("b")
		synctest.Wait()
		s.made[0].want(t, "a b")
	})
}

// A group that does not run yet takes the last plan.
func TestApplyBeforeRun(t *testing.T) {
	inCluster(t, nil, func(c *cluster) {
		c.put("a", "b")
		s := &stores{}
		consumer := s.consumer("x", kind.ReplicaSets)
		g, err := NewGroup(c.client, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		c.apply(g, NewPlan(Scope{}, consumer))
		c.apply(g, NewPlan(Scope{FieldSelector: "metadata.name=b"}, consumer))
		ctx, cancel := context.WithCancel(c.t.Context())
		var running sync.WaitGroup
		running.Go(func() { g.Run(ctx) })
		defer running.Wait()
		defer cancel()
		synctest.Wait()
		s.made[1].want(t, "b")
		c.wantStatus(g, Synced, "")
		c.wantRequests(map[apiserver.Verb]int{apiserver.VerbWatchList: 1})
	})
}

// Consumers of a factory keep its errors and no nil Store.
func TestConsumers(t *testing.T) {
	consumers := Consumers("x", []*kind.Table{kind.Pods, kind.Nodes}, func(r kind.Resource) (*memory, error) {
		if r.Name == "nodes" {
			return nil, errors.New("no " + r.Name)
		}
		return &memory{}, nil
	})
	if s, err := consumers[0].NewStore(); s == nil || err != nil || consumers[0].Owner != "x" {
		t.Errorf("pods: %v, %v", s, err)
	}
	if s, err := consumers[1].NewStore(); s != nil || err == nil || err.Error() != "no nodes" {
		t.Errorf("nodes: %v, %v", s, err)
	}
}

// Resources of one name in different groups are different, and sorted by group.
func TestPlanOfGroups(t *testing.T) {
	s := &stores{}
	var consumers []*Consumer
	for _, group := range []string{"c", "a", "d", "b"} {
		table := *kind.Nodes
		table.Group = group
		consumers = append(consumers, s.consumer(group, &table))
	}
	want := []string{`nodes "" for a`, `nodes "" for b`, `nodes "" for c`, `nodes "" for d`}
	if diff := cmp.Diff(want, lines(NewPlan(Scope{}, consumers...))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Plans that list in other ways have other entries.
func TestPlanLists(t *testing.T) {
	consumer := &Consumer{Table: kind.Pods}
	for _, lists := range []Lists{{PageSize: 5}, {Cached: true}} {
		before, after := NewPlan(Scope{}, consumer), NewPlan(Scope{Lists: lists}, consumer)
		if before.Entries[0].Equal(after.Entries[0]) {
			t.Errorf("%+v: the entries are equal", lists)
		}
	}
}
