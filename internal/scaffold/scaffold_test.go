package scaffold

import (
	"flag"
	"os"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/kubestate/kubestate/customresource"
)

var update = flag.Bool("update", false, "write testdata/config.yaml")

// What is written is a valid configuration of the resource.
func TestConfig(t *testing.T) {
	text, err := os.ReadFile("testdata/crd.yaml")
	if err != nil {
		t.Fatal(err)
	}
	data, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	d, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Config(d)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("testdata/config.yaml", got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("(-want +got; go test -update takes it over):\n%s", diff)
	}
	c, err := customresource.Parse(customresource.Source{Name: "config.yaml", Text: got})
	if err != nil || len(c.Problems) > 0 {
		t.Fatalf("invalid configuration: %v %v", err, c.Problems)
	}
	served, _ := c.Resolve(customresource.Available(d))
	if len(served) != 1 {
		t.Fatalf("%d resources, want 1", len(served))
	}
	if _, err := served[0].Table(nil); err != nil {
		t.Error(err)
	}
}

func TestNotADefinition(t *testing.T) {
	for text, want := range map[string]string{
		"{":                                "decode custom resource definition: unexpected end of JSON input",
		`{"kind":"Pod","apiVersion":"v1"}`: "not a custom resource definition: must be apiextensions.k8s.io/v1 CustomResourceDefinition",
	} {
		if _, err := Parse([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %s", text, err, want)
		}
	}
	if _, err := Config(&apiextensionsv1.CustomResourceDefinition{}); err == nil || !strings.Contains(err.Error(), "serves no version") {
		t.Errorf("error %v", err)
	}
}
