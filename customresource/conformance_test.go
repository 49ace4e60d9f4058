package customresource

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	kjson "k8s.io/apimachinery/pkg/util/json"

	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// record is a line of testdata/conformance.jsonl: what kube-state-metrics 2.20 was
// seen to do.
type record struct {
	Kind         string
	Name         string
	Config       json.RawMessage
	ObjectID     string          `json:"object_id"`
	ID           string          `json:"id"`
	Obj          json.RawMessage `json:"obj"`
	FactoryError string          `json:"factory_error"`
	Families     []recordedFamily
	In           json.RawMessage
	Out          string
	Error        string
	Path         []string
	Result       json.RawMessage
	YAML         string `json:"yaml"`
	Resources    int
	Case         string
	KindName     string `json:"kind_name"`
	Resource     string
}

type recordedFamily struct {
	Name, Type string
	Samples    []recordedSample
	Errors     []string `json:"errors_logged"`
}

type recordedSample struct {
	K, V []string
	Val  string
}

// repairs are the records from which we depart, and why.
var repairs = map[string]string{ //nolint:gochecknoglobals // a table
	"selector-status-unknown-matches-false-first": "[status=Unknown] selects Unknown, not the False before it",
	"label-name-sanitize":                         "a label name does not begin with a digit",
	"commonLabels-not-sanitized":                  "a label name that is invalid as configured is an error",
}

func records(t *testing.T) (all []record, objects map[string]json.RawMessage) {
	t.Helper()
	file, err := os.Open("testdata/conformance.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	objects = map[string]json.RawMessage{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		if r.Kind == "object" {
			objects[r.ID] = r.Obj
			continue
		}
		all = append(all, r)
	}
	return all, objects
}

func served() kind.Resource {
	return kind.Resource{Group: "myteam.io", Version: "v1", Name: "foos", Kind: "Foo", Namespaced: true}
}

// tableOf returns the table of an entry for served.
func tableOf(r *Resource, skipped Skipped) (*kind.Table, error) {
	return (&Served{Resource: served(), Entries: []*Resource{r}}).Table(skipped)
}

func TestConformance(t *testing.T) {
	all, objects := records(t)
	counts := map[string]int{}
	for i := range all {
		r := &all[i]
		counts[r.Kind]++
		if r.Obj == nil {
			r.Obj = objects[r.ObjectID]
		}
		t.Run(fmt.Sprintf("%s/%d_%s", r.Kind, counts[r.Kind], r.Name), func(t *testing.T) {
			switch r.Kind {
			case "config":
				testConfig(t, r)
			case "to_float64":
				testNumber(t, r)
			case "path_get":
				testPath(t, r)
			case "compile_error":
				testCompileError(t, r)
			case "decode":
				testDecode(t, r)
			case "pluralize":
				if got := plural(r.KindName); got != r.Resource {
					t.Errorf("plural of %s is %s, want %s", r.KindName, got, r.Resource)
				}
			default:
				t.Errorf("unknown kind of record %q", r.Kind)
			}
		})
	}
	if counts["config"] != 68 {
		t.Errorf("%d configurations, want 68", counts["config"])
	}
}

