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
	"github.com/kubestate/kubestate/agent/otel"
	"github.com/kubestate/kubestate/internal/manifest"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/sink"
)

var update = flag.Bool("update", false, "write testdata/series.txt anew")

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// run feeds an Agent the objects of a file and returns what there is to send.
func run(t *testing.T, c agent.Config, file string) *sink.Run {
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
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	put := func(table *kind.Table, o kind.Object) { feeds[table.Name].Put(o) }
	if err := manifest.NewReader(a.Tables()).Read(file, data, put); err != nil {
		t.Fatal(err)
	}
	for _, f := range feeds {
		f.Commit()
	}
	return a.NewReader().Run(now)
}

func text(tags []sink.Tag) string {
	var b strings.Builder
	for _, t := range tags {
		fmt.Fprintf(&b, " %s=%s", t.Key, t.Value)
	}
	return b.String()
}

// render writes series as text, one line each, below their resource.
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

// Exactly these series become of one object of each kind.
func TestSeries(t *testing.T) {
	const golden = "testdata/series.txt"
	got := render(run(t, agent.Config{Names: otel.Names(), ClusterName: "prod", ClusterID: "cluster-1"}, "testdata/cluster.yaml"))
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
		t.Errorf("-want +got (go test ./agent/otel -update takes it over):\n%s", diff)
	}
}

// What is said of one entity shares one block, so that it is sent once.
func TestSeriesShareBlocks(t *testing.T) {
	blocks := map[string]*sink.Block{}
	for s := range run(t, agent.Config{Names: otel.Names()}, "testdata/cluster.yaml").Series {
		content := text(s.Block.Resource) + " |" + text(s.Block.Tags)
		if b, ok := blocks[content]; ok && b != s.Block {
			t.Errorf("%s: there is another block with%s", s.Metric.Name, content)
		}
		blocks[content] = s.Block
	}
}

// identifying is the attribute that tells entities of a kind apart.
func identifying(entity string) string {
	switch entity {
	case "namespace", "container":
		return "k8s." + entity + ".name"
	default:
		return "k8s." + entity + ".uid"
	}
}

// Every metric of the conventions becomes of some object, and none has attributes
// that the conventions do not give it, lacks one that they require, or lacks what
// identifies its entities.
func TestSeriesHaveTheAttributesOfTheConventions(t *testing.T) {
	missing := map[string]convention{}
	known := map[string]convention{}
	for _, c := range conventions(t) {
		missing[c.name], known[c.name] = c, c
	}
	for s := range run(t, agent.Config{Names: otel.Names()}, "testdata/cluster.yaml").Series {
		c := known[s.Metric.Name]
		delete(missing, s.Metric.Name)
		has := map[string]bool{}
		for _, tag := range append(slices.Clone(s.Block.Tags), s.Tags...) {
			if has[tag.Key] || !slices.Contains(c.attributes, tag.Key) {
				t.Errorf("%s: attribute %s=%s; the conventions have %v, once each", s.Metric.Name, tag.Key, tag.Value, c.attributes)
			}
			has[tag.Key] = true
		}
		for _, required := range c.required {
			if !has[required] {
				t.Errorf("%s: has no %s", s.Metric.Name, required)
			}
		}
		for _, e := range c.entities {
			of := func(tag sink.Tag) bool { return tag.Key == identifying(e) && tag.Value != "" }
			if !slices.ContainsFunc(s.Block.Resource, of) {
				t.Errorf("%s: its resource%s has no %s", s.Metric.Name, text(s.Block.Resource), identifying(e))
			}
		}
	}
	for name := range missing {
		t.Errorf("%s: nothing has such a series", name)
	}
}
