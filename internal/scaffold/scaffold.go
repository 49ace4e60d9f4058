// Package scaffold writes a first custom-resource-state configuration for a
// CustomResourceDefinition, from the schema of its objects.
package scaffold

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/version"
)

// Bounds of what is looked at and written.
const (
	maxDepth   = 3  // of mappings below spec and status
	maxMetrics = 60 // a configuration that nobody reads to its end is no beginning
)

// Config returns a configuration with what most kinds have: status conditions, replicas,
// phases, timestamps and switches such as suspend. It is text to be edited.
func Config(d *apiextensionsv1.CustomResourceDefinition) ([]byte, error) {
	v := preferred(d)
	if v == nil {
		return nil, fmt.Errorf("custom resource definition %s: serves no version", d.Name)
	}
	s := &scaffold{}
	s.header(d, v)
	s.metric("created_timestamp_seconds", "Time when the object was created, in Unix seconds.", "seconds",
		"{type: Gauge, gauge: {path: [metadata, creationTimestamp]}}")
	s.metric("metadata_generation", "Generation of the object.", "", "{type: Gauge, gauge: {path: [metadata, generation]}}")
	if v.Schema != nil && v.Schema.OpenAPIV3Schema != nil {
		for _, part := range []string{"spec", "status"} {
			schema, ok := v.Schema.OpenAPIV3Schema.Properties[part]
			if ok {
				s.walk([]string{part}, &schema)
			}
		}
	}
	return s.out.Bytes(), nil
}

// Parse reads a definition in JSON.
func Parse(text []byte) (*apiextensionsv1.CustomResourceDefinition, error) {
	d := &apiextensionsv1.CustomResourceDefinition{}
	if err := json.Unmarshal(text, d); err != nil {
		return nil, fmt.Errorf("decode custom resource definition: %w", err)
	}
	if d.Kind != "CustomResourceDefinition" || d.APIVersion != "apiextensions.k8s.io/v1" {
		return nil, errors.New("not a custom resource definition: must be apiextensions.k8s.io/v1 CustomResourceDefinition")
	}
	return d, nil
}

// preferred returns the newest version that is served; nil if there is none.
func preferred(d *apiextensionsv1.CustomResourceDefinition) (best *apiextensionsv1.CustomResourceDefinitionVersion) {
	for i := range d.Spec.Versions {
		v := &d.Spec.Versions[i]
		if v.Served && (best == nil || version.CompareKubeAwareVersionStrings(v.Name, best.Name) > 0) {
			best = v
		}
	}
	return best
}

type scaffold struct {
	out     bytes.Buffer
	metrics int
}

func (s *scaffold) header(d *apiextensionsv1.CustomResourceDefinition, v *apiextensionsv1.CustomResourceDefinitionVersion) {
	first, _, _ := strings.Cut(d.Spec.Group, ".")
	labels := "name: [metadata, name]"
	if d.Spec.Scope == apiextensionsv1.NamespaceScoped {
		labels = "namespace: [metadata, namespace], " + labels
	}
	fmt.Fprintf(&s.out, `# Metrics of %s, from the schema of version %s. Remove what nobody needs, and write
# help texts. Try it with
#   kubectl get %s -A -o json | kubestate render --custom-resource-state-only --custom-resource-state-config-file FILE -
kind: CustomResourceStateMetrics
spec:
  resources:
  - groupVersionKind: {group: %s, version: %s, kind: %s}
    metricNamePrefix: %s_%s
    labelsFromPath: {%s}
    metrics:
`, d.Spec.Names.Kind, v.Name, d.Spec.Names.Plural+"."+d.Spec.Group, d.Spec.Group, v.Name, d.Spec.Names.Kind,
		strings.ReplaceAll(first, "-", "_"), strings.ToLower(d.Spec.Names.Kind), labels)
}

func (s *scaffold) metric(name, help, unit, each string) {
	if s.metrics++; s.metrics > maxMetrics {
		return
	}
	fmt.Fprintf(&s.out, "    - name: %s\n      help: %s\n", name, quoted(help))
	if unit != "" {
		fmt.Fprintf(&s.out, "      unit: %s\n", unit)
	}
	fmt.Fprintf(&s.out, "      each: %s\n", each)
}

