package manifest

import (
	"bytes"
	"encoding/base64"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/json"

	"github.com/kubestate/kubestate/internal/problem"
)

// Bounds of the search for invalid fields.
const (
	maxSearched = 4 << 20 // bytes of an object
	maxProblems = 10      // of an object
)

// wrongField is a field with a value that does not fit its type.
type wrongField struct {
	path []string
	err  error
}

// search looks for the fields that make decoding an object fail: a field is wrong if an
// object with only this field cannot be decoded.
type search struct {
	target   func() any // returns a new value to decode into
	problems []wrongField
}

// problems returns what is wrong with data whose decoding returned err.
func problems(data []byte, target func() any, err error) []wrongField {
	s := search{target: target}
	if len(data) <= maxSearched {
		s.look(data, nil, nil, nil)
	}
	if len(s.problems) == 0 {
		return []wrongField{{err: explain(err, nil)}}
	}
	return s.problems
}

// look reports whether value, between prefix and suffix, cannot be decoded.
func (s *search) look(value, prefix, suffix []byte, path []string) bool {
	decode := func(value []byte) error {
		return json.UnmarshalCaseSensitivePreserveInts(slices.Concat(prefix, value, suffix), s.target())
	}
	err := decode(value)
	if err == nil {
		return false
	}
	below := false
	if value[0] == '{' && decode([]byte("{}")) == nil || value[0] == '[' && decode([]byte("[]")) == nil {
		members(value, func(key string, v []byte) bool {
			before, after := []byte("["), []byte("]")
			if value[0] == '{' {
				name, _ := stdjson.Marshal(key) // every string has a JSON form
				before, after = slices.Concat([]byte("{"), name, []byte(":")), []byte("}")
			}
			if s.look(v, slices.Concat(prefix, before), slices.Concat(after, suffix), append(slices.Clone(path), key)) {
				below = true
			}
			return len(s.problems) < maxProblems
		})
	}
	if !below {
		s.problems = append(s.problems, wrongField{path, explain(err, value)})
	}
	return true
}

// explain returns a decoder error in terms of the Kubernetes API. It quotes no value,
// since it may be secret.
func explain(err error, value []byte) error {
	var kind *stdjson.UnmarshalTypeError
	var timeErr *time.ParseError
	var base64Err base64.CorruptInputError
	switch {
	case errors.As(err, &kind):
		found, _, _ := strings.Cut(kind.Value, " ")
		if found == "bool" {
			found = "boolean"
		}
		want := typeName(kind.Type)
		if want == "integer" && found == "number" && !bytes.ContainsAny(value, ".eE") {
			return errors.New("integer out of range")
		}
		return fmt.Errorf("must be of type %s, not %s", want, found)
	case errors.Is(err, resource.ErrFormatWrong), errors.Is(err, resource.ErrNumeric), errors.Is(err, resource.ErrSuffix):
		return errors.New("invalid quantity: must be a number with or without a suffix, such as 2, 500m or 1Gi")
	case errors.As(err, &timeErr):
		return errors.New("invalid time: must be as in 2026-01-02T15:04:05Z")
	case errors.As(err, &base64Err):
		return errors.New("invalid base64")
	default:
		return errors.New("invalid value")
	}
}

// typeName returns the API's name of a Go type.
func typeName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return typeName(t.Elem())
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		return "string"
	case reflect.Float32, reflect.Float64:
		return "number"
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return "string"
		}
		return "array"
	case reflect.Map, reflect.Struct:
		return "object"
	default:
		return "integer"
	}
}

// fieldPath returns keys and indexes as kubectl writes them: spec.containers[0].name.
func fieldPath(path []string) string {
	var b strings.Builder
	for _, key := range path {
		switch {
		case key != "" && strings.Trim(key, "0123456789") == "":
			fmt.Fprintf(&b, "[%s]", key)
		case b.Len() > 0:
			b.WriteString("." + problem.Cut(key))
		default:
			b.WriteString(problem.Cut(key))
		}
	}
	return b.String()
}
