package strictyaml

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/kubestate/kubestate/internal/spell"
)

// Custom is a type that reads itself. Its pointer has the methods.
type Custom interface {
	ReadYAML(v Value)
	// JSONSchema says what it reads.
	JSONSchema(s *Schemas) Schema
}

// Value is a value at some place of a file.
type Value struct {
	file  *File
	node  *yaml.Node
	path  string
	depth int
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

// Path returns where the value stands, as File.Wrong takes it.
func (v Value) Path() string { return v.path }

// Wrong adds a problem with the value to its file.
func (v Value) Wrong(format string, args ...any) {
	v.file.add(v.node.Line, v.path, fmt.Errorf(format, args...))
}

// IsMapping tells whether the value has keys.
func (v Value) IsMapping() bool { return v.node.Kind == yaml.MappingNode }

// IsNull tells whether the value is nothing at all.
func (v Value) IsNull() bool { return v.node.Kind == yaml.ScalarNode && v.node.ShortTag() == nullTag }

// Scalar returns text, a number or a truth as it is written.
func (v Value) Scalar() (string, bool) {
	return v.node.Value, v.node.Kind == yaml.ScalarNode && !v.IsNull()
}

// Text returns text. It is not ok for what YAML takes for something else.
func (v Value) Text() (text string, ok bool) {
	text, ok = v.Scalar()
	return text, ok && (v.node.ShortTag() == textTag || v.file.options.Lenient || v.file.unquoted)
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

// at returns the value of a node below v, itself where it is an alias.
func (v Value) at(node *yaml.Node, key string) Value {
	path := key
	if v.path != "" {
		path = v.path + "." + key
	}
	if strings.HasPrefix(key, "[") {
		path = v.path + key
	}
	if node.Kind == yaml.AliasNode {
		line := node.Line
		target := *node.Alias // the problem is here, not where the anchor stands
		target.Line = line
		node = &target
	}
	return Value{file: v.file, node: node, path: path, depth: v.depth + 1}
}

// Into reads the value into what into points at.
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

// pairs calls with for each key that is text and not given before.
func (v Value) pairs(with func(key string, value Value)) {
	if !v.IsMapping() {
		v.Wrong("found %s, want keys with values", v.found())
		return
	}
	lines := map[string]int{}
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		key, node := v.node.Content[i], v.node.Content[i+1]
		value := v.at(node, key.Value)
		first, repeated := lines[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode:
			v.file.add(key.Line, v.path, errors.New("a key that is a list or has keys itself, want text"))
		case key.ShortTag() == mergeTag:
			v.file.add(key.Line, v.path, errors.New("<< is not known here; write the keys out"))
		case repeated:
			v.file.add(key.Line, value.path, errors.New(already(first)))
		default:
			lines[key.Value] = key.Line
			v.file.lines[value.path] = key.Line
			with(key.Value, value)
		}
	}
}

func already(line int) string {
	if line == 0 {
		return "the key is there already"
	}
	return fmt.Sprintf("the key is there already, in line %d", line)
}

func (v Value) readStruct(to reflect.Value) {
	fields := fieldsOf(to.Type())
	given := map[string]bool{}
	v.pairs(func(key string, value Value) {
		given[key] = true
		for _, field := range fields {
			if field.key == key {
				before := len(v.file.problems)
				value.read(to.FieldByIndex(field.index))
				if len(v.file.problems) == before {
					value.atLeast(to.FieldByIndex(field.index), field.minimum)
				}
				return
			}
		}
		v.unknown(value, key, fields)
	})
	o := &v.file.options
	for _, field := range fields {
		if field.required && !given[field.key] && v.IsMapping() && !o.Lenient && !slices.Contains(o.Optional[to.Type()], field.key) {
			v.Wrong("the key %s is missing", field.key)
		}
	}
}

func (v Value) unknown(value Value, key string, fields []field) {
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.key
	}
	if v.file.options.Lenient {
		v.file.Unknown = append(v.file.Unknown, value.path)
		return
	}
	if explain := v.file.options.Explain; explain != nil {
		if why := explain(value.path); why != "" {
			v.file.add(v.file.lines[value.path], value.path, errors.New(why))
			return
		}
	}
	v.file.add(v.file.lines[value.path], v.path, fmt.Errorf("unknown key %q; there are: %s%s", key, strings.Join(keys, ", "), spell.Hint(key, keys)))
}

