package otel_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/agent/naming/otel"
)

// selection formats the samples of a family that a filter selects.
func selection(family string, f naming.Filter) string {
	var conditions []string
	for _, label := range slices.Sorted(maps.Keys(f.Where)) {
		conditions = append(conditions, label+"="+strings.Join(f.Where[label], "|"))
	}
	if len(conditions) > 0 {
		family += "{" + strings.Join(conditions, ",") + "}"
	}
	return "`" + strings.ReplaceAll(family, "|", `\|`) + "`"
}

// sources returns the families that each metric is made of.
func sources(n *naming.Scheme) map[string]string {
	from := map[string][]string{}
	for _, r := range n.Rules {
		families := []string{selection(r.Family, r.Filter)}
		if r.States != nil {
			families = nil
			for _, f := range r.States.From {
				families = append(families, selection(f, naming.Filter{}))
			}
		}
		from[r.Metric] = append(from[r.Metric], families...)
	}
	for _, a := range n.Aggregates {
		from[a.Metric] = append(from[a.Metric], "sum of "+selection(a.Family, a.Filter))
	}
	all := map[string]string{}
	for metric, families := range from {
		all[metric] = strings.Join(families, ", ")
	}
	return all
}

func documentation(t *testing.T) string {
	t.Helper()
	from := sources(otel.Scheme())
	var b strings.Builder
	b.WriteString("| metric | unit | instrument | attributes of the point | of |\n|---|---|---|---|---|\n")
	for _, c := range conventions(t) {
		var attributes []string
		for _, a := range c.attributes {
			if a = "`" + a + "`"; slices.Contains(c.required, strings.Trim(a, "`")) {
				a += "*"
			}
			attributes = append(attributes, a)
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s | %s |\n", c.name, c.unit, c.instrument, strings.Join(attributes, ", "), from[c.name])
	}
	return b.String()
}

// The documentation lists every metric of the conventions and its families.
func TestDocumentation(t *testing.T) {
	const file, begin, end = "../../../docs/agent-otel.md", "<!-- metrics: go test ./agent/naming/otel -update -->\n", "<!-- end -->"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok1 := strings.Cut(string(text), begin)
	got, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("%s: missing %q or %q", file, begin, end)
	}
	want := documentation(t)
	if *update {
		if err := os.WriteFile(file, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s: -want +got (go test ./agent/naming/otel -update rewrites it):\n%s", file, diff)
	}
}
