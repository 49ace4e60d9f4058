// Package strictyaml reads YAML into structs, by their JSON tags, and reports all
// problems at once: each with its line, its key and what is allowed. The same structs
// give a JSON schema. It does not know what keys mean.
//
// read.go reads a file, value.go what kind of value is at each place, schema.go makes
// schemas.
//
// Besides the types of YAML, it knows durations ("15s"), types of strings with a few
// allowed values (Options.Values) and types that read themselves (Custom). A tag
// minimum:"1" bounds numbers and durations from below, maximum:"9" from above. Keys are case-sensitive;
// duplicate and unknown keys are problems, and so is a missing key whose tag says
// neither omitempty nor omitzero. A field with the tag secret:"true" is never quoted.
package strictyaml
