package otel_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/agent/naming/otel"
)

// convention is the definition of a metric in the conventions.
type convention struct {
	name, instrument, unit string
	attributes, required   []string
	entities               []string // the first is what is measured
}

// conventions reads testdata/semconv.txt.
func conventions(t *testing.T) []convention {
	t.Helper()
	text, err := os.ReadFile("testdata/semconv.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all []convention
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if f[0] == "#" {
			continue
		}
		c := convention{name: f[0], instrument: f[1], unit: f[2], entities: strings.Split(f[4], ",")}
		for a := range strings.SplitSeq(f[3], ",") {
			name, required := strings.CutSuffix(a, "*")
			if name != "-" {
				c.attributes = append(c.attributes, name)
			}
			if required {
				c.required = append(c.required, name)
			}
		}
		all = append(all, c)
	}
	return all
}

func TestConventionsAreComplete(t *testing.T) {
	if n := len(conventions(t)); n != 78 {
		t.Errorf("testdata has %d metrics, want 78", n)
	}
}

// The scheme has exactly the metrics of the conventions, with their units and instruments.
func TestMetrics(t *testing.T) {
	instruments := map[naming.Type]string{naming.Gauge: "gauge", naming.Counter: "counter", naming.UpDown: "updowncounter"}
	names := otel.Scheme()
	got := map[string]string{}
	add := func(metric string, typ naming.Type, unit, help string) {
		is := instruments[typ] + " " + unit
		if old, ok := got[metric]; ok && old != is {
			t.Errorf("%s: both %s and %s", metric, old, is)
		}
		got[metric] = is
		if !strings.HasSuffix(help, ".") || strings.HasPrefix(help, "k8s.") {
			t.Errorf("%s: help %q is not a sentence", metric, help)
		}
	}
	for _, r := range names.Rules {
		add(r.Metric, r.Type, r.Unit, r.Help)
	}
	for _, a := range names.Aggregates {
		add(a.Metric, a.Type, a.Unit, a.Help)
	}
	want := map[string]string{}
	for _, c := range conventions(t) {
		want[c.name] = c.instrument + " " + c.unit
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-conventions +scheme:\n%s", diff)
	}
}

// All rules of a metric have the same help.
func TestOneHelpPerMetric(t *testing.T) {
	help := map[string]string{}
	for _, r := range otel.Scheme().Rules {
		if old, ok := help[r.Metric]; ok && old != r.Help {
			t.Errorf("%s: %q and %q", r.Metric, old, r.Help)
		}
		help[r.Metric] = r.Help
	}
}