// walk adds metrics of the fields below a path.
func (s *scaffold) walk(path []string, schema *apiextensionsv1.JSONSchemaProps) {
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		field := schema.Properties[name]
		below := append(slices.Clip(path), name)
		switch {
		case field.Type == "object" && len(path) <= maxDepth:
			s.walk(below, &field)
		case field.Type == "array" && name == "conditions" && isConditions(&field):
			s.conditions(below)
		case field.Type == "integer" && (strings.HasSuffix(strings.ToLower(name), "replicas") || name == "observedGeneration"):
			s.metric(metricName(below), help(below, &field), "", gauge(below))
		case field.Type == "boolean" && (name == "suspend" || name == "suspended" || name == "paused" || name == "pause" || name == "ready"):
			s.metric(metricName(below), help(below, &field), "", gauge(below))
		case field.Type == "string" && field.Format == "date-time":
			s.timestamp(below, &field)
		case field.Type == "string" && path[0] == "status" && (name == "phase" || name == "state"):
			s.phase(below, &field)
		}
	}
}

func gauge(path []string) string { return fmt.Sprintf("{type: Gauge, gauge: {path: %s}}", flow(path)) }

// isConditions reports whether a list has what conditions have.
func isConditions(list *apiextensionsv1.JSONSchemaProps) bool {
	if list.Items == nil || list.Items.Schema == nil {
		return false
	}
	element := list.Items.Schema.Properties
	return element["type"].Type == "string" && element["status"].Type == "string"
}

func (s *scaffold) conditions(path []string) {
	name := strings.TrimSuffix(metricName(path), "s")
	s.metric(name, "1 if the condition is true, 0 if it is false or unknown.", "",
		fmt.Sprintf("{type: Gauge, gauge: {path: %s, labelsFromPath: {type: [type]}, valueFrom: [status]}}", flow(path)))
}

func (s *scaffold) timestamp(path []string, field *apiextensionsv1.JSONSchemaProps) {
	name := strings.TrimSuffix(strings.TrimSuffix(metricName(path), "_timestamp"), "_time")
	s.metric(name+"_timestamp_seconds", help(path, field), "seconds", gauge(path))
}

// phase adds a stateset where the schema lists the phases, otherwise an info.
func (s *scaffold) phase(path []string, field *apiextensionsv1.JSONSchemaProps) {
	name, last := metricName(path), path[len(path)-1]
	var states []string
	for _, raw := range field.Enum {
		var state string
		if json.Unmarshal(raw.Raw, &state) == nil && state != "" {
			states = append(states, state)
		}
	}
	if len(states) == 0 {
		s.metric(name+"_info", help(path, field), "", fmt.Sprintf("{type: Info, info: {path: %s, labelsFromPath: {%s: []}}}", flow(path), last))
		return
	}
	s.metric(name, help(path, field), "", fmt.Sprintf("{type: StateSet, stateSet: {path: %s, labelName: %s, list: %s}}", flow(path), last, flow(states)))
}

// metricName returns a path in snake case: status_ready_replicas.
func metricName(path []string) string {
	var b strings.Builder
	for i, name := range path {
		if i > 0 {
			b.WriteByte('_')
		}
		lower := false // the last character was a lower-case letter or a digit
		for _, r := range name {
			switch {
			case unicode.IsUpper(r) && lower:
				b.WriteByte('_')
				b.WriteRune(unicode.ToLower(r))
			case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)):
				b.WriteRune(unicode.ToLower(r))
			default:
				b.WriteByte('_')
			}
			lower = unicode.IsLower(r) || unicode.IsDigit(r)
		}
	}
	return b.String()
}

// help returns the first sentence of the description, or the path.
func help(path []string, field *apiextensionsv1.JSONSchemaProps) string {
	text := strings.Join(strings.Fields(field.Description), " ")
	if i := strings.Index(text, ". "); i >= 0 {
		text = text[:i+1]
	}
	if text == "" {
		text = strings.Join(path, ".") + "."
	}
	return text
}

// flow returns a YAML list.
func flow(items []string) string {
	all := make([]string, len(items))
	for i, item := range items {
		all[i] = quoted(item)
	}
	return "[" + strings.Join(all, ", ") + "]"
}

// quoted quotes text for YAML unless it is a plain word that means itself.
func quoted(text string) string {
	plain := text != "" && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) || r > unicode.MaxASCII })
	switch strings.ToLower(text) {
	case "true", "false", "yes", "no", "on", "off", "null", "y", "n":
		plain = false
	}
	if plain {
		return text
	}
	return strconv.Quote(text)
}
