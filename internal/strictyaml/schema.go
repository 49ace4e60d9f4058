package strictyaml

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
)

// Schema is a JSON schema or a part of one (https://json-schema.org, 2020-12).
type Schema map[string]any

// Described is a Custom type with its own schema, by a method of its pointer.
type Described interface {
	JSONSchema(s *Schemas) Schema
}

// Schemas builds the schemas of types. Each struct becomes a definition, so types may
// be recursive.
type Schemas struct {
	// Values and Optional are those of Options.
	Values   map[reflect.Type][]string
	Optional map[reflect.Type][]string
	// Doc returns the description of a field of a struct, or of the struct if field is
	// empty.
	Doc func(t reflect.Type, field string) string

	definitions map[string]Schema
}

// Document returns the schema of files with the given struct, as indented JSON. keys
// are schemas of additional keys.
func (s *Schemas) Document(t reflect.Type, id, title string, keys Schema) ([]byte, error) {
	s.definitions = map[string]Schema{}
	root := Schema{"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": id, "title": title}
	maps.Copy(root, s.structOf(t))
	if properties, ok := root["properties"].(Schema); ok {
		maps.Copy(properties, keys)
	}
	root["$defs"] = s.definitions
	b, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(b, '\n'), nil
}

// Of returns the schema of a type.
func (s *Schemas) Of(t reflect.Type) Schema {
	if custom, ok := reflect.TypeAssert[Described](reflect.New(t)); ok {
		return custom.JSONSchema(s)
	}
	if t == durationType {
		return Schema{"type": "string", "pattern": `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$|^0$`, "examples": []string{"15s"}}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return s.Of(t.Elem())
	case reflect.Struct:
		return s.reference(t)
	case reflect.Map:
		return Schema{"type": "object", "additionalProperties": s.orNothing(t.Elem())}
	case reflect.Slice:
		return Schema{"type": "array", "items": s.Of(t.Elem())}
	case reflect.String:
		if values, ok := s.Values[t]; ok {
			return Schema{"enum": values}
		}
		return Schema{"type": "string"}
	case reflect.Bool:
		return Schema{"type": "boolean"}
	case reflect.Float64:
		return Schema{"type": "number"}
	default:
		return Schema{"type": "integer"}
	}
}

// orNothing returns the schema of a value of a map. It may be null if it is a map
// itself.
func (s *Schemas) orNothing(t reflect.Type) Schema {
	if t.Kind() == reflect.Map {
		return Schema{"anyOf": []Schema{s.Of(t), {"type": "null"}}}
	}
	return s.Of(t)
}

// reference defines a struct and returns a reference to it.
func (s *Schemas) reference(t reflect.Type) Schema {
	name := t.Name()
	if _, ok := s.definitions[name]; !ok {
		s.definitions[name] = nil // it may be recursive
		s.definitions[name] = s.structOf(t)
	}
	return Schema{"$ref": "#/$defs/" + name}
}

func (s *Schemas) structOf(t reflect.Type) Schema {
	properties := Schema{}
	var required []string
	for _, f := range fieldsOf(t) {
		p := s.Of(f.typ)
		if doc := s.Doc(f.in, f.name); doc != "" {
			p["description"] = doc
		}
		if n, err := strconv.ParseInt(f.minimum, 10, 64); err == nil && p["type"] == "integer" {
			p["minimum"] = n
		}
		if n, err := strconv.ParseInt(f.maximum, 10, 64); err == nil && p["type"] == "integer" {
			p["maximum"] = n
		}
		properties[f.key] = p
		if f.required && !slices.Contains(s.Optional[t], f.key) {
			required = append(required, f.key)
		}
	}
	schema := Schema{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		schema["required"] = required
	}
	if doc := s.Doc(t, ""); doc != "" {
		schema["description"] = doc
	}
	return schema
}
