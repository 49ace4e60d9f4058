package kubestate_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// keep returns a Config.Keep that keeps some families.
func keep(families ...string) func(*metric.Desc) bool {
	return func(d *metric.Desc) bool { return slices.Contains(families, d.Name) }
}

// replace changes the configuration and returns the resources that were kept, changed,
// added and removed.
func replace(t *testing.T, x *kubestate.Exporter, c kubestate.Config) string {
	t.Helper()
	changes, err := x.Replace(c)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("kept %v, changed %v, added %v, removed %v",
		kind.Names(changes.Kept), kind.Names(changes.Changed), kind.Names(changes.Added), kind.Names(changes.Removed))
}

func current(t *testing.T, x *kubestate.Exporter) []string {
	t.Helper()
	return samples(write(t, x, exposition.Text, kubestate.Selection{}))
}

func wantSamples(t *testing.T, x *kubestate.Exporter, when string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, current(t, x), cmp.Transformer("sorted", func(l []string) []string { return slices.Sorted(slices.Values(l)) })); diff != "" {
		t.Errorf("%s (-want +got):\n%s", when, diff)
	}
}

// TestReplace: a kept resource keeps its objects and Feed, a changed one is served as before
// until the new list is complete, a removed one is not served.
func TestReplace(t *testing.T) {
	families := keep("kube_pod_labels", "kube_namespace_created", "kube_namespace_labels", "kube_node_info", "kube_replicaset_status_replicas", "kube_pod_start_time")
	x := newExporter(t, kubestate.Config{
		Kinds: []*kind.Table{kind.Pods, kind.Namespaces, kind.Nodes}, Keep: families,
		Labels: map[string][]string{"namespaces": {"team"}},
	})
	labeled := namespace("shop")
	labeled.Labels = map[string]string{"team": "core", "env": "prod"}
	labeled.CreationTimestamp = metav1.Unix(10, 0)
	namespaces := feed(t, x, "namespaces", labeled)
	started := pod("a")
	started.Status.StartTime = &metav1.Time{Time: metav1.Unix(5, 0).Time}
	pods := feed(t, x, "pods", started)
	nodes := feed(t, x, "nodes", &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n"}})

	got := replace(t, x, kubestate.Config{
		Kinds: []*kind.Table{kind.Pods, kind.Namespaces, kind.ReplicaSets}, Keep: families,
		Labels: map[string][]string{"namespaces": {"team", "env"}},
	})
	if want := "kept [pods], changed [namespaces], added [replicasets], removed [nodes]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	const podLine = `kube_pod_start_time{namespace="shop",pod="a",uid="u-1"} 5`
	before := []string{`kube_namespace_created{namespace="shop"} 10`, `kube_namespace_labels{namespace="shop",label_team="core"} 1`, podLine}
	wantSamples(t, x, "before the new list", before...)

	changed, err := x.NewFeed(kind.Namespaces.Resource)
	if err != nil {
		t.Fatal(err)
	}
	changed.Begin()
	changed.Put(labeled)
	wantSamples(t, x, "during the new list", before...)
	other := namespace("new")
	namespaces.Put(other) // the old watch is still running
	nodes.Put(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "late"}})
	wantSamples(t, x, "with a change of the old", append(before, `kube_namespace_labels{namespace="new"} 1`)...)
	if s := x.Stats(kind.Namespaces.Resource); s.Objects != 2 || !s.Synced {
		t.Errorf("stats of the served part: %+v", s)
	}
	changed.Commit()
	after := []string{`kube_namespace_created{namespace="shop"} 10`, `kube_namespace_labels{namespace="shop",label_env="prod",label_team="core"} 1`, podLine}
	wantSamples(t, x, "after the new list", after...)
	namespaces.Put(other)
	namespaces.Begin()
	namespaces.Commit()
	namespaces.Close()
	wantSamples(t, x, "with a late change of the old", after...)

	pods.Delete("shop", "a")
	feed(t, x, "replicasets", replicaSet("r"))
	wantSamples(t, x, "later", append(after[:2:2], `kube_replicaset_status_replicas{namespace="shop",replicaset="r"} 0`)...)
}

