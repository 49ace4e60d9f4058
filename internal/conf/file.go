package conf

import (
	"errors"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/kubestate/kubestate/internal/agentconf"
	"github.com/kubestate/kubestate/internal/bounded"
	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/internal/spell"
	"github.com/kubestate/kubestate/internal/strictyaml"
)

// readFile reads the configuration file. As in kube-state-metrics, its keys override
// flags, except those that are null, or empty lists or mappings; scalars need no quotes, and
// unknown keys are ignored. The section agent is read strictly; readFile returns it, nil if
// there is none.
func (o *Options) readFile() (*agentconf.Agent, problem.List) {
	if o.Config == "" {
		return nil, nil
	}
	data, err := bounded.ReadFile(o.Config, bounded.Config)
	if errors.Is(err, fs.ErrNotExist) && o.ContinueWithoutConfig {
		o.warned = append(o.warned, "--config: "+problem.Cut(err.Error())+"; continuing without it")
		return nil, nil
	}
	if err != nil {
		return nil, problem.List{{Source: "--config", What: "cannot read file", Allowed: problem.Cut(err.Error())}}
	}
	reader := agentconf.Reader{WithoutSinks: len(o.Push.Sinks) > 0, Keys: agentconf.Keys{Names: o.keys(), Read: o.readKey, Unknown: o.ignoreKey}}
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
		if row.oldKey != "" {
			keys = append(keys, row.oldKey)
		}
	}
	return append(keys, helpKey)
}

// helpKey is a key of kube-state-metrics without a meaning in a file.
const helpKey = "help"

// isOwnKey reports whether a key is of an option, and not of the section agent.
func isOwnKey(key string) bool { return key != "" && !strings.Contains(key, ".") }

// readKey reads the value of a key of an option.
func (o *Options) readKey(key string, v strictyaml.Value) {
	place := problem.Problem{Source: o.Config, Line: v.Line(), Path: key}
	v = v.Leniently()
	switch {
	case v.IsNull():
		return
	case key == helpKey:
		v.Into(new(bool))
		return
	}
	rows := o.table()
	row := rows[slices.IndexFunc(rows, func(row option) bool { return row.key == key || row.oldKey == key })]
	before := row.value.String()
	row.value.readYAML(v)
	if row.name == "config" {
		o.Config = place.Source
		o.warn(place, "ignored, the path of the file is a flag")
		return
	}
	if key == row.oldKey {
		o.warn(place, "deprecated; use "+row.key)
	}
	after := row.value.String()
	if o.flags[row.name] && after != before {
		o.warn(place, "overrides --"+row.name)
	}
	if after != before {
		o.file[row.name] = place
		o.unread = slices.DeleteFunc(o.unread, func(p problem.Problem) bool { return p.Source == "--"+row.name })
	}
}

// ignoreKey warns about an unknown key.
func (o *Options) ignoreKey(key string, v strictyaml.Value) {
	names := append(o.keys(), "agent")
	o.warn(problem.Problem{Source: o.Config, Line: v.Line()}, "unknown key "+problem.Quote(key)+", ignored"+spell.Hint(key, names))
}

// warn adds a warning about a key of the file.
func (o *Options) warn(place problem.Problem, what string) {
	o.warned = append(o.warned, place.Error()+": "+what)
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
