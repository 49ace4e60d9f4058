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

// repaired returns recorded families without the samples that we never emit: duplicate
// series, and the zero time, which means that there is none.
func repaired(recorded []conformanceFamily) []conformanceFamily {
	out := []conformanceFamily{}
	for _, f := range recorded {
		var samples []conformanceSample
		for _, s := range f.Samples {
			same := func(o conformanceSample) bool { return slices.Equal(s.K, o.K) && slices.Equal(s.V, o.V) }
			if s.Val != "-6.21355968e+10" && !slices.ContainsFunc(samples, same) {
				samples = append(samples, s)
			}
		}
		if f.Samples = samples; samples != nil {
			out = append(out, f)
		}
	}
	return out
}

// repairs are the records from which we deviate because kube-state-metrics is wrong. The
// golden file of the kind has our samples of such an object.
var repairs = []struct{ record, family, why string }{
	{"cronjob-dst-gap", "kube_cronjob_next_schedule_time",
		"the CronJob controller skips a time that a change to summer time leaves out, and does not shift it"},
	{"cronjob-dow-7", "kube_cronjob_next_schedule_time",
		"Kubernetes knows the days of the week 0 to 6 and refuses 7, so that nothing is ever due"},
	{"cronjob-dow-7", "kube_cronjob_schedule_invalid",
		"Kubernetes knows the days of the week 0 to 6 and refuses 7"},
	{"ingress-default-class", "kube_ingress_path",
		"a port that is given by name has that name as its port, not 0"},
	{"pod-labels-star-not-first-ignored", "kube_pod_labels",
		"* stands for any text wherever it is in the list"},
	{"pod-labels-star-not-first-ignored", "kube_pod_annotations",
		"* stands for any text wherever it is in the list"},
}

// conformanceCase is an object and the samples that kube-state-metrics 2.20 served for it.
type conformanceCase struct {
	Resource         string
	Name             string
	AllowLabels      []string
	AllowAnnotations []string
	Obj              json.RawMessage
	Families         []conformanceFamily
	// UpstreamPanicsIn are the families in which kube-state-metrics panics; ours are not
	// compared.
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
		tested[c.Name] = true
		table := tableOf(c.Resource)
		if table == nil {
			t.Fatalf("%s: no table for the cases", c.Resource)
		}
		t.Run(c.Resource+"/"+c.Name, func(t *testing.T) { testConformance(t, table, &c) })
	}
	for _, r := range repairs {
		if !tested[r.record] {
			t.Errorf("%s is in repairs but is not a case", r.record)
		}
	}
}

func testConformance(t *testing.T, table *kind.Table, c *conformanceCase) {
	// A pattern with two * is rejected here, although there are records of it.
	refused := func(pattern string) bool { return strings.Count(pattern, "*") > 1 }
	options := kindtest.Options{
		Labels:      slices.DeleteFunc(c.AllowLabels, refused),
		Annotations: slices.DeleteFunc(c.AllowAnnotations, refused),
		OptIn:       true,
	}
	planned := options.Plan(t, table)
	c.Families = repaired(c.Families)
	got := families(planned, kindtest.Record(t, planned, kindtest.Decode(t, planned, c.Obj)))
	got = slices.DeleteFunc(got, func(f conformanceFamily) bool { return c.UpstreamPanicsIn[f.Name] != "" })
	for _, r := range repairs {
		if r.record == c.Name && gocmp.Equal(take(&c.Families, r.family), take(&got, r.family)) {
			t.Errorf("%s is as in kube-state-metrics, not repaired: %s", r.family, r.why)
		}
	}
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

// take removes a family from families and returns its samples.
func take(families *[]conformanceFamily, name string) []conformanceSample {
	i := slices.IndexFunc(*families, func(f conformanceFamily) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	samples := (*families)[i].Samples
	*families = slices.Delete(*families, i, i+1)
	return samples
}

// families groups samples like the recorded ones, without families that kube-state-metrics
// does not have.
func families(table *kind.Table, samples []kindtest.Sample) []conformanceFamily {
	out := []conformanceFamily{}
	s := table.Schema()
	for i := range s.Families {
		if s.Families[i].Beyond {
			continue
		}
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

// formatFloat formats a value as the text format does.
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
