package wire

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Compile returns the filter that keeps the named fields of a message and drops all
// others. message is a value of the generated type to be decoded, or a pointer to one.
//
// Fields are named as in a manifest, starting at the message, ignoring lists:
// "spec.containers.name" is the name of every container. Everything below a field is
// kept with it. Braces contain alternatives: "spec.containers.{name,image}". One key of
// a map can be dropped, "metadata.annotations[!key]", or all others, "metadata.labels[key]".
// The error names every field that does not exist.
func Compile(message any, fields []string) (*Filter, error) {
	f := &Filter{}
	var errs []error
	for _, field := range fields {
		paths, entries, err := Paths(field)
		for _, path := range paths {
			err = errors.Join(err, f.keep(reflect.TypeOf(message), strings.Split(path, "."), entries))
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("field %q: %w", field, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return f, nil
}

// Keeps reports whether the filter of a message keeps a field completely. The field is
// named as in Compile, without braces.
func (f *Filter) Keeps(message any, field string) bool {
	t := reflect.TypeOf(message)
	for name := range strings.SplitSeq(field, ".") {
		if f == nil || f.all {
			return true
		}
		numbers, child := find(element(t), name)
		if child == nil {
			return false
		}
		for _, n := range numbers {
			if f.all {
				return true
			}
			if f = f.field(int32(n)); f == nil {
				return false
			}
		}
		t = child
	}
	return f == nil || f.all
}

// Entries selects entries of a map: that of the key Only, or all but that of Except, or
// with neither all.
type Entries struct{ Only, Except string }

// Paths returns the paths that a field of Compile stands for, and which entries of a map.
func Paths(field string) (paths []string, e Entries, err error) {
	path, e, err := splitEntries(field)
	if err == nil {
		paths, err = expand(path)
	}
	return paths, e, err
}

// expand replaces a path with braces by one path for each alternative.
func expand(path string) ([]string, error) {
	before, rest, some := strings.Cut(path, "{")
	if !some {
		if strings.ContainsAny(path, "},") {
			return nil, errors.New("comma or closing brace outside of braces")
		}
		return []string{path}, nil
	}
	var paths []string
	for start, depth, i := 0, 1, 0; i < len(rest); i++ {
		switch rest[i] {
		case '{':
			depth++
		case '}':
			depth--
		}
		if depth == 0 || depth == 1 && rest[i] == ',' {
			paths = append(paths, rest[start:i])
			start = i + 1
		}
		if depth == 0 {
			return expandEach(before, paths, rest[start:])
		}
	}
	return nil, errors.New("brace is not closed")
}

// expandEach expands the paths made of the text before the braces, each alternative,
// and the text after.
func expandEach(before string, alternatives []string, after string) (all []string, err error) {
	for _, a := range alternatives {
		paths, err := expand(before + a + after)
		if err != nil {
			return nil, err
		}
		all = append(all, paths...)
	}
	return all, nil
}

func splitEntries(field string) (path string, e Entries, err error) {
	path, rest, some := strings.Cut(field, "[")
	if !some {
		return path, Entries{}, nil
	}
	key, closed := strings.CutSuffix(rest, "]")
	key, without := strings.CutPrefix(key, "!")
	switch {
	case !closed || key == "":
		return "", Entries{}, errors.New("invalid suffix: must be [key] or [!key]")
	case without:
		return path, Entries{Except: key}, nil
	default:
		return path, Entries{Only: key}, nil
	}
}

// keep adds a field of a message of type t to what the filter keeps.
func (f *Filter) keep(t reflect.Type, path []string, e Entries) error {
	if len(path) == 0 {
		return f.keepAll(t, e)
	}
	t = element(t)
	numbers, child := find(t, path[0])
	if child == nil {
		return fmt.Errorf("%s has no field %q", t, path[0])
	}
	for _, n := range numbers {
		f = f.descend(n)
	}
	return f.keep(child, path[1:], e)
}

// keepAll keeps all of a field, or the selected entries of it.
func (f *Filter) keepAll(t reflect.Type, e Entries) error {
	switch {
	case e == Entries{}:
		*f = *newGuards().of(t)
	case t.Kind() != reflect.Map || t.Key().Kind() != reflect.String:
		return fmt.Errorf("%s is not a map with string keys: it has no entries to drop", t)
	case f.all:
	case e.Except == "" && f.except == "":
		f.only = append(f.only, e.Only)
	case e.Except == "" && f.except != e.Only: // kept already
	case e.Except == "", f.except != "" && f.except != e.Except, slices.Contains(f.only, e.Except):
		*f = Filter{all: true} // each keeps the entry that the other drops
	default:
		f.except, f.only = e.Except, nil
	}
	return nil
}

// descend returns the filter of the field with a number.
func (f *Filter) descend(number int) *Filter {
	if f.all {
		return f // everything below it is kept as well
	}
	if number >= len(f.fields) || f.fields[number] == nil {
		f.set(number, &Filter{})
	}
	return f.fields[number]
}

// element returns the type behind pointers and slices.
func element(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t
}

// find returns the type of a field and the field numbers that lead to it: several if it
// is inlined in manifests.
func find(t reflect.Type, name string) (numbers []int, field reflect.Type) {
	if t.Kind() != reflect.Struct {
		return nil, nil
	}
	for f := range t.Fields() {
		number, ok := number(f)
		if !ok {
			continue
		}
		shown, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case shown == name:
			return []int{number}, f.Type
		case shown == "" && f.Anonymous:
			if below, field := find(element(f.Type), name); field != nil {
				return append([]int{number}, below...), field
			}
		}
	}
	return nil, nil
}

// number returns the number in a tag such as `protobuf:"bytes,1,opt,name=metadata"`.
func number(f reflect.StructField) (int, bool) {
	parts := strings.Split(f.Tag.Get("protobuf"), ",")
	if len(parts) < 2 {
		return 0, false
	}
	n, err := strconv.Atoi(parts[1])
	return n, err == nil && n > 0
}
