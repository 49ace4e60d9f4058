package strictyaml

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/internal/spell"
)

// Custom is a type that reads itself, by a method of its pointer.
type Custom interface {
	ReadYAML(v Value)
}

// Value is a value in a file.
type Value struct {
	file  *File
	node  *yaml.Node
	path  string
	depth int
	// lenient reads the value as Options.Lenient does.
	lenient bool
}

const (
	textTag  = "!!str"
	boolTag  = "!!bool"
	intTag   = "!!int"
	floatTag = "!!float"
	nullTag  = "!!null"
	mergeTag = "!!merge"
)

var durationType = reflect.TypeFor[time.Duration]()

// Path returns the path of the value, for File.Report.
func (v Value) Path() string { return v.path }

// Line returns the line of the value.
func (v Value) Line() int { return v.node.Line }

// Leniently returns the value to be read as Options.Lenient says, with all below it.
func (v Value) Leniently() Value {
	v.lenient = true
	return v
}

func (v Value) isLenient() bool { return v.lenient || v.file.options.Lenient }

// Report adds problems with the value to its file. Other errors are converted to a
// problem.Problem.
func (v Value) Report(err error) {
	before := len(v.file.problems)
	v.file.Report(v.path, err)
	for i := before; i < len(v.file.problems); i++ {
		v.file.problems[i].Line = v.node.Line
	}
}

// Invalid reports an invalid value: invalid THING "x": ALLOWED.
func (v Value) Invalid(thing, allowed string) {
	v.Report(problem.New("invalid "+thing+" "+v.found(), allowed))
}

// Secret keeps the value, and everything below it, out of problems.
func (v Value) Secret() { v.file.secrets[v.path] = true }

// isSecret reports whether the value must not be quoted.
func (v Value) isSecret() bool {
	for path := v.path; ; path = path[:strings.LastIndexAny(path, ".[")] {
		if v.file.secrets[path] {
			return true
		}
		if !strings.ContainsAny(path, ".[") {
			return false
		}
	}
}

// IsMapping reports whether the value has keys.
func (v Value) IsMapping() bool { return v.node.Kind == yaml.MappingNode }

// IsNull reports whether the value is null or missing.
func (v Value) IsNull() bool { return v.node.Kind == yaml.ScalarNode && v.node.ShortTag() == nullTag }

// Scalar returns text, a number or a boolean as written in the file.
func (v Value) Scalar() (string, bool) {
	return v.node.Value, v.node.Kind == yaml.ScalarNode && !v.IsNull()
}

// Text returns text. ok is false for values that YAML resolves to another type.
func (v Value) Text() (text string, ok bool) {
	text, ok = v.Scalar()
	return text, ok && (v.node.ShortTag() == textTag || v.isLenient() || v.file.unquoted)
}

// Key returns the value of a key.
func (v Value) Key(key string) (Value, bool) {
	if v.IsMapping() {
		for i := 0; i+1 < len(v.node.Content); i += 2 {
			if v.node.Content[i].Value == key {
				return v.at(v.node.Content[i+1], key), true
			}
		}
	}
	return Value{}, false
}

// at returns the value of a node below v, or the target of an alias.
func (v Value) at(node *yaml.Node, key string) Value {
	path := problem.Join(v.path, key)
	if node.Kind == yaml.AliasNode {
		line := node.Line
		target := *node.Alias // problems are at the alias, not at the anchor
		target.Line = line
		node = &target
	}
	return Value{file: v.file, node: node, path: path, depth: v.depth + 1, lenient: v.lenient}
}

// Into reads the value into the variable that into points to.
func (v Value) Into(into any) { v.read(reflect.ValueOf(into).Elem()) }

func (v Value) read(to reflect.Value) {
	f := v.file
	if !f.admits(v) {
		return
	}
	if _, ok := f.lines[v.path]; !ok {
		f.lines[v.path] = v.node.Line
	}
	if custom, ok := reflect.TypeAssert[Custom](to.Addr()); ok {
		if !v.IsNull() {
			custom.ReadYAML(v)
		}
		return
	}
	if v.IsNull() {
		to.SetZero()
		return
	}
	if to.Type() == durationType {
		v.readDuration(to)
		return
	}
	switch to.Kind() {
	case reflect.Pointer:
		to.Set(reflect.New(to.Type().Elem()))
		v.read(to.Elem())
	case reflect.Struct:
		v.readStruct(to)
	case reflect.Map:
		v.readMap(to)
	case reflect.Slice:
		v.readSlice(to)
	default:
		v.readScalar(to)
	}
}

