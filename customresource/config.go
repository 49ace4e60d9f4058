package customresource

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxConfig bounds the text of a configuration.
const maxConfig = 8 << 20

// Config is a custom-resource-state configuration.
type Config struct {
	Resources []Resource
	// Problems are the entries of spec.resources that could not be read. They are
	// left out of Resources.
	Problems []Problem
}

// Problem is something wrong in a configuration.
type Problem struct {
	Line int    // 0: not known
	Path string // such as "spec.resources[2].metrics[0]"
	Text string // what is wrong, and what is allowed
}

func (p Problem) Error() string {
	text := p.Path + ": " + p.Text
	if p.Line > 0 {
		text = fmt.Sprintf("line %d: %s", p.Line, text)
	}
	return text
}

// Resource is an entry of spec.resources: metrics of one kind of custom resources.
type Resource struct {
	GVK struct {
		Group, Version, Kind string
	} `yaml:"groupVersionKind"`
	Plural         string              `yaml:"resourcePlural"`
	Prefix         *string             `yaml:"metricNamePrefix"` // nil: kube_customresource
	CommonLabels   map[string]string   `yaml:"commonLabels"`
	LabelsFromPath map[string]Selector `yaml:"labelsFromPath"`
	ErrorLogV      int                 `yaml:"errorLogV"`
	Metrics        []Metric            `yaml:"metrics"`

	line int
	path string
}

// Metric is one family of a resource.
type Metric struct {
	Name           string              `yaml:"name"`
	Help           string              `yaml:"help"`
	CommonLabels   map[string]string   `yaml:"commonLabels"`
	LabelsFromPath map[string]Selector `yaml:"labelsFromPath"`
	ErrorLogV      int                 `yaml:"errorLogV"`
	Each           Each                `yaml:"each"`

	line int
}

// Each says how samples are made of an object.
type Each struct {
	Type     string `yaml:"type"` // gauge, info or stateset in any case
	Gauge    *Block `yaml:"gauge"`
	Info     *Block `yaml:"info"`
	StateSet *Block `yaml:"stateSet"`
}

// Block is what a gauge, an info or a stateset is made of. Each of them has some of
// the fields.
type Block struct {
	Path           Selector            `yaml:"path"`
	LabelsFromPath map[string]Selector `yaml:"labelsFromPath"`
	LabelFromKey   string              `yaml:"labelFromKey"` // gauge, info
	ValueFrom      Selector            `yaml:"valueFrom"`    // gauge, stateset
	NilIsZero      bool                `yaml:"nilIsZero"`    // gauge
	LabelName      string              `yaml:"labelName"`    // stateset
	List           []string            `yaml:"list"`         // stateset
}

// Selector selects a value: a list of path segments or, beyond kube-state-metrics, a
// mapping with a CEL expression, {cel: "o.spec.replicas"}.
type Selector struct {
	Path []string
	CEL  string
}

// UnmarshalYAML reads either form.
func (s *Selector) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind != yaml.MappingNode {
		return node.Decode(&s.Path)
	}
	var form struct {
		CEL string `yaml:"cel"`
	}
	if err := node.Decode(&form); err != nil {
		return err
	}
	if form.CEL == "" {
		return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: invalid path: must be a list of segments or {cel: EXPRESSION}", node.Line)}}
	}
	s.CEL = form.CEL
	return nil
}

// Parse reads the first document of a YAML or JSON text. As in kube-state-metrics,
// keys that are not known are ignored, at any level, and so are kind and apiVersion.
// An entry of spec.resources of a wrong shape is a problem of that entry alone; the
// error is about what makes the whole text unreadable.
func Parse(text []byte) (*Config, error) {
	if len(text) > maxConfig {
		return nil, fmt.Errorf("custom resource configuration of %d bytes: at most %d are allowed", len(text), maxConfig)
	}
	var document struct {
		Spec struct {
			Resources []yaml.Node `yaml:"resources"`
		} `yaml:"spec"`
	}
	err := yaml.NewDecoder(strings.NewReader(string(text))).Decode(&document)
	if errors.Is(err, io.EOF) {
		return nil, errors.New("custom resource configuration: empty document")
	}
	if err != nil {
		return nil, fmt.Errorf("custom resource configuration: %w", err)
	}
	c := &Config{}
	for i := range document.Spec.Resources {
		node := &document.Spec.Resources[i]
		r := Resource{line: node.Line, path: fmt.Sprintf("spec.resources[%d]", i)}
		if err := node.Decode((*plainResource)(&r)); err != nil {
			c.Problems = append(c.Problems, problemsOf(err, &r)...)
			continue
		}
		c.Resources = append(c.Resources, r)
	}
	return c, nil
}

// These are decoded field by field.
type (
	plainResource Resource
	plainMetric   Metric
)

// UnmarshalYAML remembers the line of a metric.
func (m *Metric) UnmarshalYAML(node *yaml.Node) error {
	m.line = node.Line
	return node.Decode((*plainMetric)(m))
}

// problemsOf returns what the YAML library found wrong with an entry.
func problemsOf(err error, r *Resource) (problems []Problem) {
	typeError, ok := errors.AsType[*yaml.TypeError](err)
	if !ok {
		return []Problem{{Line: r.line, Path: r.path, Text: err.Error()}}
	}
	for _, text := range typeError.Errors {
		p := Problem{Line: r.line, Path: r.path, Text: text}
		if n, _ := fmt.Sscanf(text, "line %d:", &p.Line); n == 1 {
			_, p.Text, _ = strings.Cut(text, ": ")
		}
		p.Text, _, _ = strings.Cut(p.Text, " into ") // the Go type means nothing to a user
		problems = append(problems, p)
	}
	return problems
}
