package customresource

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/metric"
)

// maxConfig bounds a document, in bytes.
const maxConfig = 8 << 20

// Source is a document of a configuration, in YAML or JSON.
type Source struct {
	Name string // in messages: the path of a file, or a flag
	Text []byte
}

// Config is a compiled custom-resource-state configuration. It is immutable and safe for
// concurrent use.
type Config struct {
	// Resources are the entries of spec.resources of all documents, in their order,
	// without those that are invalid.
	Resources []*Resource
	// Problems are about invalid entries and invalid metrics, which Resources lacks.
	Problems problem.List
}

// Resource is an entry of spec.resources: metrics of one kind of custom resources, or
// with wildcards of several kinds.
type Resource struct {
	GVK struct {
		Group, Version, Kind string
	} `yaml:"groupVersionKind"`
	Plural         string              `yaml:"resourcePlural"`
	Prefix         *string             `yaml:"metricNamePrefix"` // nil: kube_customresource
	LabelSelector  string              `yaml:"labelSelector"`    // empty: all objects
	CommonLabels   map[string]string   `yaml:"commonLabels"`
	LabelsFromPath map[string]Selector `yaml:"labelsFromPath"`
	ErrorLogV      int                 `yaml:"errorLogV"`
	Metrics        []Metric            `yaml:"metrics"`

	at       place
	text     string                              // of the entry, in YAML
	admits   func(labels map[string]string) bool // nil: all
	families []*family
}

// Metric is one family of a resource.
type Metric struct {
	Name           string              `yaml:"name"`
	Help           string              `yaml:"help"`
	Unit           Unit                `yaml:"unit"`
	CommonLabels   map[string]string   `yaml:"commonLabels"`
	LabelsFromPath map[string]Selector `yaml:"labelsFromPath"`
	ErrorLogV      int                 `yaml:"errorLogV"`
	Each           Each                `yaml:"each"`
}

// Each says how samples are computed from an object.
type Each struct {
	Type     string `yaml:"type"` // gauge, info or stateset in any case
	Gauge    *Block `yaml:"gauge"`
	Info     *Block `yaml:"info"`
	StateSet *Block `yaml:"stateSet"`
}

// Block configures a gauge, an info or a stateset. Each of them has some of the fields.
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

// Parse reads and compiles documents, of each the first of its stream. As in
// kube-state-metrics, unknown keys are ignored at any level, and so are kind and
// apiVersion. An invalid entry of spec.resources is a problem of that entry alone, and an
// invalid metric of that metric. The error is about documents that cannot be read at all;
// the others are in the Config, which is never nil.
func Parse(sources ...Source) (*Config, error) { return ParseNextTo(nil, sources...) }

// ParseNextTo is Parse for where families of other resources are served, too: a metric with
// the name of one of them must have its type and unit.
func ParseNextTo(taken []metric.Desc, sources ...Source) (*Config, error) {
	c := &Config{}
	var unreadable problem.List
	for _, s := range sources {
		entries, err := s.entries()
		if err != nil {
			unreadable = append(unreadable, problem.Problem{Source: s.Name, What: err.Error()})
			continue
		}
		for i := range entries {
			c.add(s.Name, i, &entries[i])
		}
	}
	c.compile(taken)
	return c, unreadable.Err()
}

// entries returns the nodes of spec.resources.
func (s *Source) entries() ([]yaml.Node, error) {
	if len(s.Text) > maxConfig {
		return nil, fmt.Errorf("document of %d bytes: must be at most %d", len(s.Text), maxConfig)
	}
	var document struct {
		Spec struct {
			Resources []yaml.Node `yaml:"resources"`
		} `yaml:"spec"`
	}
	err := yaml.NewDecoder(strings.NewReader(string(s.Text))).Decode(&document)
	if errors.Is(err, io.EOF) {
		return nil, errors.New("empty document: must have spec.resources")
	}
	return document.Spec.Resources, err
}

// Families returns the families of all entries, each once. A nil Config has none.
func (c *Config) Families() (all []metric.Desc) {
	if c == nil {
		return nil
	}
	seen := map[string]bool{}
	for _, r := range c.Resources {
		for _, f := range r.families {
			if !seen[f.desc.Name] {
				seen[f.desc.Name] = true
				all = append(all, f.desc)
			}
		}
	}
	return all
}

// Groups returns the API groups of the entries, sorted, each once.
func (c *Config) Groups() []string {
	groups := make([]string, len(c.Resources))
	for i, r := range c.Resources {
		groups[i] = r.GVK.Group
	}
	slices.Sort(groups)
	return slices.Compact(groups)
}

// add decodes an entry.
func (c *Config) add(source string, i int, node *yaml.Node) {
	r := &Resource{at: place{source: source, line: node.Line, path: fmt.Sprintf("spec.resources[%d]", i), node: node}}
	if err := node.Decode(r); err != nil {
		c.Problems = append(c.Problems, r.at.wrongShape(err)...)
		return
	}
	if text, err := yaml.Marshal(node); err == nil { // it was decoded
		r.text = string(text)
	}
	c.Resources = append(c.Resources, r)
}

// place is a value in a document.
type place struct {
	source string
	line   int
	path   string
	node   *yaml.Node // nil once all is compiled
}

// in returns the place of the value at keys below p; if the document lacks it, the line is
// that of what would contain it.
func (p place) in(keys ...string) place {
	for _, key := range keys {
		p.path = problem.Join(p.path, key)
		p.node = childOf(p.node, key)
	}
	p.line = p.node.Line
	return p
}

// childOf returns the value of a key, such as name or [3]; the node itself if there is none.
func childOf(node *yaml.Node, key string) *yaml.Node {
	for node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if index, ok := strings.CutPrefix(key, "["); ok {
		i, err := strconv.Atoi(strings.TrimSuffix(index, "]"))
		if err == nil && node.Kind == yaml.SequenceNode && i < len(node.Content) {
			return node.Content[i]
		}
		return node
	}
	if node.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == key {
				return node.Content[i+1]
			}
		}
	}
	return node
}

// wrong returns a problem at the place.
func (p place) wrong(what, allowed string) problem.Problem {
	return problem.Problem{Source: p.source, Line: p.line, Path: p.path, What: what, Allowed: allowed}
}

// wrongShape returns what the YAML library found wrong with an entry.
func (p place) wrongShape(err error) (problems problem.List) {
	typeError, ok := errors.AsType[*yaml.TypeError](err)
	if !ok {
		return problem.List{p.wrong(strings.TrimPrefix(err.Error(), "yaml: "), "")}
	}
	for _, text := range typeError.Errors {
		at := p.wrong(text, "")
		if n, _ := fmt.Sscanf(text, "line %d:", &at.Line); n == 1 {
			_, at.What, _ = strings.Cut(text, ": ")
		}
		var goType string
		at.What, goType, _ = strings.Cut(at.What, " into ")
		at.What = strings.Replace(at.What, "cannot unmarshal !!", "invalid ", 1)
		at.Allowed = allowedFor(goType)
		problems = append(problems, at)
	}
	return problems
}

// allowedFor says what YAML a Go type is read from.
func allowedFor(goType string) string {
	switch {
	case goType == "":
		return ""
	case goType == "int":
		return "must be a whole number"
	case goType == "bool":
		return "must be true or false"
	case goType == "string":
		return "must be text"
	case strings.HasPrefix(goType, "[]"):
		return "must be a list"
	default:
		return "must be a mapping"
	}
}