func testConfig(t *testing.T, r *record) {
	t.Helper()
	c, err := Parse(Source{"test.yaml", r.Config})
	if err != nil || len(c.Resources) != 1 {
		t.Fatal(err, c.Problems)
	}
	failures := map[string]int{}
	table, err := tableOf(c.Resources[0], func(family string, _ error) { failures[family]++ })
	if r.FactoryError != "" {
		if len(c.Problems) == 0 {
			t.Errorf("accepted; kube-state-metrics says %q", r.FactoryError)
		}
		return
	}
	err = errors.Join(err, c.Problems.Err())
	if why, repaired := repairs[r.Name]; repaired {
		if err == nil && gocmp.Equal(r.Families, collect(t, table, r.Obj, failures)) {
			t.Errorf("as in kube-state-metrics, not repaired: %s", why)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	want := r.Families
	got := collect(t, table, r.Obj, failures)
	for i := range want {
		want[i].Samples = firstOfEach(want[i].Samples)
		got[i].Samples = firstOfEach(got[i].Samples)
		if len(want[i].Samples) == 0 {
			want[i].Samples = nil
		}
		want[i].Errors = make([]string, len(want[i].Errors)) // the number counts, not the wording
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("-kube-state-metrics +ours:\n%s", diff)
	}
}

// firstOfEach drops samples whose labels an earlier one has.
func firstOfEach(all []recordedSample) []recordedSample {
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(s recordedSample) bool {
		key := fmt.Sprintf("%q %q", s.K, s.V)
		repeated := seen[key]
		seen[key] = true
		return repeated
	})
}

// collect returns what a table makes of an object.
func collect(t *testing.T, table *kind.Table, object []byte, failures map[string]int) []recordedFamily {
	t.Helper()
	o := table.New()
	if err := kjson.Unmarshal(object, o); err != nil {
		t.Fatal(err)
	}
	sink := &recorder{families: make([]recordedFamily, len(table.Schema().Families))}
	if err := table.Collect(o, metric.NewEmitter(sink)); err != nil {
		t.Error(err)
	}
	for i, d := range table.Schema().Families {
		f := &sink.families[i]
		f.Name, f.Type, f.Errors = d.Name, string(d.Type), make([]string, failures[d.Name])
	}
	return sink.families
}

type recorder struct{ families []recordedFamily }

func (*recorder) Begin(*metric.Schema, []string) {}

func (r *recorder) Sample(s *metric.Sample) {
	f := &r.families[s.Family]
	f.Samples = append(f.Samples, recordedSample{
		slices.Clone(s.Names), cloneAll(s.Values), strconv.FormatFloat(s.Value, 'g', -1, 64),
	})
}

func cloneAll(values []string) []string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = strings.Clone(v)
	}
	return all
}

func decodeAny(t *testing.T, data []byte) any {
	t.Helper()
	var v any
	if err := kjson.Unmarshal([]byte(`{"v":`+string(data)+`}`), &v); err != nil {
		t.Fatal(err)
	}
	return v.(map[string]any)["v"] //nolint:forcetypeassert // it was put there
}

func testNumber(t *testing.T, r *record) {
	t.Helper()
	n, err := toNumber(decodeAny(t, r.In))
	if (err != nil) != (r.Error != "") || err == nil && strconv.FormatFloat(n, 'g', -1, 64) != r.Out {
		t.Errorf("toNumber(%s) = %v, %v; want %s, error %q", r.In, n, err, r.Out, r.Error)
	}
}

func testPath(t *testing.T, r *record) {
	t.Helper()
	p, err := compilePath(r.Path)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := p.get(decodeAny(t, r.Obj)), decodeAny(t, r.Result); !gocmp.Equal(got, want) {
		t.Errorf("%q selects %v, want %v", r.Path, got, want)
	}
}

func testCompileError(t *testing.T, r *record) {
	t.Helper()
	kind, where, _ := strings.Cut(r.Case, " ")
	text := fmt.Sprintf(`{"spec":{"resources":[{"groupVersionKind":{"group":"g"},"metrics":[{"name":"m","each":{"type":%q,%q:{%q:["[Ready]"],"labelName":"x"}}}]}]}}`, kind, kind, where)
	c, err := Parse(Source{"test.yaml", []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	want := "test.yaml:1: spec.resources[0].metrics[0].each." + kind + "." + where + `: invalid list lookup "[Ready]": must be [key=value]`
	if len(c.Problems) != 1 || c.Problems[0].Error() != want {
		t.Errorf("problems %v, want %s", c.Problems, want)
	}
}

func testDecode(t *testing.T, r *record) {
	t.Helper()
	source := Source{"test.yaml", []byte(r.YAML)}
	entries, err := source.entries()
	if err == nil {
		c := &Config{}
		for i := range entries {
			c.add(source.Name, i, &entries[i])
		}
		err = c.Problems.Err()
	}
	if (err != nil) != (r.Error != "") {
		t.Fatalf("error %v, kube-state-metrics says %q", err, r.Error)
	}
	if err == nil && len(entries) != r.Resources {
		t.Errorf("%d entries, want %d", len(entries), r.Resources)
	}
}
