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

	"github.com/kubestate/kubestate/internal/spell"
	"github.com/kubestate/kubestate/internal/strictyaml"
	"github.com/kubestate/kubestate/sink"
)

// Common is what all sinks can be told.
type Common struct {
	// Kind of sink: datadog, dogstatsd, file, otlp, remotewrite or stdout.
	Type string `json:"type"`
	// Name of the sink in metrics and in the log. Default: its type.
	Name string `json:"name,omitempty"`
	// Time from run to run. Default: that of the agent.
	Interval time.Duration `json:"interval,omitempty" minimum:"1s"`
	// If given, a run has only what changed, and everything once in this time.
	// Default: that of the agent.
	Heartbeat time.Duration `json:"heartbeat,omitempty" minimum:"1s"`
	// Further tags of everything that this sink sends.
	Tags map[string]string `json:"tags,omitempty"`
}

func (c *Common) common() *Common { return c }

// settings are those of one type of sink.
type settings interface {
	common() *Common
	// check returns what is wrong that open does not tell, by key.
	check() map[string]error
	open(e Environment) (sink.Sink, error)
}

// Environment is what sinks are given beside their settings.
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
		v.Wrong("want the settings of a sink, its type among them: %s", allowed)
		return
	}
	typ, ok := v.Key("type")
	if !ok {
		v.Wrong("has no type; want one of: %s", allowed)
		return
	}
	name, _ := typ.Scalar()
	empty, ok := sinkTypes()[name]
	if !ok {
		typ.Wrong("%q is unknown, want one of: %s%s", name, allowed, spell.Hint(name, sinkTypeNames()))
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

// Receiver is a sink that may be opened, and at what pace it is served.
type Receiver struct {
	Name                string
	Interval, Heartbeat time.Duration

	sink Sink
}

// Open returns the sink. The error names everything that is wrong with it.
func (r *Receiver) Open(e Environment) (sink.Sink, error) {
	s, err := r.sink.open(e)
	if err != nil {
		return nil, fmt.Errorf("sink %s: %w", r.Name, err)
	}
	return s, nil
}

// tagsOf returns tags in the order of their keys.
func tagsOf(m map[string]string) []sink.Tag {
	var tags []sink.Tag
	for _, key := range slices.Sorted(maps.Keys(m)) {
		tags = append(tags, sink.Tag{Key: key, Value: m[key]})
	}
	return tags
}
