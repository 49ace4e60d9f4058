package main

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/internal/conf"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/kubewatch"
)

// record is a store that notes what it is told.
type record struct{ calls []string }

func (r *record) Begin()                        { r.calls = append(r.calls, "begin") }
func (r *record) Put(o kind.Object)             { r.calls = append(r.calls, "put "+o.GetName()) }
func (r *record) Delete(namespace, name string) { r.calls = append(r.calls, "delete "+name) }
func (r *record) Commit()                       { r.calls = append(r.calls, "commit") }

// Beside an exporter, which wants all Pods, the agent sees those without a Node.
func TestUnassignedPods(t *testing.T) {
	r := &record{}
	u := &unassignedPods{Store: r}
	u.Begin()
	u.Put(pod("a", ""))
	u.Put(pod("b", "n1")) // what a full read does not have is gone at its end
	u.Put(pod("d", ""))
	u.Put(pod("d", "n1")) // it gets a Node meanwhile
	u.Commit()
	u.Put(pod("a", "n1")) // it gets a Node
	u.Put(pod("c", ""))
	u.Delete("shop", "c")
	want := []string{"begin", "put a", "put d", "delete d", "commit", "delete a", "put c", "delete c"}
	if !slices.Equal(r.calls, want) {
		t.Errorf("calls %q", r.calls)
	}
}

// One watch per kind and namespace, whoever wants it, with the fields of all.
func TestWatchesFor(t *testing.T) {
	plan := func(families ...string) []*kind.Table {
		keys := map[string][]string{"pods": {"app"}} // of labels and of annotations, whose maps are fields
		x, err := agent.New(agent.Config{Names: &agent.Names{Name: "x", Rules: rules(families)}, Labels: keys, Annotations: keys})
		if err != nil {
			t.Fatal(err)
		}
		return x.Tables()
	}
	consumerOf := func(unassigned bool, families ...string) consumer {
		return consumer{tables: plan(families...), unassigned: unassigned, feed: func(string) (kubewatch.Store, error) { return &record{}, nil }}
	}
	small, large := consumerOf(false, "kube_pod_annotations", "kube_node_info"), consumerOf(true, "kube_pod_labels", "kube_pod_status_phase")
	scope := conf.Settings{Namespaces: []string{"a", "b"}, FieldSelector: "metadata.namespace!=c"}
	watches, err := watchesFor(scope, small, large)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range watches {
		got = append(got, fmt.Sprintf("%s %q %q %T", w.Table.Name, w.Namespace, w.FieldSelector, w.Store))
	}
	want := []string{
		`nodes "" "" *main.record`, `pods "a" "metadata.namespace!=c" kubewatch.tee`, `pods "b" "metadata.namespace!=c" kubewatch.tee`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	both := kind.Reads(small.table("pods"), large.table("pods"))
	if diff := cmp.Diff(both, watches[1].Fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	if cmp.Equal(both, kind.Reads(small.table("pods"))) || cmp.Equal(both, kind.Reads(large.table("pods"))) {
		t.Error("one wants all that the other wants, so that this shows nothing")
	}
	watches, err = watchesFor(conf.Settings{FieldSelector: "metadata.namespace!=c"}, large)
	if err != nil || len(watches) != 1 || watches[0].FieldSelector != "metadata.namespace!=c,spec.nodeName=" {
		t.Errorf("alone: %+v, %v", watches, err)
	}
}

func rules(families []string) []agent.Rule {
	var rules []agent.Rule
	for _, f := range families {
		rules = append(rules, agent.Rule{Family: f})
	}
	return rules
}
