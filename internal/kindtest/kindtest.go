// Package kindtest runs the tables of package kind on objects in tests. It knows
// how test cases are kept and what a table makes of an object; it refuses to
// know which kinds there are.
//
// The cases of a resource are one txtar file, kind/testdata/<resource>.txtar.
// Each case is up to three of its files, in this order:
//
//	<case>/options      optional YAML: labels and annotations are allow-lists,
//	                    optIn: true turns on the families that are off by default
//	<case>/object.yaml  the object, as kubectl prints it; unknown fields are errors
//	<case>/want.prom    every family that has a sample: its TYPE line, its samples
//
// Samples stand in want.prom exactly as the text format has them, in order.
// `go test ./kind -update` rewrites the want.prom of all cases.
package kindtest

import (
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
	"sigs.k8s.io/yaml"

	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// A Case is an object and what a table makes of it.
type Case struct {
	Name    string
	Options Options
	Object  []byte // YAML
	Want    string
}

// Options is what the options of a Case may say.
type Options struct {
	Labels      []string `json:"labels"`
	Annotations []string `json:"annotations"`
	OptIn       bool     `json:"optIn"`
}

const (
	optionsFile = "options"
	objectFile  = "object.yaml"
	wantFile    = "want.prom"
)

// Everything is a plan with all families, and all labels and annotations.
var Everything = Options{Labels: []string{"*"}, Annotations: []string{"*"}, OptIn: true}

// Plan returns the table that the options leave of a table.
func (o Options) Plan(t testing.TB, table *kind.Table) *kind.Table {
	t.Helper()
	plan := kind.Options{Labels: o.Labels, Annotations: o.Annotations}
	if o.OptIn {
		plan.Keep = func(*metric.Desc) bool { return true }
	}
	planned, err := table.Plan(plan)
	if err != nil {
		t.Fatal(err)
	}
	return planned
}

// Load reads the cases of a txtar file, in its order.
func Load(t testing.TB, file string) []Case {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var cases []Case
	for _, f := range archive.Files {
		name, section := path.Split(f.Name)
		name = strings.TrimSuffix(name, "/")
		if len(cases) == 0 || cases[len(cases)-1].Name != name {
			if slices.ContainsFunc(cases, func(c Case) bool { return c.Name == name }) {
				t.Fatalf("%s: the files of case %q do not stand together", file, name)
			}
			cases = append(cases, Case{Name: name})
		}
		c := &cases[len(cases)-1]
		switch section {
		case optionsFile:
			if err := yaml.UnmarshalStrict(f.Data, &c.Options); err != nil {
				t.Fatalf("%s: %s: %v", file, f.Name, err)
			}
		case objectFile:
			c.Object = f.Data
		case wantFile:
			c.Want = string(f.Data)
		default:
			t.Fatalf("%s: %s: a case has the files %s, %s and %s", file, f.Name, optionsFile, objectFile, wantFile)
		}
	}
	return cases
}

// Decode returns a YAML or JSON object of the table's kind. Fields that the kind
// does not have fail the test.
func Decode(t testing.TB, table *kind.Table, text []byte) kind.Object {
	t.Helper()
	o := table.New()
	if err := yaml.UnmarshalStrict(text, o); err != nil {
		t.Fatalf("decode %s: %v", table.Kind, err)
	}
	return o
}

// Run compares what a table makes of the cases in a txtar file with what they
// want, and returns the names of the families that had a sample. With update it
// changes the file instead.
func Run(t *testing.T, table *kind.Table, file string, update bool) map[string]bool {
	t.Helper()
	sampled := map[string]bool{}
	wants := map[string]string{} // by name in the archive
	for _, c := range Load(t, file) {
		planned := c.Options.Plan(t, table)
		text, families := Text(t, planned, Decode(t, planned, c.Object))
		maps.Copy(sampled, families)
		if update {
			wants[path.Join(c.Name, wantFile)] = text
		} else if diff := cmp.Diff(strings.Split(c.Want, "\n"), strings.Split(text, "\n")); diff != "" {
			t.Errorf("%s: case %s (-want +got; go test ./kind -update takes it over):\n%s", file, c.Name, diff)
		}
	}
	if update {
		rewrite(t, file, wants)
	}
	return sampled
}

// rewrite replaces the wanted texts of a txtar file.
func rewrite(t *testing.T, file string, wants map[string]string) {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var files []txtar.File
	for _, f := range archive.Files {
		if path.Base(f.Name) == wantFile {
			continue
		}
		files = append(files, f)
		if path.Base(f.Name) == objectFile {
			name := path.Join(path.Dir(f.Name), wantFile)
			files = append(files, txtar.File{Name: name, Data: []byte(wants[name])})
		}
	}
	archive.Files = files
	if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Text returns the families that have a sample for an object, each with a TYPE
// line, as the text format has them, and their names.
func Text(t testing.TB, table *kind.Table, o kind.Object) (text string, families map[string]bool) {
	t.Helper()
	s := table.Schema()
	w := exposition.NewWriter(s)
	if err := table.Collect(o, metric.NewEmitter(w)); err != nil {
		t.Error(err)
	}
	var b strings.Builder
	families = map[string]bool{}
	for i := range s.Families {
		if lines := w.Lines(i); len(lines) > 0 {
			fmt.Fprintf(&b, "# TYPE %s %s\n%s", s.Families[i].Name, s.Families[i].Type, lines)
			families[s.Families[i].Name] = true
		}
	}
	return b.String(), families
}
