package agentconf

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/agent/naming/datadog"
	"github.com/kubestate/kubestate/agent/naming/ksm"
	"github.com/kubestate/kubestate/agent/naming/otel"
	"github.com/kubestate/kubestate/internal/bounded"
	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/internal/spell"
	"github.com/kubestate/kubestate/internal/strictyaml"
)

func builtIn() map[string]func() *naming.Scheme {
	return map[string]func() *naming.Scheme{"datadog": datadog.Scheme, "ksm": ksm.Scheme, "otel": otel.Scheme}
}

// BuiltIn returns the names of the built-in naming schemes.
func BuiltIn() []string { return slices.Sorted(maps.Keys(builtIn())) }

// Table returns the naming scheme with a name of BuiltIn, or the one in a file.
func Table(nameOrFile string) (*naming.Scheme, error) {
	if table, ok := builtIn()[nameOrFile]; ok {
		return table(), nil
	}
	data, err := bounded.ReadFile(nameOrFile, bounded.Config)
	if err != nil {
		p := problem.New("unknown naming scheme "+problem.Quote(nameOrFile), fmt.Sprintf("must be one of: %s, or a readable file (%s)", strings.Join(BuiltIn(), ", "), problem.Cut(err.Error())))
		p.Hint = spell.Near(nameOrFile, BuiltIn())
		return nil, p
	}
	n := &naming.Scheme{}
	f := strictyaml.Read(nameOrFile, data, n, options())
	checkNames(f, "", n)
	return n, f.Err()
}

// Names is a naming scheme: a name of BuiltIn, the path of a file, or an inline scheme. The
// zero value is ksm.
type Names struct {
	table  *naming.Scheme // nil if not set
	inline bool
}

// NewNames returns the Names of a naming scheme.
func NewNames(table *naming.Scheme) Names { return Names{table: table} }

// Get returns the naming scheme.
func (n Names) Get() *naming.Scheme {
	if n.table == nil {
		return ksm.Scheme()
	}
	return n.table
}

// ReadYAML implements strictyaml.Custom.
func (n *Names) ReadYAML(v strictyaml.Value) {
	if v.IsMapping() {
		n.table, n.inline = &naming.Scheme{}, true
		v.Into(n.table)
		return
	}
	text, ok := v.Text()
	if !ok {
		v.Invalid("naming scheme", "must be one of: "+strings.Join(BuiltIn(), ", ")+", the path of a file, or a scheme")
		return
	}
	table, err := Table(text)
	if err != nil {
		v.Report(err)
		return
	}
	n.table = table
}

// JSONSchema implements strictyaml.Custom.
func (*Names) JSONSchema(s *strictyaml.Schemas) strictyaml.Schema {
	return strictyaml.Schema{"anyOf": []strictyaml.Schema{
		{"type": "string", "examples": slices.Clone(BuiltIn())},
		s.Of(namesType),
	}}
}
