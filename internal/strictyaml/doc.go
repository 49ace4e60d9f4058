// Package strictyaml reads YAML into structs, by their JSON tags, and reports all
// problems at once, each with its line, its key and what is allowed. The same structs
// yield a JSON schema. It does not know what keys mean.
//
// read.go reads a file, value.go reads values, schema.go builds schemas.
//
// In addition to YAML types, it supports durations ("15s"), strings with a set of allowed
// values (Options.Values) and types that read themselves (Custom). Tags
// minimum:"1" and maximum:"9" are bounds of numbers and durations. Keys are case-sensitive.
// Duplicate and unknown keys are problems, and so is a missing key without omitempty or
// omitzero in its tag. A field with the tag secret:"true" is never quoted.
package strictyaml