// TestReplaceKeeps: neither the same configuration nor an invalid one changes anything.
func TestReplaceKeeps(t *testing.T) {
	c := kubestate.Config{
		Kinds: []*kind.Table{kind.Pods, kind.ReplicaSets}, Labels: map[string][]string{"pods": {"app"}},
		Keep:  keep("kube_pod_workload", "kube_pod_labels", "kube_pod_start_time", "kube_replicaset_created"),
		Joins: []kubestate.Join{{Families: "kube_pod_*", Node: true, NodeLabels: []string{"zone"}, Workload: true, NamespaceLabels: []string{"team"}}},
	}
	x := newExporter(t, c)
	tables := x.Tables()
	if got, want := replace(t, x, c), "kept [jobs namespaces nodes pods replicasets], changed [], added [], removed []"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	bad := c
	bad.Labels = map[string][]string{"pods": {"a*b*c"}, "podz": nil}
	if _, err := x.Replace(bad); err == nil || !strings.Contains(err.Error(), "podz") || !strings.Contains(err.Error(), "a*b*c") {
		t.Errorf("the error does not name both problems: %v", err)
	}
	if !slices.Equal(x.Tables(), tables) {
		t.Error("an invalid configuration changed tables")
	}
	// Fewer joins: only resources that had their labels are relisted.
	c.Joins = []kubestate.Join{{Families: "kube_pod_*", Node: true, NodeLabels: []string{"zone"}}}
	if got, want := replace(t, x, c), "kept [nodes replicasets], changed [pods], added [], removed [jobs namespaces]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestReplaceSeveralFeeds: with a watch per namespace, the new part is served when all
// watches have listed. Objects of a source that has ended stay until then.
func TestReplaceSeveralFeeds(t *testing.T) {
	c := kubestate.Config{Kinds: []*kind.Table{kind.ReplicaSets}, Keep: keep("kube_replicaset_status_observed_generation")}
	x := newExporter(t, c)
	newFeeds := func() (feeds [2]*kubestate.Feed) {
		for i := range feeds {
			f, err := x.NewFeed(kind.ReplicaSets.Resource)
			if err != nil {
				t.Fatal(err)
			}
			feeds[i] = f
		}
		return feeds
	}
	fill := func(f *kubestate.Feed, name string) { f.Begin(); f.Put(replicaSet(name)); f.Commit() }
	old := newFeeds()
	fill(old[0], "a")
	fill(old[1], "b")
	c.Keep = keep("kube_replicaset_status_replicas")
	replace(t, x, c)
	first := newFeeds()
	fill(first[0], "a")
	old[0].Close()
	line := func(family, name string) string {
		return "kube_replicaset_" + family + `{namespace="shop",replicaset="` + name + `"} `
	}
	wantSamples(t, x, "with one of two lists", line("status_observed_generation", "a")+"0", line("status_observed_generation", "b")+"0")

	// The configuration changes again before all watches have listed.
	c.Keep = keep("kube_replicaset_status_ready_replicas")
	replace(t, x, c)
	second := newFeeds()
	fill(first[1], "b") // too late
	wantSamples(t, x, "with the lists of a configuration that was replaced", line("status_observed_generation", "a")+"0", line("status_observed_generation", "b")+"0")
	fill(second[0], "a")
	second[1].Close() // its source ended immediately
	wantSamples(t, x, "at the end", line("status_ready_replicas", "a")+"0")
	second[0].Close()
	wantSamples(t, x, "without sources")
}

// TestReplaceMovesFamilies: two kinds swap their families; no scrape has a duplicate, and
// both change at once.
func TestReplaceMovesFamilies(t *testing.T) {
	config := func(runs, attempts string) kubestate.Config {
		return kubestate.Config{
			Kinds: []*kind.Table{ownKind(t, "runs", runs), ownKind(t, "attempts", attempts)},
			Keep:  func(d *metric.Desc) bool { return !strings.HasSuffix(d.Name, "_labels") },
		}
	}
	job := func(name string) *batchv1.Job {
		return &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}}
	}
	x := newExporter(t, config("one", "two"))
	feed(t, x, "runs", job("r"))
	feed(t, x, "attempts", job("a"))
	replace(t, x, config("two", "one"))
	feed(t, x, "runs", job("r"))
	wantSamples(t, x, "with half of it", `one{namespace="shop",run="r"} 1`, `two{namespace="shop",run="a"} 1`)
	feed(t, x, "attempts", job("a"))
	wantSamples(t, x, "with all of it", `two{namespace="shop",run="r"} 1`, `one{namespace="shop",run="a"} 1`)
}

