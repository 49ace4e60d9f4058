package main

import (
	"bufio"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/kubestate/kubestate/internal/conf"
	"github.com/kubestate/kubestate/kind"
)

// ksmFlags returns the names of the flags of kube-state-metrics, except help.
func ksmFlags(t *testing.T) []string {
	t.Helper()
	f, err := os.Open("../conf/testdata/kube-state-metrics/flags.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var names []string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var flag struct{ Name string }
		if err := json.Unmarshal(lines.Bytes(), &flag); err != nil {
			t.Fatal(err)
		}
		if flag.Name != "help" {
			names = append(names, flag.Name)
		}
	}
	return names
}

// Every flag is either of kube-state-metrics or ours, and verdicts are about flags and
// families that exist.
func TestComparison(t *testing.T) {
	theirs, known := ksmFlags(t), []string{}
	for _, d := range conf.FlagDocs() {
		known = append(known, d.Name)
		if slices.Contains(theirs, d.Name) == slices.Contains(ownFlags(), d.Name) {
			t.Errorf("--%s: of kube-state-metrics %t, and of ownFlags %[2]t", d.Name, slices.Contains(theirs, d.Name))
		}
	}
	for name := range flagVerdicts() {
		if !slices.Contains(theirs, name) {
			t.Errorf("verdict about --%s, which kube-state-metrics lacks", name)
		}
	}
	page, err := comparison("../../" + comparisonPath)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(theirs, ownFlags()...) {
		if n := strings.Count(string(page), "\n| `--"+name+"` |"); n != 1 || !slices.Contains(known, name) {
			t.Errorf("--%s: %d rows, want one", name, n)
		}
	}
	verdicts := familyVerdicts()
	for _, table := range kind.All() {
		for i := range table.Schema().Families {
			name := table.Schema().Families[i].Name
			delete(verdicts, name)
			if n := strings.Count(string(page), "\n| [`"+name+"`](reference/metrics/"+table.Name+".md) |"); n != 1 {
				t.Errorf("%s: %d rows, want one", name, n)
			}
		}
	}
	if len(verdicts) > 0 {
		t.Errorf("verdicts about families that do not exist: %v", verdicts)
	}
}
