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
	"github.com/kubestate/kubestate/agent/datadog"
	"github.com/kubestate/kubestate/internal/agenttest"
	"github.com/kubestate/kubestate/kind"
)

var update = flag.Bool("update", false, "write the wanted lines anew")

// runAt is when the runs of the cases are.
var runAt = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// Each case is objects and all lines that a run has of them: exact names, values,
// hosts and tags.
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
			t.Fatalf("%s: a case has the files objects.yaml and want, not %s and %s", file, objects.Name, want.Name)
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

// The cases hold every metric, check, total and joined label of the table at least
// once, so that none goes untested.
func TestCasesAreComplete(t *testing.T) {
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
	n := datadog.Names()
	var names []string
	for _, r := range n.Rules {
		names = append(names, named(r.Metric, r.Choose)...)
		if r.Check != nil {
			for _, name := range named(r.Check.Name, r.Choose) {
				names = append(names, "check "+name)
			}
		}
	}
	for _, a := range n.Aggregates {
		names = append(names, named(a.Metric, a.Choose)...)
	}
	for _, name := range names {
		if !strings.HasSuffix(name, ".rollout_duration") && !strings.Contains(text.String(), "\n"+name+" ") {
			t.Errorf("no case has %s", name)
		}
	}
	for family, j := range n.Joins {
		for _, label := range j.Get {
			tag := label
			if mapped := n.Labels[label]; mapped != "" {
				tag = mapped
			}
			if !strings.Contains(text.String(), " "+tag+":") && label != "created_by_kind" && label != "created_by_name" && !strings.Contains(label, "hash") {
				t.Errorf("no case has the tag %s, which %s brings", tag, family)
			}
		}
	}
}

// named returns the names that a name with labels in it can become. Those with free
// text are left out.
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
	return slices.DeleteFunc(names, func(n string) bool { return n == "" || strings.Contains(n, "{") })
}

func newCluster(t testing.TB) *agenttest.Cluster {
	return agenttest.New(t, agent.Config{
		Names: datadog.Names(), Kinds: kind.All(), ClusterName: "Prod_EU", ClusterID: "c-1",
		Now: func() time.Time { return runAt },
	})
}
