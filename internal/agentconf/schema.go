package agentconf

import (
	"reflect"

	"github.com/kubestate/kubestate/internal/strictyaml"
)

const schemaID = "https://kubestate.github.io/kubestate/"

// JSONSchema returns the JSON schema of the configuration file. doc says what there
// is to say of the field of a struct, or of the struct where field is empty.
func JSONSchema(doc func(t reflect.Type, field string) string) ([]byte, error) {
	s := &strictyaml.Schemas{Values: values(), Optional: optional(), Doc: doc}
	return s.Document(reflect.TypeFor[Config](), schemaID+"config.schema.json", "configuration of kubestate")
}

// NamesJSONSchema returns the JSON schema of a file with a naming table.
func NamesJSONSchema(doc func(t reflect.Type, field string) string) ([]byte, error) {
	s := &strictyaml.Schemas{Values: values(), Optional: optional(), Doc: doc}
	return s.Document(namesType, schemaID+"names.schema.json", "naming table of kubestate")
}
