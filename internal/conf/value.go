package conf

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/internal/strictyaml"
)

// value is where an option is stored, and how it is read.
type value interface {
	pflag.Value
	// readYAML reads the value of a key of the configuration file.
	readYAML(v strictyaml.Value)
	// schema is the JSON schema of that value.
	schema() strictyaml.Schema
	// doubts are what Set accepts in a text but ignores, as kube-state-metrics does.
	doubts(s string) []string
	// isList reports whether a value has several items with commas between them.
	isList() bool
}

// typed is a value of one type.
type typed[T any] struct {
	to     *T
	typ    string                     // for help
	parse  func(string) (T, error)    // of a flag; the error is a problem.Problem
	yaml   func(strictyaml.Value, *T) // of a key; nil: as the type is read by default
	format func(T) string
	json   strictyaml.Schema
	doubt  func(string) []string // see doubts; nil: there are none
}

// Set implements pflag.Value. The value is unchanged if s is invalid.
func (v typed[T]) Set(s string) error {
	t, err := v.parse(s)
	if err != nil {
		return err
	}
	*v.to = t
	return nil
}

// String implements pflag.Value: the value as a user would write it.
func (v typed[T]) String() string { return v.format(*v.to) }

// Type implements pflag.Value.
func (v typed[T]) Type() string { return v.typ }

func (v typed[T]) readYAML(from strictyaml.Value) {
	if v.yaml != nil {
		v.yaml(from, v.to)
		return
	}
	from.Into(v.to)
}

func (v typed[T]) schema() strictyaml.Schema { return v.json }

func (v typed[T]) doubts(s string) []string {
	if v.doubt == nil {
		return nil
	}
	return v.doubt(s)
}

func (v typed[T]) isList() bool { return v.typ == listType || v.typ == keysType }

// The types of values that help and completion treat specially.
const (
	boolType = "bool" // flags need no value
	listType = "list"
	keysType = "keys"
)

func same(s string) (string, error) { return s, nil }

func text(to *string) value {
	return typed[string]{to: to, typ: "string", parse: same, format: func(s string) string { return s }, json: strictyaml.Schema{"type": "string"}}
}

func truth(to *bool) value {
	return typed[bool]{to: to, typ: boolType, format: strconv.FormatBool, json: strictyaml.Schema{"type": "boolean"}, parse: func(s string) (bool, error) {
		b, err := strconv.ParseBool(s)
		if err != nil {
			return false, problem.Invalid("boolean", s, "must be true or false")
		}
		return b, nil
	}}
}

func number(to *int) value {
	return typed[int]{to: to, typ: "int", format: strconv.Itoa, json: strictyaml.Schema{"type": "integer"}, parse: func(s string) (int, error) {
		n, err := strconv.ParseInt(s, 0, strconv.IntSize)
		if err != nil {
			return 0, problem.Invalid("number", s, "must be a whole number")
		}
		return int(n), nil
	}}
}

func float(to *float64) value {
	format := func(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
	return typed[float64]{to: to, typ: "float", format: format, json: strictyaml.Schema{"type": "number"}, parse: func(s string) (float64, error) {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return 0, problem.Invalid("number", s, "must be a number, such as 0.9")
		}
		return f, nil
	}}
}

func duration(to *time.Duration) value {
	return typed[time.Duration]{to: to, typ: "duration", format: time.Duration.String, json: (&strictyaml.Schemas{}).Of(reflect.TypeFor[time.Duration]()), parse: func(s string) (time.Duration, error) {
		d, err := time.ParseDuration(s)
		if err != nil {
			return 0, problem.Invalid("duration", s, "must be a number with a unit, such as 500ms, 30s or 1m30s")
		}
		return d, nil
	}}
}

// list reads items with commas between them. A repeated flag adds to the list. Spaces
// around items and empty items are dropped. In the file it is a list.
func list(to *[]string) value {
	items := strictyaml.Schema{"type": "array", "items": strictyaml.Schema{"type": "string"}}
	return typed[[]string]{to: to, typ: listType, yaml: replace, format: join, json: items, parse: func(s string) ([]string, error) {
		return append(slices.Clone(*to), trimmed(strings.Split(s, ","))...), nil
	}}
}

