package agentconf

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/datadog"
	"github.com/kubestate/kubestate/agent/otel"
	"github.com/kubestate/kubestate/internal/spell"
	"github.com/kubestate/kubestate/internal/strictyaml"
)

func builtIn() map[string]func() *agent.Names {
	return map[string]func() *agent.Names{"datadog": datadog.Names, "ksm": agent.KSM, "otel": otel.Names}
}

// BuiltIn returns the names of the naming tables that are part of the program.
func BuiltIn() []string { return slices.Sorted(maps.Keys(builtIn())) }

// Table returns the naming table of a name of BuiltIn, or that in a file.
func Table(nameOrFile string) (*agent.Names, error) {
	if table, ok := builtIn()[nameOrFile]; ok {
		return table(), nil
	}
	data, err := os.ReadFile(nameOrFile)
	if err != nil {
		return nil, fmt.Errorf("%q is none of %s, and no file that can be read: %w%s", nameOrFile, strings.Join(BuiltIn(), ", "), err, spell.Hint(nameOrFile, BuiltIn()))
	}
	n := &agent.Names{}
	f := strictyaml.Read(nameOrFile, data, n, options())
	checkNames(f, "", n)
	return n, f.Err()
}

// Names is a naming table, told by a name of BuiltIn, by the path of a file, or in
// place. The zero value is that of kube-state-metrics.
type Names struct {
	table  *agent.Names // nil: none told
	inline bool
}

// NewNames returns what stands for a table.
func NewNames(table *agent.Names) Names { return Names{table: table} }

// Get returns the table.
func (n Names) Get() *agent.Names {
	if n.table == nil {
		return agent.KSM()
	}
	return n.table
}

// ReadYAML implements strictyaml.Custom.
func (n *Names) ReadYAML(v strictyaml.Value) {
	if v.IsMapping() {
		n.table, n.inline = &agent.Names{}, true
		v.Into(n.table)
		return
	}
	text, ok := v.Text()
	if !ok {
		v.Wrong("want %s, the path of a file with a naming table, or a table", strings.Join(BuiltIn(), ", "))
		return
	}
	table, err := Table(text)
	if err != nil {
		for problem := range strings.SplitSeq(err.Error(), "\n") {
			v.Wrong("%s", problem)
		}
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
