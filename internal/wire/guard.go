package wire

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"strings"

	"github.com/kubestate/kubestate/internal/quantity"
)

// This file replaces quantities that would take hours to parse with quantity.TooLarge:
// in protobuf while fields are dropped, in JSON before decoding.

// Whole returns the filter that keeps all fields of a message and only replaces
// quantities out of bounds. message is as for Compile.
func Whole(message any) *Filter { return newGuards().of(reflect.TypeOf(message)) }

// guards finds quantities in messages of Go types.
type guards struct {
	filters map[reflect.Type]*Filter // for types with quantities
	without map[reflect.Type]bool    // types without quantities
}

func newGuards() *guards { return &guards{map[reflect.Type]*Filter{}, map[reflect.Type]bool{}} }

// of returns the filter that keeps all of a type.
func (g *guards) of(t reflect.Type) *Filter {
	t = element(t)
	if f := g.filters[t]; f != nil {
		return f
	}
	f := &Filter{all: true}
	if !g.contains(t) {
		return f
	}
	g.filters[t] = f // before its fields, since types can be recursive
	switch {
	case isQuantity(t):
		f.set(quantityText, &Filter{all: true, quantity: true})
	case t.Kind() == reflect.Map:
		f.set(entryValue, g.of(t.Elem()))
	default:
		for field := range t.Fields() {
			if n, ok := number(field); ok && g.contains(element(field.Type)) {
				f.set(n, g.of(field.Type))
			}
		}
	}
	return f
}

// Field numbers of the text in a Quantity, and of the value in a map entry.
const (
	quantityText = 1
	entryValue   = 2
)

// contains reports whether messages of a type can have quantities.
func (g *guards) contains(t reflect.Type) bool {
	visited := map[reflect.Type]bool{}
	found := g.search(t, visited)
	if !found { // otherwise a visited type may have been searched only in part
		for t := range visited {
			g.without[t] = true
		}
	}
	return found
}

func (g *guards) search(t reflect.Type, visited map[reflect.Type]bool) bool {
	switch t = element(t); {
	case isQuantity(t) || g.filters[t] != nil:
		return true
	case visited[t] || g.without[t]:
		return false
	}
	visited[t] = true
	switch t.Kind() {
	case reflect.Map:
		return g.search(t.Elem(), visited)
	case reflect.Struct:
		for field := range t.Fields() {
			if _, ok := number(field); ok && g.search(field.Type, visited) {
				return true
			}
		}
	}
	return false
}

func isQuantity(t reflect.Type) bool {
	return t.Name() == "Quantity" && strings.HasSuffix(t.PkgPath(), "k8s.io/apimachinery/pkg/api/resource")
}

// BoundJSON returns the JSON form of a message of the type of into, with its quantities
// bounded. If there is nothing to bound, it returns object and does not allocate.
func BoundJSON(into any, object []byte) []byte {
	if !suspicious(object) {
		return object
	}
	d := json.NewDecoder(bytes.NewReader(object))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return object // the decoder reports the error
	}
	if _, err := d.Token(); err != io.EOF {
		return object
	}
	bounded, err := json.Marshal(bound(reflect.TypeOf(into), v))
	if err != nil {
		return object
	}
	return bounded
}

// suspicious reports whether JSON contains a number or string that could be a quantity
// out of bounds.
func suspicious(object []byte) bool {
	for i := 0; i < len(object); i++ {
		start := i
		switch c := object[i]; {
		case c == '"':
			for start, i = i+1, i+1; i < len(object) && object[i] != '"'; i++ {
				if object[i] == '\\' {
					i++
				}
			}
		case c == '-' || '0' <= c && c <= '9':
			for i < len(object) && strings.IndexByte("+-.0123456789eE", object[i]) >= 0 {
				i++
			}
		default:
			continue
		}
		if text := bytes.TrimSpace(object[start:min(i, len(object))]); len(text) > len(quantity.TooLarge) &&
			!quantity.Bounded(string(text)) && quantity.Like(string(text)) {
			return true
		}
	}
	return false
}

// bound returns a decoded value of a type with its quantities bounded.
func bound(t reflect.Type, v any) any {
	t = element(t)
	switch v := v.(type) {
	case string:
		if isQuantity(t) && !quantity.Bounded(v) {
			return quantity.TooLarge
		}
	case json.Number:
		if isQuantity(t) && !quantity.Bounded(v.String()) {
			return quantity.TooLarge
		}
	case []any:
		for i := range v {
			v[i] = bound(t, v[i])
		}
	case map[string]any:
		for name, value := range v {
			if child := member(t, name); child != nil {
				v[name] = bound(child, value)
			}
		}
	}
	return v
}

// member returns the type of a named member of an object type, or nil if unknown.
func member(t reflect.Type, name string) reflect.Type {
	if t.Kind() == reflect.Map {
		return t.Elem()
	}
	if t.Kind() != reflect.Struct || isQuantity(t) {
		return nil
	}
	for f := range t.Fields() {
		shown, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case shown == name, shown == "" && !f.Anonymous && f.Name == name:
			return f.Type
		case shown == "" && f.Anonymous:
			if child := member(element(f.Type), name); child != nil {
				return child
			}
		}
	}
	return nil
}
