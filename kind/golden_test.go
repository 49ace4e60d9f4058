package kind_test

import (
	"flag"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	_ "time/tzdata" // for the time zones of CronJobs, on machines without a database

	"github.com/kubestate/kubestate/internal/kindtest"
	"github.com/kubestate/kubestate/kind"
)

var update = flag.Bool("update", false, "rewrite the want.prom of the cases in testdata")

// Names of the cases that every kind has: one with a sample for most families, and an empty
// object.
const (
	richCase  = "rich"
	emptyCase = "empty"
)

func goldenFile(table *kind.Table) string { return filepath.Join("testdata", table.Name+".txtar") }

func TestGolden(t *testing.T) {
	for _, table := range kind.All() {
		t.Run(table.Name, func(t *testing.T) {
			sampled := kindtest.Run(t, table, goldenFile(table), *update)
			for _, d := range table.Schema().Families {
				if !sampled[d.Name] {
					t.Errorf("%s: no case has a sample of %s", goldenFile(table), d.Name)
				}
			}
			if got := strings.TrimSpace(string(golden(t, table, emptyCase).Object)); got != "{}" {
				t.Errorf("%s: case %s is %q", goldenFile(table), emptyCase, got)
			}
		})
	}
}

// golden returns a case of the table's golden file.
func golden(t testing.TB, table *kind.Table, name string) kindtest.Case {
	t.Helper()
	cases := kindtest.Load(t, goldenFile(table))
	i := slices.IndexFunc(cases, func(c kindtest.Case) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("%s: no case %q", goldenFile(table), name)
	}
	return cases[i]
}

// rich returns the table with all options enabled, and its rich object.
func rich(t testing.TB, table *kind.Table) (*kind.Table, kind.Object) {
	t.Helper()
	planned := kindtest.Everything.Plan(t, table)
	return planned, kindtest.Decode(t, planned, golden(t, table, richCase).Object)
}
