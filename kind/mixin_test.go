package kind_test

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kubestate/kubestate/internal/kindtest"
	"github.com/kubestate/kubestate/kind"
)

// A mixin has the selectors of the alerts, rules and dashboards of the Kubernetes mixin and
// of kube-prometheus: for each family, by label, the matchers, written as operator and
// value. A label without matchers is matched with variables.
type mixin map[string]map[string][]string

func readMixin(t *testing.T) mixin {
	t.Helper()
	data, err := os.ReadFile("testdata/mixin.json")
	if err != nil {
		t.Fatal(err)
	}
	var m mixin
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	const families = 49
	if len(m) != families {
		t.Fatalf("%d families, want %d", len(m), families)
	}
	return m
}

// Every family that the mixin uses is served by default and has the labels that the mixin
// matches. For each matcher, the golden files have samples:
//
//	=v       a sample with the value v
//	=~a|b    for each alternative a sample that it matches
//	!=v      a sample with another value, and one with v unless it is empty: if v never
//	         occurs, it has another name here
func TestMixin(t *testing.T) {
	values := goldenValues(t)
	for family, labels := range readMixin(t) {
		got, ok := values[family]
		if !ok {
			t.Errorf("%s: no default family of that name has a sample", family)
			continue
		}
		for label, matchers := range labels {
			if got[label] == nil {
				t.Errorf("%s: no sample has label %s", family, label)
				continue
			}
			for _, m := range matchers {
				if missing := unmatched(m, got[label]); missing != "" {
					t.Errorf("%s{%s%s}: no sample has a value that is %s", family, label, m, missing)
				}
			}
		}
	}
}

// unmatched returns the part of a matcher that no value satisfies.
func unmatched(matcher string, values map[string]bool) string {
	if v, ok := strings.CutPrefix(matcher, "!="); ok {
		if v != "" && !values[v] {
			return v
		}
		if !slices.ContainsFunc(slices.Collect(maps.Keys(values)), func(other string) bool { return other != v }) {
			return "not " + v
		}
		return ""
	}
	expression, ok := strings.CutPrefix(matcher, "=~")
	if !ok {
		expression = regexp.QuoteMeta(strings.TrimPrefix(matcher, "="))
	}
	for a := range strings.SplitSeq(strings.Trim(expression, "()"), "|") {
		matches := regexp.MustCompile("^(?:" + a + ")$").MatchString
		if !slices.ContainsFunc(slices.Collect(maps.Keys(values)), matches) {
			return a
		}
	}
	return ""
}

// goldenValues returns the label values of the cases of all golden files, by family and
// label, for families that are served by default.
func goldenValues(t *testing.T) map[string]map[string]map[string]bool {
	t.Helper()
	values := map[string]map[string]map[string]bool{}
	for _, table := range kind.Defaults() {
		for _, c := range kindtest.Load(t, goldenFile(table)) {
			c.Options.OptIn = false
			planned := c.Options.Plan(t, table)
			for _, s := range kindtest.Record(t, planned, kindtest.Decode(t, planned, c.Object)) {
				if values[s.Family] == nil {
					values[s.Family] = map[string]map[string]bool{}
				}
				for i, name := range s.Names {
					if values[s.Family][name] == nil {
						values[s.Family][name] = map[string]bool{}
					}
					values[s.Family][name][s.Values[i]] = true
				}
			}
		}
	}
	return values
}
