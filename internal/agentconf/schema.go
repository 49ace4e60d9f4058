package agentconf

import (
	"reflect"

	"github.com/kubestate/kubestate/internal/strictyaml"
)

const schemaID = "https://kubestate.github.io/kubestate/"

// JSONSchema returns the JSON schema of the configuration file. doc returns the
// description of a field of a struct, or of the struct if field is empty. keys are the
// schemas of keys besides agent.
func JSONSchema(doc func(t reflect.Type, field string) string, keys strictyaml.Schema) ([]byte, error) {
	s := &strictyaml.Schemas{Values: values(), Optional: optional(), Doc: doc}
	return s.Document(reflect.TypeFor[Config](), schemaID+"config.schema.json", "configuration of kubestate", keys)
}

// NamesJSONSchema returns the JSON schema of a file with a naming scheme.
func NamesJSONSchema(doc func(t reflect.Type, field string) string) ([]byte, error) {
	s := &strictyaml.Schemas{Values: values(), Optional: optional(), Doc: doc}
	return s.Document(namesType, schemaID+"names.schema.json", "naming scheme of kubestate", nil)
}