// TestResourcesOfOnePlural: two groups have resources with the same plural.
func TestResourcesOfOnePlural(t *testing.T) {
	own := ownKind(t, "replicasets", "example")
	x := newExporter(t, kubestate.Config{Kinds: []*kind.Table{kind.ReplicaSets, own}, Keep: keep("example", "kube_replicaset_status_replicas")})
	for table, o := range map[*kind.Table]kind.Object{
		kind.ReplicaSets: replicaSet("a"), own: &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "b"}},
	} {
		f, err := x.NewFeed(table.Resource)
		if err != nil {
			t.Fatal(err)
		}
		f.Begin()
		f.Put(o)
		f.Commit()
		if s := x.Stats(table.Resource); s.Objects != 1 {
			t.Errorf("%s: %+v", table.GroupVersionKind(), s)
		}
	}
	const apps, example = `kube_replicaset_status_replicas{namespace="shop",replicaset="a"} 0`, `example{namespace="shop",run="b"} 1`
	for name, want := range map[string][]string{
		"replicasets": {apps, example}, "replicasets.apps": {apps}, "replicasets.batch.example.com": {example}, "replicasets.": nil, "replicaset": nil,
	} {
		got := samples(write(t, x, exposition.Text, kubestate.Selection{Only: []string{name}}))
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
		if got := samples(write(t, x, exposition.Text, kubestate.Selection{Without: []string{name}})); len(got) != 2-len(want) {
			t.Errorf("without %s: got %v", name, got)
		}
	}
}

// TestReplaceJoins: objects keep their joined labels while the resource that provides them
// is replaced.
func TestReplaceJoins(t *testing.T) {
	c := kubestate.Config{
		Kinds:  []*kind.Table{kind.Pods, kind.Nodes, kind.ReplicaSets},
		Keep:   keep("kube_pod_workload", "kube_pod_start_time", "kube_node_labels", "kube_replicaset_created"),
		Labels: map[string][]string{"nodes": {"none"}},
		Joins:  []kubestate.Join{{Families: "kube_pod_start_time", NodeLabels: []string{"zone"}, Workload: true}},
	}
	x := newExporter(t, c)
	p, node, set := pod("a"), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "worker-1", Labels: map[string]string{"zone": "z1"}}}, replicaSet("rs")
	p.Status.StartTime = &metav1.Time{Time: metav1.Unix(5, 0).Time}
	p.OwnerReferences = []metav1.OwnerReference{{Kind: "ReplicaSet", Name: "rs"}}
	set.OwnerReferences = []metav1.OwnerReference{{Kind: "Deployment", Name: "web"}}
	feed(t, x, "pods", p)
	oldNodes := feed(t, x, "nodes", node)
	oldSets := feed(t, x, "replicasets", set)
	feed(t, x, "jobs")
	lines := func(zone, workload string) []string {
		return []string{
			`kube_node_labels{node="worker-1"} 1`,
			`kube_pod_start_time{namespace="shop",pod="a",uid="u-1",workload="` + workload + `",workload_type="deployment",node_label_zone="` + zone + `"} 5`,
			`kube_pod_workload{namespace="shop",pod="a",uid="u-1",workload="` + workload + `",workload_type="deployment"} 1`,
		}
	}
	wantSamples(t, x, "at first", lines("z1", "web")...)
	c.Keep = keep("kube_pod_workload", "kube_pod_start_time", "kube_node_labels", "kube_node_role", "kube_replicaset_created", "kube_replicaset_labels")
	if got, want := replace(t, x, c), "kept [jobs pods], changed [nodes replicasets], added [], removed []"; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
	newNodes, newSets := resourceFeed(t, x, kind.Nodes), resourceFeed(t, x, kind.ReplicaSets)
	wantSamples(t, x, "before the new lists", lines("z1", "web")...)
	node = node.DeepCopy()
	node.Labels["zone"] = "z2"
	set = set.DeepCopy()
	set.OwnerReferences[0].Name = "shop"
	newNodes.Put(node)
	newSets.Put(set)
	oldNodes.Delete("", "worker-1") // the previous watch lags behind and has not seen that it was recreated
	oldSets.Delete("shop", "rs")
	if got := current(t, x); !slices.Equal(got, lines("z2", "shop")[1:]) {
		t.Errorf("while the new lists come: got %q", got)
	}
	newNodes.Commit()
	newSets.Commit()
	oldNodes.Close()
	wantSamples(t, x, "after the new lists", lines("z2", "shop")...)
	c.Kinds = []*kind.Table{kind.Pods, kind.Nodes}
	c.Joins = nil
	if got, want := replace(t, x, c), "kept [nodes], changed [pods], added [], removed [jobs replicasets]"; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
	feed(t, x, "pods", p)
	wantSamples(t, x, "without ReplicaSets", `kube_node_labels{node="worker-1"} 1`, `kube_pod_start_time{namespace="shop",pod="a",uid="u-1"} 5`,
		`kube_pod_workload{namespace="shop",pod="a",uid="u-1",workload="rs",workload_type="replicaset"} 1`)
}

