package kubestate_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	kjson "k8s.io/apimachinery/pkg/util/json"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/customresource"
	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/kind"
)

// customExporter serves foos of two groups, one of which has two versions, with an object
// each. They share the family m.
func customExporter(t *testing.T) *kubestate.Exporter {
	t.Helper()
	c, err := customresource.Parse(customresource.Source{Name: "test.yaml", Text: []byte(`spec:
  resources:
  - groupVersionKind: {group: a.io, version: v1, kind: Foo}
    metricNamePrefix: ""
    metrics:
    - {name: a, help: A., each: {type: Gauge, gauge: {path: [v]}}}
    - {name: m, help: M., each: {type: Gauge, gauge: {path: [v]}}}
    - {name: z, help: Z., each: {type: Gauge, gauge: {path: [v]}}}
  - groupVersionKind: {group: b.io, version: v1, kind: Foo}
    metricNamePrefix: ""
    metrics:
    - {name: m, help: Other., each: {type: Gauge, gauge: {path: [v]}}}
    - {name: y, help: "Y.", each: {type: Gauge, gauge: {path: [v]}}}
  - groupVersionKind: {group: b.io, version: v2, kind: Foo}
    metricNamePrefix: ""
    metrics:
    - {name: m, each: {type: Gauge, gauge: {path: [v]}}}
`)})
	if err != nil || len(c.Problems) > 0 {
		t.Fatal(err, c.Problems)
	}
	tables, unmatched, err := customresource.NewTables(c, nil).For([]kind.Resource{
		{Group: "a.io", Version: "v1", Kind: "Foo", Name: "foos"}, {Group: "b.io", Version: "v1", Kind: "Foo", Name: "foos"},
		{Group: "b.io", Version: "v2", Kind: "Foo", Name: "foos"},
	})
	if err != nil || len(unmatched) > 0 {
		t.Fatal(err, unmatched)
	}
	x, err := kubestate.New(kubestate.Config{Kinds: tables})
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range x.Tables() {
		f, err := x.NewFeed(table.Resource)
		if err != nil {
			t.Fatal(err)
		}
		o := table.New()
		if err := kjson.Unmarshal([]byte(`{"metadata":{"name":"x"},"v":1}`), o); err != nil {
			t.Fatal(err)
		}
		f.Begin()
		f.Put(o)
		f.Commit()
	}
	return x
}

// sample is a line of a custom resource.
func customSample(name, group, version string) string {
	return name + `{customresource_group="` + group + `",customresource_kind="Foo",customresource_version="` + version + "\"} 1\n"
}

// Resources with the same plural are served side by side, and a family that they share is
// contiguous, with one HELP and TYPE.
func TestCustomResourcesShareFamilies(t *testing.T) {
	x := customExporter(t)
	var all strings.Builder
	if err := x.Write(&all, exposition.Text, kubestate.Selection{}); err != nil {
		t.Fatal(err)
	}
	header := func(name, help string) string { return "# HELP " + name + " " + help + "\n# TYPE " + name + " gauge\n" }
	want := header("a", "A.") + customSample("a", "a.io", "v1") +
		header("m", "M.") + customSample("m", "a.io", "v1") + customSample("m", "b.io", "v1") + customSample("m", "b.io", "v2") +
		header("z", "Z.") + customSample("z", "a.io", "v1") +
		header("y", "Y.") + customSample("y", "b.io", "v1")
	if diff := cmp.Diff(want, all.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCustomResourcesShareFamiliesInProtobuf(t *testing.T) {
	x := customExporter(t)
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.Header.Set("Accept", `application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited`)
	w := httptest.NewRecorder()
	x.ServeHTTP(w, r)
	d := expfmt.NewDecoder(w.Body, expfmt.ResponseFormat(w.Header()))
	counts := map[string]int{}
	for {
		var f dto.MetricFamily
		if d.Decode(&f) != nil {
			break
		}
		if counts[f.GetName()] > 0 {
			t.Errorf("duplicate family %s", f.GetName())
		}
		counts[f.GetName()] += len(f.GetMetric())
	}
	if diff := cmp.Diff(map[string]int{"a": 1, "m": 3, "z": 1, "y": 1}, counts); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A scrape selects by plural, by plural and group, or by plural, version and group.
func TestSelectCustomResources(t *testing.T) {
	x := customExporter(t)
	for resources, want := range map[string]string{
		"foos":                       "a.io/v1 b.io/v1 b.io/v2",
		"foos.b.io":                  "b.io/v1 b.io/v2",
		"foos.v2.b.io":               "b.io/v2",
		"foos.a.io,foos.v2.b.io":     "a.io/v1 b.io/v2",
		"foos.v3.b.io,foos.c.io":     "",
		"-foos.b.io":                 "a.io/v1",
		"-foos.v1.a.io,foos.v1.b.io": "b.io/v2",
	} {
		query := url.Values{}
		if without, ok := strings.CutPrefix(resources, "-"); ok {
			query.Set("exclude_resources", without)
		} else {
			query.Set("resources", resources)
		}
		w := httptest.NewRecorder()
		x.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics?"+query.Encode(), nil))
		var got []string
		for _, of := range []string{"a.io/v1", "b.io/v1", "b.io/v2"} {
			group, version, _ := strings.Cut(of, "/")
			if strings.Contains(w.Body.String(), customSample("m", group, version)) {
				got = append(got, of)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s selects %q, want %s", resources, got, want)
		}
	}
}
