package packs_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kjson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	"github.com/kubestate/kubestate/customresource"
	packs "github.com/kubestate/kubestate/deploy/custom-resources"
	"github.com/kubestate/kubestate/metric"
)

var update = flag.Bool("update", false, "write testdata/*.prom")

func TestPacks(t *testing.T) {
	names := packs.Names()
	if len(names) != 10 {
		t.Errorf("packs %q, want 10", names)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) { testPack(t, name) })
	}
}

func TestUnknownPack(t *testing.T) {
	if _, err := packs.Read("gateway"); err == nil || !strings.HasPrefix(err.Error(), `invalid custom resource pack "gateway": must be one of argo, `) {
		t.Errorf("error %v", err)
	}
}

func testPack(t *testing.T, name string) {
	t.Helper()
	text, err := packs.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	config, err := customresource.Parse(customresource.Source{Name: name, Text: text})
	if err != nil || len(config.Problems) > 0 {
		t.Fatal(err, config.Problems)
	}
	objects, err := os.ReadFile("testdata/" + name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for document := range bytes.SplitSeq(objects, []byte("---\n")) {
		render(t, config, document, &got)
	}
	file := "testdata/" + name + ".prom"
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("%s (-want +got; go test -update takes it over):\n%s", file, diff)
	}
}

// render writes the samples of one object, in the order of the configuration.
func render(t *testing.T, config *customresource.Config, document []byte, out *strings.Builder) {
	t.Helper()
	object, err := yaml.YAMLToJSONStrict(document)
	if err != nil {
		t.Fatal(err)
	}
	var u unstructured.Unstructured
	if err := kjson.Unmarshal(object, &u.Object); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(out, "# %s %s\n", u.GetKind(), u.GetName())
	matched := false
	for i := range config.Resources {
		r := config.Resources[i]
		gvk := u.GroupVersionKind()
		if r.GVK.Group != gvk.Group || r.GVK.Version != gvk.Version || r.GVK.Kind != gvk.Kind {
			continue
		}
		matched = true
		served := customresource.Served{Entries: []*customresource.Resource{r}}
		served.Group, served.Version, served.Kind, served.Name = gvk.Group, gvk.Version, gvk.Kind, strings.ToLower(gvk.Kind)+"s"
		table, err := served.Table(func(family string, err error) { fmt.Fprintf(out, "# skipped %s: %v\n", family, err) })
		if err != nil {
			t.Fatal(err)
		}
		o := table.New()
		if err := kjson.Unmarshal(object, o); err != nil {
			t.Fatal(err)
		}
		if err := table.Collect(o, metric.NewEmitter(&printer{out})); err != nil {
			t.Error(err)
		}
	}
	if !matched {
		t.Errorf("no entry for %s %s", u.GroupVersionKind(), u.GetName())
	}
}

type printer struct{ out *strings.Builder }

func (*printer) Begin(*metric.Schema, []string) {}

func (p *printer) Sample(s *metric.Sample) {
	var labels []string
	for i, name := range s.Names {
		if !strings.HasPrefix(name, "customresource_") {
			labels = append(labels, name+"="+strconv.Quote(s.Values[i]))
		}
	}
	fmt.Fprintf(p.out, "%s{%s} %v\n", s.Desc.Name, strings.Join(labels, ","), s.Value)
}
