package datadog_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/agent/naming/datadog"
	"github.com/kubestate/kubestate/internal/agenttest"
	"github.com/kubestate/kubestate/kind"
)

var update = flag.Bool("update", false, "rewrite the wanted lines")

// runAt is the time of the runs in the cases.
var runAt = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// Each case has objects and all lines of their run: exact names, values, hosts and tags.
func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { runCases(t, file) })
	}
}

func runCases(t *testing.T, file string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(archive.Files); i += 2 {
		objects, want := &archive.Files[i], &archive.Files[i+1]
		if !strings.HasSuffix(objects.Name, "/objects.yaml") || !strings.HasSuffix(want.Name, "/want") {
			t.Fatalf("%s: got files %s and %s, want objects.yaml and want", file, objects.Name, want.Name)
		}
		x := newCluster(t)
		x.Put(agenttest.Objects(t, string(objects.Data))...)
		got := strings.ReplaceAll(strings.Join(x.Lines(runAt), "\n")+"\n", "kubernetes_state.", "")
		if *update {
			want.Data = []byte(got)
		} else if diff := cmp.Diff(strings.Split(string(want.Data), "\n"), strings.Split(got, "\n")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", objects.Name, diff)
		}
	}
	if *update {
		if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// The gauges, checks and counts that the check makes of each family, with their names, from
// a separate list.
func TestNamesMatchCheck(t *testing.T) {
	text, err := os.ReadFile("testdata/names.txt")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for name := range made() {
		got = append(got, name)
	}
	slices.Sort(got)
	if diff := cmp.Diff(strings.Split(strings.TrimSpace(string(text)), "\n"), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The cases cover every metric, check and aggregation of the scheme at least once.
// Rollouts, and names with free text, have their own tests.
func TestCasesCoverAllMetrics(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.txtar")
	var text strings.Builder
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			if strings.HasSuffix(f.Name, "/want") {
				text.WriteString("\n" + string(f.Data))
			}
		}
	}
	for what := range made() {
		kind, rest, _ := strings.Cut(what, " ")
		_, name, _ := strings.Cut(rest, " ")
		if kind == "check" {
			name = "check " + name
		}
		if !strings.Contains(name, "{") && !strings.HasSuffix(name, ".rollout_duration") && !strings.Contains(text.String(), "\n"+name+" ") {
			t.Errorf("no case covers %s", name)
		}
	}
}

// made returns what the scheme makes: gauge, check or total, then family and name.
func made() map[string]bool {
	n, all := datadog.Scheme(), map[string]bool{}
	add := func(what, family, name string, f naming.Filter) {
		for _, name := range named(name, f.Choose) {
			all[what+" "+family+" "+name] = true
		}
	}
	for i := range n.Rules {
		r := &n.Rules[i]
		add("gauge", r.Family, r.Metric, r.Filter)
		if r.Check != nil {
			add("check", r.Family, r.Check.Name, r.Filter)
		}
	}
	for i := range n.Aggregates {
		a := &n.Aggregates[i]
		add("total", a.Family, a.Metric, a.Filter)
		if a.Check != nil {
			add("check", a.Family, a.Check.Name, a.Filter)
		}
	}
	return all
}

// named returns the names that a name with labels in it can have. {label} stays if any text
// is possible.
func named(name string, choose map[string]map[string]string) []string {
	names := []string{name}
	for label, called := range choose {
		var more []string
		for _, n := range names {
			for _, text := range called {
				more = append(more, strings.ReplaceAll(n, "{"+label+"}", text))
			}
		}
		names = more
	}
	return slices.DeleteFunc(names, func(n string) bool { return n == "" })
}

func newCluster(t testing.TB) *agenttest.Cluster {
	return agenttest.New(t, agent.Config{
		Scheme: datadog.Scheme(), Kinds: kind.All(), ClusterName: "Prod_EU", ClusterID: "c-1",
		Now: func() time.Time { return runAt },
	})
}