func (v Value) readMap(to reflect.Value) {
	t := to.Type()
	to.Set(reflect.MakeMap(t))
	v.pairs(func(key string, value Value) {
		element := reflect.New(t.Elem()).Elem()
		if t.Elem().Kind() == reflect.Map || value.isThere() { // a map may be left empty
			value.read(element)
		}
		to.SetMapIndex(reflect.ValueOf(key).Convert(t.Key()), element)
	})
}

func (v Value) readSlice(to reflect.Value) {
	if v.node.Kind != yaml.SequenceNode {
		v.Wrong("found %s, want a list", v.found())
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

// isThere tells whether an element of a list or map is more than nothing, and adds
// a problem if it is not.
func (v Value) isThere() bool {
	if !v.IsNull() || v.file.options.Lenient {
		return true
	}
	v.Wrong(`found nothing, want a value; empty text is ""`)
	return false
}

func (v Value) readDuration(to reflect.Value) {
	text, _ := v.Scalar()
	d, err := time.ParseDuration(text)
	if err != nil {
		v.Wrong("found %s, want a number with its unit, such as 500ms, 30s or 1m30s", v.found())
		return
	}
	to.SetInt(int64(d))
}

func (v Value) readScalar(to reflect.Value) {
	text, scalar := v.Scalar()
	tag := v.node.ShortTag()
	var err error
	want := ""
	switch to.Kind() {
	case reflect.String:
		v.readText(to)
		return
	case reflect.Bool:
		var b bool
		b, err = strconv.ParseBool(text)
		to.SetBool(b)
		scalar, want = scalar && (tag == boolTag || v.file.options.Lenient), "true or false"
	case reflect.Int, reflect.Int32, reflect.Int64:
		var n int64
		n, err = strconv.ParseInt(text, 0, to.Type().Bits())
		to.SetInt(n)
		scalar, want = scalar && (tag == intTag || v.file.options.Lenient), "a whole number"
	case reflect.Float64:
		var n float64
		n, err = strconv.ParseFloat(text, 64)
		to.SetFloat(n)
		scalar, want = scalar && (tag == intTag || tag == floatTag || v.file.options.Lenient), "a number"
	default:
		scalar, want = false, "nothing: this program cannot read a "+to.Type().String()
	}
	if err != nil || !scalar {
		to.SetZero()
		v.Wrong("found %s, want %s", v.found(), want)
	}
}

func (v Value) readText(to reflect.Value) {
	text, ok := v.Text()
	values, few := v.file.options.Values[to.Type()]
	switch {
	case !ok:
		hint := ""
		if written, scalar := v.Scalar(); scalar {
			hint = fmt.Sprintf("; write it in quotes: %q", written)
		}
		v.Wrong("found %s, want text%s", v.found(), hint)
	case few && !slices.Contains(values, text):
		v.Wrong("%q is unknown, want one of: %s%s", text, strings.Join(values, ", "), spell.Hint(text, values))
	default:
		to.SetString(text)
	}
}

// atLeast checks a number against the tag of its field.
func (v Value) atLeast(n reflect.Value, minimum string) {
	if minimum == "" || !n.CanInt() {
		return
	}
	least, err := strconv.ParseInt(minimum, 10, 64)
	if n.Type() == durationType {
		var d time.Duration
		d, err = time.ParseDuration(minimum)
		least = int64(d)
	}
	if err != nil {
		v.Wrong("this program has a wrong bound for it: %v", err)
		return
	}
	if n.Int() < least {
		text, _ := v.Scalar()
		v.Wrong("%s is too little, want %s or more", text, minimum)
	}
}

// found says what the value is, for errors.
func (v Value) found() string {
	switch v.node.Kind {
	case yaml.MappingNode:
		return "keys"
	case yaml.SequenceNode:
		return "a list"
	}
	if v.IsNull() {
		return "nothing"
	}
	return strconv.Quote(v.node.Value)
}

// field is a field of a struct that a file can set.
type field struct {
	key      string
	required bool
	index    []int
	minimum  string
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
				key: key, required: flags != "omitempty" && flags != "omitzero", index: []int{i}, minimum: f.Tag.Get("minimum"),
				in: t, name: f.Name, typ: f.Type,
			})
		}
	}
	return fields
}
