package conf

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/kubestate/kubestate/internal/agentconf"
	"github.com/kubestate/kubestate/internal/bounded"
	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/internal/strictyaml"
)

// readFile reads the configuration file. As in kube-state-metrics, its keys override
// flags, and empty lists and mappings do not. It returns the section agent; nil if
// there is none.
func (o *Options) readFile() (*agentconf.Agent, problem.List) {
	if o.Config == "" {
		return nil, nil
	}
	data, err := bounded.ReadFile(o.Config, bounded.Config)
	if err != nil {
		return nil, problem.List{{Source: "--config", What: "cannot read file", Allowed: problem.Cut(err.Error())}}
	}
	reader := agentconf.Reader{WithoutSinks: len(o.Push.Sinks) > 0, Keys: agentconf.Keys{Names: o.keys(), Read: o.readKey}}
	c, err := reader.Read(o.Config, data)
	if err != nil {
		return nil, problem.Of(err)
	}
	return c.Agent, nil
}

// keys returns the keys of the options.
func (o *Options) keys() []string {
	var keys []string
	for _, row := range o.table() {
		if isOwnKey(row.key) {
			keys = append(keys, row.key)
		}
	}
	return keys
}

// isOwnKey reports whether a key is of an option, and not of the section agent.
func isOwnKey(key string) bool { return key != "" && !strings.Contains(key, ".") }

// readKey reads the value of a key of an option.
func (o *Options) readKey(key string, v strictyaml.Value) {
	rows := o.table()
	row := rows[slices.IndexFunc(rows, func(row option) bool { return row.key == key })]
	place := problem.Problem{Source: o.Config, Line: v.Line(), Path: key}
	before := row.value.String()
	row.value.readYAML(v)
	if row.name == "config" {
		o.Config = place.Source
		o.warned = append(o.warned, place.Error()+": ignored, the path of the file is a flag")
		return
	}
	after := row.value.String()
	if o.flags[row.name] && after != before {
		o.warned = append(o.warned, fmt.Sprintf("%s: overrides --%s", place.Error(), row.name))
	}
	if after != before {
		o.file[row.name] = place
		o.unread = slices.DeleteFunc(o.unread, func(p problem.Problem) bool { return p.Source == "--"+row.name })
	}
}

// JSONSchema returns the JSON schema of the configuration file. doc returns the
// description of a field of a struct, or of the struct if field is empty.
func JSONSchema(doc func(t reflect.Type, field string) string) ([]byte, error) {
	keys := strictyaml.Schema{}
	for _, row := range New().table() {
		if isOwnKey(row.key) {
			s := strictyaml.Schema{"description": strings.ReplaceAll(row.help, "`", "") + "."}
			maps.Copy(s, row.value.schema())
			keys[row.key] = s
		}
	}
	return agentconf.JSONSchema(doc, keys)
}
