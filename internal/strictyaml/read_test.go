package strictyaml

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate/internal/problem"
)

type color string

type part struct {
	Size  int     `json:"size" minimum:"1" maximum:"1000"`
	Share float64 `json:"share,omitempty"`
}

type inner struct {
	Where map[string][]string `json:"where,omitempty"`
}

type config struct {
	Name    string                       `json:"name,omitempty"`
	Color   color                        `json:"color,omitempty"`
	On      bool                         `json:"on,omitempty"`
	Wait    time.Duration                `json:"wait,omitempty" minimum:"1s"`
	Equal   *float64                     `json:"equal,omitempty"`
	Parts   []part                       `json:"parts,omitempty"`
	ByName  map[string]part              `json:"byName,omitempty"`
	Nested  map[string]map[string]string `json:"nested,omitempty"`
	Either  either                       `json:"either,omitzero"`
	Within  *config                      `json:"within,omitempty"`
	Hidden  func()                       `json:"-"`
	Untaged string
	inner
}

// either is text or a part.
type either struct {
	text string
	part *part
}

func (e *either) ReadYAML(v Value) {
	if !v.IsMapping() {
		e.text, _ = v.Text()
		return
	}
	if size, ok := v.Key("size"); ok {
		e.text, _ = size.Scalar()
	}
	e.part = &part{}
	v.Into(e.part)
}

func (e *either) JSONSchema(s *Schemas) Schema {
	return Schema{"anyOf": []Schema{{"type": "string"}, s.Of(reflect.TypeFor[part]())}}
}

func options() Options {
	return Options{Values: map[reflect.Type][]string{reflect.TypeFor[color](): {"red", "green"}}}
}

var compare = cmp.AllowUnexported(config{}, inner{}, either{})

func TestRead(t *testing.T) {
	var got config
	f := Read("c.yaml", []byte(`# all there is
name: "42"
color: red
on: true
wait: 1m30s
equal: 0
parts: &parts
- {size: 0x10, share: 1}
- size: 2
byName:
  a.b: {size: 3}
nested: {x: {y: z}, gone: null, empty: }
either: {size: 4}
within: {parts: *parts, either: text}
where: {k: [a, b]}
`), &got, options())
	if err := f.Err(); err != nil {
		t.Fatal(err)
	}
	parts := []part{{16, 1}, {2, 0}}
	want := config{
		Name: "42", Color: "red", On: true, Wait: 90 * time.Second, Equal: new(float64), Parts: parts,
		ByName: map[string]part{"a.b": {Size: 3}},
		Nested: map[string]map[string]string{"x": {"y": "z"}, "gone": nil, "empty": nil},
		Either: either{"4", &part{Size: 4}},
		Within: &config{Parts: parts, Either: either{text: "text"}},
		inner:  inner{Where: map[string][]string{"k": {"a", "b"}}},
	}
	if diff := cmp.Diff(want, got, compare); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !f.Has("byName.a.b.size") || f.Has("byName.c") {
		t.Error("does not know what it has read")
	}
}