// TestReplaceSharded: the resources that a shard serves and those that it reads for joins
// change independently.
func TestReplaceSharded(t *testing.T) {
	c := kubestate.Config{
		Kinds: []*kind.Table{kind.Pods, kind.Nodes}, Keep: keep("kube_pod_start_time", "kube_node_labels"), Sharded: true,
		Labels: map[string][]string{"nodes": {"none"}},
		Joins:  []kubestate.Join{{Families: "kube_pod_start_time", NodeLabels: []string{"zone"}}},
	}
	x := newExporter(t, c)
	node, p := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "worker-1", Labels: map[string]string{"zone": "z1"}}}, pod("a")
	p.Status.StartTime = &metav1.Time{Time: metav1.Unix(5, 0).Time}
	feed(t, x, "pods", p)
	feed(t, x, "nodes")
	sources, err := x.NewSourceFeed(kind.Nodes.Resource)
	if err != nil {
		t.Fatal(err)
	}
	sources.Put(node)
	sources.Commit()
	const line = `kube_pod_start_time{namespace="shop",pod="a",uid="u-1",node_label_zone="z1"} 5`
	wantSamples(t, x, "at first", line)
	c.Keep = keep("kube_pod_start_time", "kube_node_info")
	if got, want := replace(t, x, c), "kept [nodes pods], changed [nodes], added [], removed []"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	wantSamples(t, x, "with other families of Nodes", line)
	c.Sharded = false
	if got, want := replace(t, x, c), "kept [pods], changed [nodes], added [], removed [nodes]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	f := resourceFeed(t, x, kind.Nodes)
	f.Put(node)
	f.Commit()
	if got := current(t, x); !slices.Contains(got, line) {
		t.Errorf("without shards: %q", got)
	}
}

func resourceFeed(t *testing.T, x *kubestate.Exporter, table *kind.Table) *kubestate.Feed {
	t.Helper()
	f, err := x.NewFeed(table.Resource)
	if err != nil {
		t.Fatal(err)
	}
	f.Begin()
	return f
}

