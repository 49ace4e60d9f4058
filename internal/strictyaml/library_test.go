package strictyaml

import (
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// library is config for the decoder of yaml.v3.
type library struct {
	Name   string
	Color  string
	On     bool
	Wait   time.Duration
	Equal  float64
	Parts  []libraryPart
	ByName map[string]libraryPart `yaml:"byName"`
	Nested map[string]map[string]string
	Either libraryEither
	Within *library
}

type libraryPart struct {
	Size  int
	Share float64
}

type libraryEither struct{ part libraryPart }

func (e *libraryEither) UnmarshalYAML(n *yaml.Node) error { return n.Decode(&e.part) }

// Decision 0010 quotes this comparison with the decoder of yaml.v3.
func TestReportsMistakesThatYAMLv3Accepts(t *testing.T) {
	both := []string{
		"colour: red", "wait: 10", "equal: much", `equal: "1"`, "parts: [{size: 1, share: {}}]", "parts: [[1]]", "parts: [{size: 99999999999999999999}]",
		"byName: text", "name: a\nname: b", "within: {wher: {}}", "either: {size: x}", "? [a]\n: b",
	}
	alone := []string{
		"name: 42", "name: 2.0", "color: rad", "on: yes", "equal: .nan", "parts: [{size: 0}]", "parts: [{size: 1.0}]", "parts: [{}]", "parts: [null]",
		"byName: {a: }", "nested: {x: {y: 1}}", "nested: {x: {y: }}", "nested: {<<: {x: {y: z}}}", "within: {wait: 10ms}", "either: {size: 1, sizes: 1}", "name: x\n---\nname: y",
	}
	check := func(in string, rejected bool) {
		t.Helper()
		strict := yaml.NewDecoder(strings.NewReader(in))
		strict.KnownFields(true)
		if err := strict.Decode(&library{}); (err != nil) != rejected {
			t.Errorf("%q: error of yaml.v3: %v", in, err)
		}
		if Read("c.yaml", []byte(in), &config{}, options()).Err() == nil {
			t.Errorf("%q: no problem reported", in)
		}
	}
	for _, in := range both {
		check(in, true)
	}
	for _, in := range alone {
		check(in, false)
	}
}