// All problems are reported at once, in the order of lines, and later checks find
// their line.
func TestProblems(t *testing.T) {
	var got config
	f := Read("c.yaml", []byte(`name: 42
colour: red
color: rad
on: yes
wait: 10
equal: much
parts:
- size: 0
  share: {}
- [1]
- size: 99999999999999999999
- {}
byName: text
name: again
nested:
  x: {y: 1}
  <<: {}
within:
  wait: 10ms
  wher: {}
either:
  size: x
  sizes: 1
? [a]
: b
untaged: x
`), &got, options())
	f.Report("parts[1].size.more", errors.New("checked later"))
	f.Report("nothing.there", errors.New("checked, too"))
	f.Report("equal", problem.List{{Path: "half", What: "two"}, {Source: "other.yaml", Line: 7, What: "elsewhere"}})
	f.Report("on", nil)
	for path, want := range map[string]bool{"": false, "parts[0]": false, "parts": false, "part": true, "within.within": true, "either.size": false} {
		if got := f.Sound(path); got != want {
			t.Errorf("sound %q: %t", path, got)
		}
	}
	want := `c.yaml: nothing.there: checked, too
c.yaml:1: name: invalid value 42: must be text, in quotes: "42"
c.yaml:2: unknown key "colour": did you mean color? must be one of: name, color, on, wait, equal, parts, byName, nested, either, within, where
c.yaml:3: color: unknown value "rad": did you mean red? must be one of: red, green
c.yaml:4: on: invalid boolean "yes": must be true or false
c.yaml:5: wait: invalid duration "10": must be a number with a unit, such as 500ms, 30s or 1m30s
c.yaml:6: equal: invalid number "much": must be a number
c.yaml:6: equal.half: two
c.yaml:6: equal: other.yaml:7: elsewhere
c.yaml:8: parts[0].size: invalid value "0": must be at least 1
c.yaml:9: parts[0].share: invalid number with keys: must be a number
c.yaml:10: parts[1]: invalid value that is a list: must have keys with values
c.yaml:10: parts[1].size.more: checked later
c.yaml:11: parts[2].size: invalid number "99999999999999999999": must be a whole number
c.yaml:12: parts[3]: missing key size
c.yaml:13: byName: invalid value "text": must have keys with values
c.yaml:14: name: duplicate key: must be set once, as in line 1
c.yaml:16: nested.x.y: invalid value 1: must be text, in quotes: "1"
c.yaml:17: nested: merge key <<: must be written out
c.yaml:19: within.wait: invalid value "10ms": must be at least 1s
c.yaml:20: within: unknown key "wher": did you mean where? must be one of: name, color, on, wait, equal, parts, byName, nested, either, within, where
c.yaml:22: either.size: invalid number "x": must be a whole number
c.yaml:23: either: unknown key "sizes": did you mean size? must be one of: size, share
c.yaml:24: invalid key: must be text
c.yaml:26: unknown key "untaged": must be one of: name, color, on, wait, equal, parts, byName, nested, either, within, where`
	if diff := cmp.Diff(want, errorText(f)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMaximum(t *testing.T) {
	var got part
	f := Read("c.yaml", []byte("size: 1001\n"), &got, options())
	if err := f.Err(); err == nil || err.Error() != `c.yaml:1: size: invalid value "1001": must be at most 1000` {
		t.Errorf("error %v, want that the size is too large", err)
	}
}

// Text is not a number, and null is not an element, except that a map may be empty.
func TestNumbersAndNothing(t *testing.T) {
	f := Read("c.yaml", []byte(`equal: "1"
byName:
  a:
  b: {size: "1", share: NaN}
  c: {size: 1.0, share: .5}
where:
  a:
  - x
  -
  b:
nested: {x: {y: , z: ""}, z: }
parts: [null]
`), &config{}, options())
	want := `c.yaml:1: equal: invalid number "1": must be a number
c.yaml:3: byName.a: missing value: must be set; empty text is ""
c.yaml:4: byName.b.size: invalid number "1": must be a whole number
c.yaml:4: byName.b.share: invalid number "NaN": must be a number
c.yaml:5: byName.c.size: invalid number "1.0": must be a whole number
c.yaml:9: where.a[1]: missing value: must be set; empty text is ""
c.yaml:10: where.b: missing value: must be set; empty text is ""
c.yaml:11: nested.x.y: missing value: must be set; empty text is ""
c.yaml:12: parts[0]: missing value: must be set; empty text is ""`
	if diff := cmp.Diff(want, errorText(f)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func errorText(f *File) string {
	if err := f.Err(); err != nil {
		return err.Error()
	}
	return ""
}

func TestMalformed(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"# nothing\n", ""},
		{"---\n", ""},
		{"name: x\n\ta: b\n", "c.yaml:2: malformed YAML: found a tab character that violates indentation"},
		{"name: [\n", "c.yaml:1: malformed YAML: did not find expected node content"},
		{"name: x\n---\nname: y\n", "c.yaml:2: second document: must be the only one"},
		{"name: x\n---\n[", "c.yaml:3: malformed YAML: did not find expected node content"},
		{"- name", "c.yaml:1: invalid value that is a list: must have keys with values"},
		{"name: *x\n", "c.yaml: malformed YAML: unknown anchor 'x' referenced"},
	} {
		var got config
		if diff := cmp.Diff(c.want, errorText(Read("c.yaml", []byte(c.in), &got, options()))); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.in, diff)
		}
	}
}

type tree struct {
	Kids []tree `json:"kids,omitempty"`
}

func TestOptional(t *testing.T) {
	o := Options{Optional: map[reflect.Type][]string{reflect.TypeFor[part](): {"size"}}}
	if err := Read("c.yaml", []byte("parts: [{}]"), &config{}, o).Err(); err != nil {
		t.Error(err)
	}
}

// A few aliases can stand for more values than there is memory for, or for
// themselves.
func TestAliases(t *testing.T) {
	many := "kids:\n- &a0 {}\n"
	for i := range 8 {
		alias := fmt.Sprintf("*a%d", i)
		many += fmt.Sprintf("- &a%d {kids: [%s]}\n", i+1, strings.Join(slices.Repeat([]string{alias}, 10), ", "))
	}
	for _, in := range []string{many, "kids: &a [{kids: *a}]\n"} {
		err := Read("c.yaml", []byte(in), &tree{}, Options{}).Err()
		if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "too many values: must be at most 100000, nested at most 64 deep") {
			t.Errorf("%s: %v", in, err)
		}
	}
}