// Pairs calls with for each key that is text and not a duplicate.
func (v Value) Pairs(with func(key string, value Value)) {
	if !v.IsMapping() {
		v.Invalid("value", "must have keys with values")
		return
	}
	lines := map[string]int{}
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		key, node := v.node.Content[i], v.node.Content[i+1]
		value := v.at(node, key.Value)
		first, repeated := lines[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode:
			v.file.add(key.Line, problem.New("invalid key", "must be text").At(v.path))
		case key.ShortTag() == mergeTag:
			v.file.add(key.Line, problem.New("merge key <<", "must be written out").At(v.path))
		case repeated:
			v.file.add(key.Line, problem.New("duplicate key", already(first)).At(value.path))
		default:
			lines[key.Value] = key.Line
			v.file.lines[value.path] = key.Line
			with(key.Value, value)
		}
	}
}

func already(line int) string {
	if line == 0 {
		return "must be set once"
	}
	return fmt.Sprintf("must be set once, as in line %d", line)
}

func (v Value) readStruct(to reflect.Value) {
	fields := fieldsOf(to.Type())
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.key
	}
	given := map[string]bool{}
	v.Pairs(func(key string, value Value) {
		given[key] = true
		i := slices.Index(keys, key)
		if i < 0 {
			value.Unknown(key, keys)
			return
		}
		if fields[i].secret {
			value.Secret()
		}
		field := to.FieldByIndex(fields[i].index)
		before := len(v.file.problems)
		value.read(field)
		if len(v.file.problems) == before {
			value.within(field, fields[i].minimum, fields[i].maximum)
		}
	})
	o := &v.file.options
	for _, field := range fields {
		if field.required && !given[field.key] && v.IsMapping() && !v.isLenient() && !slices.Contains(o.Optional[to.Type()], field.key) {
			v.Report(problem.New("missing key "+field.key, ""))
		}
	}
}

// Unknown reports that the key of the value is not one of keys.
func (v Value) Unknown(key string, keys []string) {
	if v.isLenient() {
		v.file.Unknown = append(v.file.Unknown, v.path)
		return
	}
	p := problem.Invalid("key", key, "must be one of: "+strings.Join(keys, ", "))
	p.What = "unknown key " + problem.Quote(key)
	p.Hint = spell.Near(key, keys)
	v.file.add(v.file.lines[v.path], p.At(strings.TrimSuffix(strings.TrimSuffix(v.path, key), ".")))
}

func (v Value) readMap(to reflect.Value) {
	t := to.Type()
	to.Set(reflect.MakeMap(t))
	v.Pairs(func(key string, value Value) {
		element := reflect.New(t.Elem()).Elem()
		if t.Elem().Kind() == reflect.Map || value.isThere() { // a map may be left empty
			value.read(element)
		}
		to.SetMapIndex(reflect.ValueOf(key).Convert(t.Key()), element)
	})
}

func (v Value) readSlice(to reflect.Value) {
	if v.node.Kind != yaml.SequenceNode {
		v.Invalid("value", "must be a list")
		return
	}
	list := reflect.MakeSlice(to.Type(), len(v.node.Content), len(v.node.Content))
	for i, node := range v.node.Content {
		if element := v.at(node, "["+strconv.Itoa(i)+"]"); element.isThere() {
			element.read(list.Index(i))
		}
	}
	to.Set(list)
}

// isThere reports whether an element of a list or map has a value, and reports a
// problem if not.
func (v Value) isThere() bool {
	if !v.IsNull() || v.isLenient() {
		return true
	}
	v.Report(problem.New("missing value", `must be set; empty text is ""`))
	return false
}

func (v Value) readDuration(to reflect.Value) {
	text, _ := v.Scalar()
	d, err := time.ParseDuration(text)
	if err != nil {
		v.Invalid("duration", "must be a number with a unit, such as 500ms, 30s or 1m30s")
		return
	}
	to.SetInt(int64(d))
}

// oldBools are the booleans that only YAML 1.1 has.
//
//nolint:gochecknoglobals // never changed
var oldBools = map[string]bool{
	"y": true, "Y": true, "yes": true, "Yes": true, "YES": true, "on": true, "On": true, "ON": true,
	"n": false, "N": false, "no": false, "No": false, "NO": false, "off": false, "Off": false, "OFF": false,
}

