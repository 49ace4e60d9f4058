// Package strictyaml reads YAML into structs, by their JSON tags, and says all
// that is wrong with it at once: each problem with its line, its key and what is
// allowed. The same structs give a JSON schema. It refuses to know what keys mean.
//
// read.go reads a file, value.go what kind of value stands where, schema.go makes
// schemas.
//
// Beside what YAML has, it knows durations ("15s"), types of strings with a few
// allowed values (Options.Values) and types that read themselves (Custom). A tag
// minimum:"1" bounds numbers and durations from below. Keys are matched exactly; a
// key that occurs twice is a mistake, and so is one that no field has, and so is the
// lack of one whose tag says neither omitempty nor omitzero.
package strictyaml