func TestLenient(t *testing.T) {
	var got config
	o := options()
	o.Lenient = true
	f := Read("c.yaml", []byte("name: 42\non: \"true\"\nmore: {a: b}\nwithin: {less: 1}\nnested: {x: {y: 1, z: }}\nequal: \"1\"\nwhere: {a: [null], b: }\n"), &got, o)
	want := config{
		Name: "42", On: true, Within: &config{}, Nested: map[string]map[string]string{"x": {"y": "1", "z": ""}}, Equal: new(1.0),
		inner: inner{Where: map[string][]string{"a": {""}, "b": nil}},
	}
	if diff := cmp.Diff(want, got, compare); diff != "" || f.Err() != nil {
		t.Errorf("error %v (-want +got):\n%s", f.Err(), diff)
	}
	if where := f.Where("within.less.much"); where != "c.yaml:4: within.less.much" {
		t.Errorf("got %s", where)
	}
	if where := f.Where("nothing"); where != "c.yaml: nothing" {
		t.Errorf("got %s", where)
	}
	if diff := cmp.Diff([]string{"more", "within.less"}, f.Unknown); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFromPairs(t *testing.T) {
	var got config
	f := FromPairs("--flag", [][2]string{{"name", "2.0"}, {"on", "true"}, {"wait", "5s"}, {"size", "1"}}, &got, options())
	if diff := cmp.Diff(config{Name: "2.0", On: true, Wait: 5 * time.Second}, got, compare); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	want := `--flag: unknown key "size": must be one of: name, color, on, wait, equal, parts, byName, nested, either, within, where`
	if diff := cmp.Diff(want, errorText(f)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

type access struct {
	Headers map[string]string `json:"headers,omitempty" secret:"true"`
	Port    int               `json:"port,omitempty"`
}

// Problems quote nothing of a secret, and the beginning of everything else.
func TestQuotes(t *testing.T) {
	long := strings.Repeat("é", 300)
	f := Read("c.yaml", []byte("headers: {a: 31415926, b: [31415926], c: {d: 31415926}}\nport: "+long+"\n"+long+": 1\n"), &access{}, Options{})
	cut := strings.Repeat("é", problem.MaxQuote-1) + "…"
	want := `c.yaml:1: headers.a: invalid value (not shown): must be text, in quotes: (not shown)
c.yaml:1: headers.b: invalid value that is a list: must be text
c.yaml:1: headers.c: invalid value with keys: must be text
c.yaml:2: port: invalid number "` + cut + `": must be a whole number
c.yaml:3: unknown key "` + cut + `": must be one of: headers, port`
	if diff := cmp.Diff(want, errorText(f)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{"name: x", "parts: [{size: 1}, *a]", "within: &a {within: *a}", "either: {size: x}", "a: b: c", "? [x]\n: y", "<<: {a: b}", "\xff"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(_ *testing.T, in []byte) {
		for _, lenient := range []bool{false, true} {
			o := options()
			o.Lenient = lenient
			_ = Read("c.yaml", in, &config{}, o).Err()
		}
	})
}

func TestSchema(t *testing.T) {
	s := &Schemas{Values: options().Values, Doc: func(in reflect.Type, field string) string {
		if in == reflect.TypeFor[part]() && field != "" {
			return "the " + field
		}
		return ""
	}}
	b, err := s.Document(reflect.TypeFor[config](), "https://example.com/c", "Config", Schema{"more": Schema{"type": "null"}})
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		ID         string `json:"$id"`
		Properties map[string]map[string]any
		Defs       map[string]struct {
			Properties           map[string]map[string]any
			AdditionalProperties *bool
		} `json:"$defs"`
		AdditionalProperties *bool
	}
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	p := got.Properties
	text := map[string]any{"type": "string"}
	for key, want := range map[string]map[string]any{
		"name":   text,
		"more":   {"type": "null"},
		"color":  {"enum": []any{"red", "green"}},
		"on":     {"type": "boolean"},
		"equal":  {"type": "number"},
		"parts":  {"type": "array", "items": map[string]any{"$ref": "#/$defs/part"}},
		"within": {"$ref": "#/$defs/config"},
		"where":  {"type": "object", "additionalProperties": map[string]any{"type": "array", "items": text}},
		"either": {"anyOf": []any{text, map[string]any{"$ref": "#/$defs/part"}}},
	} {
		if diff := cmp.Diff(want, p[key]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", key, diff)
		}
	}
	wantSize := map[string]any{"type": "integer", "minimum": 1.0, "maximum": 1000.0, "description": "the Size"}
	if diff := cmp.Diff(wantSize, got.Defs["part"].Properties["size"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got.ID != "https://example.com/c" || got.AdditionalProperties == nil || got.Defs["part"].AdditionalProperties == nil {
		t.Errorf("got %s", b)
	}
}
