package otel_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/agent/naming/otel"
	"github.com/kubestate/kubestate/internal/manifest"
	"github.com/kubestate/kubestate/internal/sim/apiserver"
	"github.com/kubestate/kubestate/internal/sim/cluster"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/sink"
)

var update = flag.Bool("update", false, "rewrite testdata/series.txt")

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// fed returns a run with the objects that feed yields.
func fed(t *testing.T, c agent.Config, feed func(tables []*kind.Table, put func(*kind.Table, kind.Object))) *sink.Run {
	t.Helper()
	a, err := agent.New(c)
	if err != nil {
		t.Fatal(err)
	}
	feeds := map[string]*agent.Feed{}
	for _, table := range a.Tables() {
		if feeds[table.Name], err = a.NewFeed(table.Name); err != nil {
			t.Fatal(err)
		}
		feeds[table.Name].Begin()
	}
	feed(a.Tables(), func(table *kind.Table, o kind.Object) { feeds[table.Name].Put(o) })
	for _, f := range feeds {
		f.Commit()
	}
	if n := a.Stats().Failures; n > 0 {
		t.Errorf("%d objects could not be collected", n)
	}
	return a.NewReader().Run(now)
}

// run returns a run with the objects of a file.
func run(t *testing.T, c agent.Config, file string) *sink.Run {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return fed(t, c, func(tables []*kind.Table, put func(*kind.Table, kind.Object)) {
		if err := manifest.NewReader(tables).Read(file, data, put); err != nil {
			t.Fatal(err)
		}
	})
}

func text(tags []sink.Tag) string {
	var b strings.Builder
	for _, t := range tags {
		fmt.Fprintf(&b, " %s=%s", t.Key, t.Value)
	}
	return b.String()
}

// render formats series as text, one line each, below their resource.
func render(r *sink.Run) string {
	instruments := map[sink.Type]string{sink.Gauge: "gauge", sink.Counter: "counter", sink.UpDown: "updown"}
	var b strings.Builder
	var block *sink.Block
	for s := range r.Series {
		if s.Block != block {
			block = s.Block
			fmt.Fprintf(&b, "\nresource%s\n", text(block.Resource))
		}
		fmt.Fprintf(&b, "%s %s %s%s%s: %v\n", s.Metric.Name, instruments[s.Metric.Type], s.Metric.Unit, text(block.Tags), text(s.Tags), s.Value)
	}
	return strings.TrimPrefix(b.String(), "\n")
}

// One object of each kind has exactly these series.
func TestSeries(t *testing.T) {
	const golden = "testdata/series.txt"
	got := render(run(t, agent.Config{Scheme: otel.Scheme(), ClusterName: "prod", ClusterID: "cluster-1"}, "testdata/cluster.yaml"))
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("-want +got (go test ./agent/naming/otel -update rewrites it):\n%s", diff)
	}
}

// identifying is the attribute that identifies entities of a kind.
func identifying(entity string) string {
	switch entity {
	case "namespace", "container":
		return "k8s." + entity + ".name"
	default:
		return "k8s." + entity + ".uid"
	}
}

// check fails if a series does not follow the conventions or is a duplicate. It returns the
// metrics without series.
func check(t *testing.T, r *sink.Run) (missing []string) {
	t.Helper()
	known, seen := map[string]convention{}, map[string]bool{}
	for _, c := range conventions(t) {
		known[c.name] = c
	}
	type content struct {
		total bool // totals have blocks apart from those of objects
		text  string
	}
	blocks := map[content]*sink.Block{}
	for s := range r.Series {
		c := known[s.Metric.Name]
		checkAttributes(t, s, c)
		block := text(s.Block.Resource) + " |" + text(s.Block.Tags)
		key := content{isTotal(s.Metric.Name), block}
		if b, ok := blocks[key]; ok && b != s.Block {
			t.Errorf("%s: another block has the same content:%s", s.Metric.Name, block)
		}
		blocks[key] = s.Block
		if series := s.Metric.Name + block + text(s.Tags); seen[series] {
			t.Errorf("duplicate series: %s", series)
		} else {
			seen[series], seen[s.Metric.Name] = true, true
		}
	}
	for _, c := range conventions(t) {
		if !seen[c.name] {
			missing = append(missing, c.name)
		}
	}
	return missing
}

func isTotal(metric string) bool {
	return slices.ContainsFunc(otel.Scheme().Aggregates, func(a naming.Aggregate) bool { return a.Metric == metric })
}

// checkAttributes fails if a series has attributes that are not in the conventions, lacks a
// required one, or lacks the one that identifies its entity.
func checkAttributes(t *testing.T, s *sink.Series, c convention) {
	t.Helper()
	has := map[string]bool{}
	for _, tag := range append(slices.Clone(s.Block.Tags), s.Tags...) {
		if has[tag.Key] || !slices.Contains(c.attributes, tag.Key) {
			t.Errorf("%s: attribute %s=%s; the conventions have %v, once each", s.Metric.Name, tag.Key, tag.Value, c.attributes)
		}
		has[tag.Key] = true
	}
	for _, required := range c.required {
		if !has[required] {
			t.Errorf("%s: missing %s", s.Metric.Name, required)
		}
	}
	for _, e := range c.entities {
		of := func(tag sink.Tag) bool { return tag.Key == identifying(e) && tag.Value != "" }
		if !slices.ContainsFunc(s.Block.Resource, of) {
			t.Errorf("%s: resource%s lacks %s", s.Metric.Name, text(s.Block.Resource), identifying(e))
		}
	}
}

// Every metric of the conventions has a series, with the attributes of the conventions.
func TestSeriesFollowConventions(t *testing.T) {
	for _, metric := range check(t, run(t, agent.Config{Scheme: otel.Scheme()}, "testdata/cluster.yaml")) {
		t.Errorf("%s: no series", metric)
	}
}

// In a cluster with everything that comes with Pods, all series follow the conventions, and
// every Pod and container is in exactly one state.
func TestSimulatedCluster(t *testing.T) {
	const pods = 400
	store, err := apiserver.NewStore(apiserver.StoreConfig{Resources: apiserver.Resources()})
	if err != nil {
		t.Fatal(err)
	}
	if err := cluster.Generate(store, cluster.Config{Nodes: 10, Pods: pods, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	r := fed(t, agent.Config{Scheme: otel.Scheme()}, func(tables []*kind.Table, put func(*kind.Table, kind.Object)) {
		for _, table := range tables {
			for e := range store.All(table.Name) {
				o := table.New()
				if err := o.Unmarshal(e.Message()); err != nil {
					t.Fatal(err)
				}
				put(table, o)
			}
		}
	})
	check(t, r)
	sums, containers := map[string]float64{}, 0
	for s := range r.Series {
		sums[s.Metric.Name] += s.Value
		if s.Metric.Name == "k8s.container.ready" {
			containers++
		}
	}
	if got := sums["k8s.pod.status.phase"]; got != pods {
		t.Errorf("k8s.pod.status.phase: %v Pods, want %d", got, pods)
	}
	if got := sums["k8s.container.status.state"]; got != float64(containers) || got < pods/2 {
		t.Errorf("k8s.container.status.state: %v containers, want %d", got, containers)
	}
}