// paths is a list that in the file may be a single text.
func paths(to *[]string) value {
	v, _ := list(to).(typed[[]string])
	v.json = strictyaml.Schema{"type": []string{"string", "array"}, "items": strictyaml.Schema{"type": "string"}}
	v.yaml = func(from strictyaml.Value, to *[]string) {
		if text, ok := from.Text(); ok {
			*to = trimmed([]string{text})
			return
		}
		replace(from, to)
	}
	return v
}

// set is a list without duplicates that in the file may be a mapping, whose keys count,
// as in kube-state-metrics.
func set(to *[]string) value {
	v, _ := list(to).(typed[[]string])
	v.parse = func(s string) ([]string, error) {
		return unique(append(slices.Clone(*to), trimmed(strings.Split(s, ","))...)), nil
	}
	v.yaml = func(from strictyaml.Value, to *[]string) {
		if !from.IsMapping() {
			replace(from, to)
			return
		}
		var keys []string
		from.Pairs(func(key string, _ strictyaml.Value) { keys = append(keys, key) })
		if len(keys) > 0 {
			*to = unique(trimmed(keys))
		}
	}
	v.json = strictyaml.Schema{"anyOf": []strictyaml.Schema{v.json, {"type": "object"}}}
	return v
}

// texts collects the values of a repeated flag.
func texts(to *[]string) value {
	return typed[[]string]{to: to, typ: "string", format: join, parse: func(s string) ([]string, error) { return append(slices.Clone(*to), s), nil }}
}

func join(items []string) string { return strings.Join(items, ",") }

// replace replaces a list by that of the file, unless that is empty.
func replace(from strictyaml.Value, to *[]string) {
	var items []string
	from.Into(&items)
	if len(items) > 0 {
		*to = trimmed(items)
	}
}

// trimmed returns items without spaces around them, and without empty ones.
func trimmed(items []string) []string {
	var all []string
	for _, item := range items {
		if item = strings.TrimSpace(item); item != "" {
			all = append(all, item)
		}
	}
	return all
}

// unique returns items without duplicates.
func unique(items []string) []string {
	var all []string
	for _, item := range items {
		if !slices.Contains(all, item) {
			all = append(all, item)
		}
	}
	return all
}

// allowLists reads keys by resource; see parseAllowLists. A repeated flag replaces the
// value. In the file it is a mapping of lists.
func allowLists(to *map[string][]string) value {
	parse := func(s string) (map[string][]string, error) {
		lists, _, err := parseAllowLists(s)
		return lists, inValue(s, err)
	}
	doubts := func(s string) []string {
		_, ignored, _ := parseAllowLists(s)
		return ignored
	}
	return keysValue(to, parse, doubts)
}

// addedLists is like allowLists, but a repeated flag adds to the value, and nothing is
// ignored.
func addedLists(to *map[string][]string) value {
	return keysValue(to, func(s string) (map[string][]string, error) {
		more, ignored, err := parseAllowLists(s)
		if len(ignored) > 0 {
			err = errors.New(formatError + strings.Join(ignored, "; "))
		}
		for name, items := range *to {
			if err == nil {
				more[name] = append(slices.Clone(items), more[name]...)
			}
		}
		return more, inValue(s, err)
	}, nil)
}

// inValue returns an error as a problem with a value.
func inValue(s string, err error) error {
	if err == nil {
		return nil
	}
	return problem.New("invalid value "+problem.Quote(s), err.Error())
}

func keysValue(to *map[string][]string, parse func(string) (map[string][]string, error), doubt func(string) []string) value {
	lists := strictyaml.Schema{"type": "object", "additionalProperties": strictyaml.Schema{"type": "array", "items": strictyaml.Schema{"type": "string"}}}
	return typed[map[string][]string]{to: to, typ: keysType, parse: parse, doubt: doubt, format: formatKeys, json: lists, yaml: func(from strictyaml.Value, to *map[string][]string) {
		var keys map[string][]string
		from.Into(&keys)
		if len(keys) > 0 {
			*to = keys
		}
	}}
}

func formatKeys(lists map[string][]string) string {
	var parts []string
	for _, resource := range slices.Sorted(maps.Keys(lists)) {
		parts = append(parts, fmt.Sprintf("%s=[%s]", resource, strings.Join(lists[resource], ",")))
	}
	return strings.Join(parts, ",")
}
