package agentconf

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/internal/spell"
	"github.com/kubestate/kubestate/internal/strictyaml"
	"github.com/kubestate/kubestate/sink"
)

// Common has the settings of every type of sink.
type Common struct {
	// Kind of sink: datadog, dogstatsd, file, otlp, remotewrite or stdout.
	Type string `json:"type"`
	// Name of the sink in metrics and in the log. Default: its type.
	Name string `json:"name,omitempty"`
	// Time from flush to flush. Default: that of the agent.
	Interval time.Duration `json:"interval,omitempty" minimum:"1s" maximum:"8760h"`
	// If given, a flush has only series that changed, and all of them once in this
	// time. Default: that of the agent.
	Heartbeat time.Duration `json:"heartbeat,omitempty" minimum:"1s" maximum:"8760h"`
	// Further tags of all series of this sink.
	Tags map[string]string `json:"tags,omitempty"`
}

func (c *Common) common() *Common { return c }

// settings are the settings of one type of sink.
type settings interface {
	common() *Common
	// check returns the problems that open does not find, by key.
	check() map[string]error
	open(e Environment) (sink.Sink, error)
}

// Environment has what sinks need in addition to their settings.
type Environment struct {
	Stdout  io.Writer
	Version string // of this program
	Logger  *slog.Logger
}

// Sink holds the settings of a sink, of whatever type.
type Sink struct{ settings }

// sinkTypes makes empty settings, by type.
func sinkTypes() map[string]func() settings {
	return map[string]func() settings{
		"datadog":     func() settings { return &Datadog{} },
		"dogstatsd":   func() settings { return &DogStatsD{} },
		"file":        func() settings { return &File{} },
		"otlp":        func() settings { return &OTLP{} },
		"remotewrite": func() settings { return &RemoteWrite{} },
		"stdout":      func() settings { return &Stdout{} },
	}
}

func sinkTypeNames() []string { return slices.Sorted(maps.Keys(sinkTypes())) }

// ReadYAML implements strictyaml.Custom.
func (s *Sink) ReadYAML(v strictyaml.Value) {
	allowed := strings.Join(sinkTypeNames(), ", ")
	if !v.IsMapping() {
		v.Invalid("sink", "must have keys with values, one of them the type: "+allowed)
		return
	}
	typ, ok := v.Key("type")
	if !ok {
		v.Report(problem.New("missing key type", "must be one of: "+allowed))
		return
	}
	name, _ := typ.Scalar()
	empty, ok := sinkTypes()[name]
	if !ok {
		p := problem.New("unknown type "+problem.Quote(name), "must be one of: "+allowed)
		p.Hint = spell.Near(name, sinkTypeNames())
		typ.Report(p)
		return
	}
	s.settings = empty()
	v.Into(s.settings)
}

// JSONSchema implements strictyaml.Custom.
func (*Sink) JSONSchema(s *strictyaml.Schemas) strictyaml.Schema {
	var types []strictyaml.Schema
	for _, name := range sinkTypeNames() {
		t := reflect.TypeOf(sinkTypes()[name]()).Elem()
		types = append(types, strictyaml.Schema{
			"if":   strictyaml.Schema{"properties": strictyaml.Schema{"type": strictyaml.Schema{"const": name}}},
			"then": s.Of(t),
		})
	}
	return strictyaml.Schema{
		"type":       "object",
		"required":   []string{"type"},
		"properties": strictyaml.Schema{"type": strictyaml.Schema{"enum": sinkTypeNames()}},
		"allOf":      types,
	}
}

// Output is a sink that can be opened, with its interval and heartbeat.
type Output struct {
	Name                string
	Interval, Heartbeat time.Duration

	sink Sink
}

// Open opens the sink. The error lists all problems.
func (r *Output) Open(e Environment) (sink.Sink, error) {
	s, err := r.sink.open(e)
	if err != nil {
		return nil, fmt.Errorf("sink %s: %w", r.Name, err)
	}
	return s, nil
}

// tagsOf returns tags sorted by key.
func tagsOf(m map[string]string) []sink.Tag {
	var tags []sink.Tag
	for _, key := range slices.Sorted(maps.Keys(m)) {
		tags = append(tags, sink.Tag{Key: key, Value: m[key]})
	}
	return tags
}
