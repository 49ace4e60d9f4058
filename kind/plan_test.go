package kind_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/kubestate/kubestate/internal/kindtest"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

func TestPlanSelectsLabels(t *testing.T) {
	object := []byte(`{metadata: {name: n, labels: {app: "1", app.io/name: "2", io: "3", x.io: "4", axb: "5", ab: "6"}}}`)
	for patterns, want := range map[string]string{
		"":          "none",
		"*":         "ab app app_io_name axb io x_io",
		"* app":     "ab app app_io_name axb io x_io",
		"app *":     "ab app app_io_name axb io x_io",
		"missing *": "ab app app_io_name axb io x_io",
		"app app":   "app",
		"missing":   "",
		"app*":      "app app_io_name",
		"*io":       "io x_io",
		"a*b":       "ab axb",
		"app.io/*":  "app_io_name",
		"a*b io":    "ab axb io",
		"ab*ab":     "",
		"ab*b":      "",
		"APP":       "",
		"app.i?/na": "",
	} {
		planned := kindtest.Options{Labels: strings.Fields(patterns)}.Plan(t, kind.Namespaces)
		got := "none"
		for _, s := range kindtest.Record(t, planned, kindtest.Decode(t, planned, object)) {
			if s.Family == "kube_namespace_labels" {
				got = strings.ReplaceAll(strings.Join(s.Names[1:], " "), "label_", "")
			}
		}
		if got != want {
			t.Errorf("patterns %q show %q, want %q", patterns, got, want)
		}
	}
}

func TestPlanSelectsByLabelNames(t *testing.T) {
	object := []byte(`{metadata: {name: n, labels: {app: "1", app.io/name: "2", appIO/name: "3", other: "4", x: "5"}}}`)
	planned, err := kind.Namespaces.Plan(kind.Options{Labels: []string{"x"}, LabelNames: []string{"app", "app_io_name"}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range kindtest.Record(t, planned, kindtest.Decode(t, planned, object)) {
		if s.Family == "kube_namespace_labels" {
			got = s.Names[1:]
		}
	}
	// Two keys have the second label name, and get the usual suffixes.
	want := []string{"label_app", "label_app_io_name_conflict1", "label_app_io_name_conflict2", "label_x"}
	if !slices.Equal(got, want) {
		t.Errorf("shows %q, want %q", got, want)
	}
}

// TestPlanWithEmptyPattern has a list as rendered by a template with an empty value: *
// still matches everything.
func TestPlanWithEmptyPattern(t *testing.T) {
	planned := kindtest.Options{Labels: []string{"", "*"}}.Plan(t, kind.Namespaces)
	object := kindtest.Decode(t, planned, []byte(`{metadata: {name: n, labels: {app: "1"}}}`))
	for _, s := range kindtest.Record(t, planned, object) {
		if s.Family == "kube_namespace_labels" && !slices.Equal(s.Names[1:], []string{"label_app"}) {
			t.Errorf("shows %q", s.Names)
		}
	}
}

func TestPlanRejectsInvalidPatterns(t *testing.T) {
	_, err := kind.Pods.Plan(kind.Options{Labels: []string{"a", "b*c*"}, Annotations: []string{"**"}})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"pods", `"b*c*"`, `"**"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not name %s", err, want)
		}
	}
}

func TestPlanKeepsFamilies(t *testing.T) {
	names := func(table *kind.Table) []string {
		var names []string
		for _, d := range table.Schema().Families {
			names = append(names, d.Name)
		}
		return names
	}
	const optIn = "kube_pod_nodeselectors"
	off := func(name string) bool {
		return slices.ContainsFunc(kind.Pods.Schema().Families, func(d metric.Desc) bool { return d.Name == name && d.OptIn })
	}
	for _, c := range []struct {
		keep func(*metric.Desc) bool
		want []string
	}{
		{nil, slices.DeleteFunc(names(kind.Pods), off)},
		{func(d *metric.Desc) bool { return d.Name == optIn }, []string{optIn}},
		{func(*metric.Desc) bool { return true }, names(kind.Pods)},
		{func(*metric.Desc) bool { return false }, nil},
	} {
		planned, err := kind.Pods.Plan(kind.Options{Keep: c.keep})
		if err != nil {
			t.Fatal(err)
		}
		if got := names(planned); !slices.Equal(got, c.want) {
			t.Errorf("families %q, want %q", got, c.want)
		}
	}
}

// Plan does not affect the families of the table from which it derives another.
func TestPlanDoesNotModifyTable(t *testing.T) {
	before, _ := kindtest.Text(t, kind.Namespaces, kindtest.Decode(t, kind.Namespaces, golden(t, kind.Namespaces, richCase).Object))
	kindtest.Everything.Plan(t, kind.Namespaces)
	after, _ := kindtest.Text(t, kind.Namespaces, kindtest.Decode(t, kind.Namespaces, golden(t, kind.Namespaces, richCase).Object))
	if before != after {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

func TestCollectRejectsOtherKinds(t *testing.T) {
	err := kind.Pods.Collect(kind.Nodes.New(), metric.NewEmitter(&counting{}))
	if err == nil || !strings.Contains(err.Error(), "pods") || !strings.Contains(err.Error(), "Node") {
		t.Errorf("error %v does not name both the type and pods", err)
	}
}
