package kind_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate/internal/kindtest"
	"github.com/kubestate/kubestate/kind"
)

// resourcesToCome have recorded cases but no table yet. A table takes its
// resource off this list.
var resourcesToCome = []string{
	"certificatesigningrequests", "clusterroles", "configmaps", "cronjobs", "daemonsets", "endpoints", "endpointslices",
	"horizontalpodautoscalers", "ingressclasses", "ingresses", "jobs", "leases", "limitranges", "mutatingadmissionpolicies",
	"mutatingadmissionpolicybindings", "mutatingwebhookconfigurations", "persistentvolumeclaims", "persistentvolumes",
	"poddisruptionbudgets", "replicationcontrollers", "resourcequotas", "secrets", "serviceaccounts", "services", "statefulsets",
	"storageclasses", "validatingadmissionpolicybindings", "validatingwebhookconfigurations",
}

// conformanceCase is an object and the samples that kube-state-metrics 2.20 was
// seen to make of it.
type conformanceCase struct {
	Resource         string
	Name             string
	AllowLabels      []string
	AllowAnnotations []string
	Obj              json.RawMessage
	Families         []conformanceFamily
	// UpstreamPanicsIn holds the families it crashes in; ours are compared with nothing.
	UpstreamPanicsIn map[string]string `json:"upstream_panics_in"`
}

type conformanceFamily struct {
	Name        string
	Type        string
	Samples     []conformanceSample
	OrderVaries bool `json:"order_varies"`
}

type conformanceSample struct {
	K, V []string
	Val  string
}

func TestConformance(t *testing.T) {
	tested := map[string]bool{}
	for _, c := range readLines[conformanceCase](t, "testdata/conformance/edge-cases.jsonl") {
		tested[c.Resource] = true
		table := tableOf(c.Resource)
		if listed := slices.Contains(resourcesToCome, c.Resource); listed != (table == nil) {
			t.Fatalf("%s: has a table: %t; stands in resourcesToCome: %t", c.Resource, table != nil, listed)
		}
		if table != nil {
			t.Run(c.Resource+"/"+c.Name, func(t *testing.T) { testConformance(t, table, &c) })
		}
	}
	for _, r := range resourcesToCome {
		if !tested[r] {
			t.Errorf("%s stands in resourcesToCome but has no case", r)
		}
	}
}

func testConformance(t *testing.T, table *kind.Table, c *conformanceCase) {
	// A pattern with two * has no meaning in a flag; there are records of what it does elsewhere.
	refused := func(pattern string) bool { return strings.Count(pattern, "*") > 1 }
	options := kindtest.Options{
		Labels:      slices.DeleteFunc(c.AllowLabels, refused),
		Annotations: slices.DeleteFunc(c.AllowAnnotations, refused),
		OptIn:       true,
	}
	planned := options.Plan(t, table)
	got := families(planned, kindtest.Record(t, planned, kindtest.Decode(t, planned, c.Obj)))
	got = slices.DeleteFunc(got, func(f conformanceFamily) bool { return c.UpstreamPanicsIn[f.Name] != "" })
	for i := range c.Families {
		if want := &c.Families[i]; want.OrderVaries {
			slices.SortFunc(want.Samples, compareSamples)
			if i < len(got) {
				slices.SortFunc(got[i].Samples, compareSamples)
				got[i].OrderVaries = true
			}
		}
	}
	if diff := gocmp.Diff(c.Families, got); diff != "" {
		t.Errorf("-kube-state-metrics +ours:\n%s", diff)
	}
}

// families groups samples as the recorded ones are grouped.
func families(table *kind.Table, samples []kindtest.Sample) []conformanceFamily {
	var out []conformanceFamily
	s := table.Schema()
	for i := range s.Families {
		f := conformanceFamily{Name: s.Families[i].Name, Type: string(s.Families[i].Type)}
		for _, sample := range samples {
			if sample.Family == f.Name {
				f.Samples = append(f.Samples, conformanceSample{sample.Names, sample.Values, formatFloat(sample.Value)})
			}
		}
		if f.Samples != nil {
			out = append(out, f)
		}
	}
	return out
}

// formatFloat is how the text format writes a value.
func formatFloat(v float64) string {
	if v == 0 {
		v = math.Abs(v) // no negative zero
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

func compareSamples(a, b conformanceSample) int {
	return cmp.Or(slices.Compare(a.V, b.V), strings.Compare(a.Val, b.Val))
}

func tableOf(resource string) *kind.Table {
	for _, t := range kind.All() {
		if t.Name == resource {
			return t
		}
	}
	return nil
}

func readLines[T any](t *testing.T, file string) []T {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []T
	for d := json.NewDecoder(bytes.NewReader(data)); d.More(); {
		var v T
		if err := d.Decode(&v); err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}