// TestReplaceAddedOwners: when ReplicaSets are added, the workloads of Pods do not change
// until their list is complete.
func TestReplaceAddedOwners(t *testing.T) {
	c := kubestate.Config{Kinds: []*kind.Table{kind.Pods}, Keep: keep("kube_pod_workload", "kube_replicaset_created")}
	x := newExporter(t, c)
	p, set := pod("a"), replicaSet("rs")
	p.OwnerReferences = []metav1.OwnerReference{{Kind: "ReplicaSet", Name: "rs"}}
	set.OwnerReferences = []metav1.OwnerReference{{Kind: "Deployment", Name: "web"}}
	feed(t, x, "pods", p)
	line := func(workload, typ string) string {
		return `kube_pod_workload{namespace="shop",pod="a",uid="u-1",workload="` + workload + `",workload_type="` + typ + `"} 1`
	}
	wantSamples(t, x, "without ReplicaSets", line("rs", "replicaset"))
	c.Kinds = []*kind.Table{kind.Pods, kind.ReplicaSets}
	replace(t, x, c)
	sets := resourceFeed(t, x, kind.ReplicaSets)
	wantSamples(t, x, "before their list", line("rs", "replicaset"))
	sets.Put(set)
	sets.Commit()
	wantSamples(t, x, "after it", line("web", "deployment"))
}

// TestReplaceUnderLoad: while configurations change, every scrape has all series of the
// unchanged kind, no duplicate family, and series of the changing kind from one
// configuration only.
func TestReplaceUnderLoad(t *testing.T) {
	config := func(i int) kubestate.Config {
		changing := []string{"kube_replicaset_status_ready_replicas", "kube_replicaset_status_replicas"}[i%2]
		c := kubestate.Config{Kinds: []*kind.Table{kind.Namespaces, kind.ReplicaSets}, Keep: keep("kube_namespace_created", changing, "kube_node_info")}
		if i%3 == 0 {
			c.Kinds = append(c.Kinds, kind.Nodes)
		}
		return c
	}
	x := newExporter(t, config(0))
	const objects = 150 // more than a block
	var stays, sets []kind.Object
	for i := range objects {
		n := namespace(fmt.Sprint("n", i))
		n.CreationTimestamp = metav1.Unix(1, 0)
		stays, sets = append(stays, n), append(sets, replicaSet(fmt.Sprint("r", i)))
	}
	feed(t, x, "namespaces", stays...)
	last := feed(t, x, "replicasets", sets...)
	done := make(chan struct{})
	var scrapers sync.WaitGroup
	for range 2 {
		scrapers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				body := write(t, x, exposition.Text, kubestate.Selection{})
				if err := check(body, exposition.Text); err != nil {
					t.Error(err)
				}
				counts := map[string]int{}
				for _, line := range samples(body) {
					family, _, _ := strings.Cut(line, "{")
					counts[family]++
				}
				if counts["kube_namespace_created"] != objects || counts["kube_replicaset_status_ready_replicas"]+counts["kube_replicaset_status_replicas"] != objects {
					t.Errorf("a scrape has %v", counts)
				}
			}
		})
	}
	for i := 1; i < 40; i++ {
		old := last
		changes, err := x.Replace(config(i))
		if err != nil {
			t.Fatal(err)
		}
		if len(changes.Changed) != 1 || !slices.Contains(kind.Names(changes.Kept), "namespaces") {
			t.Fatalf("changes %d: %+v", i, changes)
		}
		last = resourceFeed(t, x, kind.ReplicaSets)
		var both sync.WaitGroup
		both.Go(func() {
			for _, o := range sets {
				old.Put(o)
			}
			old.Close()
		})
		for _, o := range sets {
			last.Put(o)
		}
		last.Commit()
		both.Wait()
	}
	close(done)
	scrapers.Wait()
}

// TestReplaceScope: a resource whose Scope changes is fed again, and served as before until
// then.
func TestReplaceScope(t *testing.T) {
	scope := func(pods string) kubestate.Config {
		return kubestate.Config{
			Kinds: []*kind.Table{kind.Pods, kind.Nodes}, Keep: keep("kube_pod_start_time", "kube_node_info"),
			Scope: func(r kind.Resource) string {
				if r.Name == "pods" {
					return pods
				}
				return ""
			},
		}
	}
	x := newExporter(t, scope("a"))
	if got := replace(t, x, scope("a")); got != "kept [nodes pods], changed [], added [], removed []" {
		t.Error(got)
	}
	if got := replace(t, x, scope("b")); got != "kept [nodes], changed [pods], added [], removed []" {
		t.Error(got)
	}
}