func (v Value) readScalar(to reflect.Value) {
	text, scalar := v.Scalar()
	tag := v.node.ShortTag()
	var err error
	thing, allowed := "", ""
	switch to.Kind() {
	case reflect.String:
		v.readText(to)
		return
	case reflect.Bool:
		var b bool
		b, err = strconv.ParseBool(text)
		if old, ok := oldBools[text]; ok && v.isLenient() {
			b, err = old, nil
		}
		to.SetBool(b)
		scalar = scalar && (tag == boolTag || v.isLenient())
		thing, allowed = "boolean", "must be true or false"
	case reflect.Int, reflect.Int32, reflect.Int64:
		var n int64
		n, err = strconv.ParseInt(text, 0, to.Type().Bits())
		to.SetInt(n)
		scalar = scalar && (tag == intTag || v.isLenient())
		thing, allowed = "number", "must be a whole number"
	case reflect.Float64:
		var n float64
		n, err = strconv.ParseFloat(text, 64)
		to.SetFloat(n)
		scalar = scalar && (tag == intTag || tag == floatTag || v.isLenient())
		thing, allowed = "number", "must be a number"
	default:
		scalar, thing, allowed = false, "value", "must be left out: the program cannot read a "+to.Type().String()
	}
	if err != nil || !scalar {
		to.SetZero()
		v.Invalid(thing, allowed)
	}
}

func (v Value) readText(to reflect.Value) {
	text, ok := v.Text()
	values, few := v.file.options.Values[to.Type()]
	switch {
	case !ok:
		allowed := "must be text"
		if _, scalar := v.Scalar(); scalar {
			allowed = "must be text, in quotes: " + v.found()
		}
		v.Report(problem.New("invalid value "+strings.Trim(v.found(), `"`), allowed))
	case few && !slices.Contains(values, text):
		p := problem.New("unknown value "+v.found(), "must be one of: "+strings.Join(values, ", "))
		p.Hint = spell.Near(text, values)
		v.Report(p)
	default:
		to.SetString(text)
	}
}

// within checks a number or duration against the bounds in the tag of its field; either
// may be empty.
func (v Value) within(n reflect.Value, minimum, maximum string) {
	if !n.CanInt() {
		return
	}
	least, err1 := bound(n.Type(), minimum, math.MinInt64)
	most, err2 := bound(n.Type(), maximum, math.MaxInt64)
	switch {
	case err1 != nil || err2 != nil:
		v.Report(fmt.Errorf("bug: bounds of the field: %w", errors.Join(err1, err2)))
	case n.Int() < least:
		v.Invalid("value", "must be at least "+minimum)
	case n.Int() > most:
		v.Invalid("value", "must be at most "+maximum)
	}
}

// bound reads a bound of a type; an empty one is none.
func bound(t reflect.Type, text string, none int64) (int64, error) {
	switch {
	case text == "":
		return none, nil
	case t == durationType:
		d, err := time.ParseDuration(text)
		return int64(d), err
	}
	return strconv.ParseInt(text, 10, 64)
}

// found is what the value is, for errors.
func (v Value) found() string {
	switch v.node.Kind {
	case yaml.MappingNode:
		return "with keys"
	case yaml.SequenceNode:
		return "that is a list"
	}
	switch {
	case v.IsNull():
		return "null"
	case v.isSecret():
		return "(not shown)"
	default:
		return problem.Quote(v.node.Value)
	}
}

// field is a field of a struct that can be set by a file.
type field struct {
	key      string
	required bool
	index    []int
	minimum  string
	maximum  string
	secret   bool
	in       reflect.Type // the struct that declares it
	name     string       // there
	typ      reflect.Type
}

// fieldsOf returns the fields with JSON tags, those of embedded structs too, in
// their order.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		key, flags, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && key == "":
			for _, inner := range fieldsOf(f.Type) {
				inner.index = append([]int{i}, inner.index...)
				fields = append(fields, inner)
			}
		case key == "" || key == "-":
		default:
			fields = append(fields, field{
				key: key, required: flags != "omitempty" && flags != "omitzero", index: []int{i}, minimum: f.Tag.Get("minimum"), maximum: f.Tag.Get("maximum"),
				secret: f.Tag.Get("secret") == "true",
				in:     t, name: f.Name, typ: f.Type,
			})
		}
	}
	return fields
}
