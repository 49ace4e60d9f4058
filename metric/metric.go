// Package metric is the vocabulary that all other packages share: metric families,
// samples, and the sinks that receive them. It imports only the standard library and
// does not know Kubernetes types, text formats or where objects come from.
package metric

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Type is the OpenMetrics type of a family.
type Type string

// Types of families.
const (
	Gauge    Type = "gauge"
	Counter  Type = "counter"
	Info     Type = "info"
	StateSet Type = "stateset"
)

// Stability is the promise about a family's name, type, labels and meaning.
type Stability string

// Stability levels, named as in Kubernetes.
const (
	// Stable families keep name, type and labels within a major version.
	Stable Stability = "STABLE"
	// Alpha families may change or disappear in any release.
	Alpha Stability = "ALPHA"
)

// Label is the name of a label and, for the reference, the meaning of its value.
type Label struct{ Name, Doc string }

// Desc describes a family, except how to compute it. Documentation, filters, and HELP
// and TYPE lines are derived from it.
type Desc struct {
	Name       string
	Type       Type
	Stability  Stability
	Help       string
	Unit       string  // suffix of Name ("seconds"); empty: none
	Labels     []Label // the family's own labels; the kind's identity labels come first
	Prefix     string  // for families with labels from a Kubernetes map: prefix of their names ("label")
	AllowList  AllowList
	OptIn      bool   // off unless asked for by name
	Shared     bool   // other resources may have a family of the same name and type
	Beyond     bool   // not in kube-state-metrics
	Deprecated string // version in which the family was deprecated, such as "v2.14.0"
}

// AllowList says which allowlist of the user selects the labels of a family.
type AllowList uint8

// Allowlists.
const (
	NoAllowList AllowList = iota // all labels are exposed
	Labels                       // --metric-labels-allowlist
	Annotations                  // --metric-annotations-allowlist
)

// HelpText returns the text of the HELP line, unescaped: the help, prefixed with
// stability and deprecation as in Kubernetes components. It allocates.
func (d *Desc) HelpText() string {
	text := d.Help
	if d.Deprecated != "" {
		text = "(Deprecated since " + d.Deprecated + ") " + text
	}
	if d.Stability == Stable {
		text = "[STABLE] " + text
	}
	return text
}

// Schema is the catalog of one kind for documentation, filters and encoders. It is
// immutable.
type Schema struct {
	Resource string // plural, as in API paths ("pods")
	Identity []Label
	Families []Desc

	names [][]string // identity and own label names by family
}

// NewSchema returns the schema of a resource.
func NewSchema(resource string, identity []Label, families []Desc) *Schema {
	s := &Schema{Resource: resource, Identity: identity, Families: families}
	s.names = make([][]string, len(families))
	for i := range families {
		names := make([]string, 0, len(identity)+len(families[i].Labels))
		for _, l := range identity {
			names = append(names, l.Name)
		}
		for _, l := range families[i].Labels {
			names = append(names, l.Name)
		}
		s.names[i] = names
	}
	return s
}

// Check returns an error for every invalid or duplicate name in s.
func (s *Schema) Check() error {
	var errs []error
	families := map[string]bool{}
	for i := range s.Families {
		d := &s.Families[i]
		if families[d.Name] {
			errs = append(errs, fmt.Errorf("duplicate family %s", d.Name))
		}
		families[d.Name] = true
		for _, err := range d.check(s.names[i]) {
			errs = append(errs, fmt.Errorf("family %s: %w", d.Name, err))
		}
	}
	return errors.Join(errs...)
}

// check returns the problems of a family; labels are its label names.
func (d *Desc) check(labels []string) (errs []error) {
	if !validName(strings.ReplaceAll(d.Name, ":", "_")) {
		errs = append(errs, fmt.Errorf("invalid name %q: must consist of letters, digits, _ and :, and not start with a digit", d.Name))
	}
	switch d.Type {
	case Gauge, Counter, Info, StateSet:
	default:
		errs = append(errs, fmt.Errorf("invalid type %q: must be gauge, counter, info or stateset", d.Type))
	}
	if (d.AllowList != NoAllowList || d.Prefix != "") && !validLabel(d.Prefix) {
		errs = append(errs, fmt.Errorf("invalid label prefix %q: %s", d.Prefix, labelRule))
	}
	for i, l := range labels {
		switch {
		case !validLabel(l):
			errs = append(errs, fmt.Errorf("invalid label %q: %s", l, labelRule))
		case slices.Contains(labels[:i], l):
			errs = append(errs, fmt.Errorf("duplicate label %s", l))
		}
	}
	return errs
}

// labelRule describes validLabel.
const labelRule = "must consist of letters, digits and _, and not start with a digit or __"

func validLabel(s string) bool { return validName(s) && !strings.HasPrefix(s, "__") }

func validName(s string) bool {
	return s != "" && safe(s) && (s[0] < '0' || s[0] > '9')
}

// LabelNames returns the names of all labels of family i that are known without an
// object, identity labels first. The caller must not change them.
func (s *Schema) LabelNames(i int) []string { return s.names[i] }

// Float converts a boolean to a sample value, 1 or 0.
func Float(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// Bool converts a boolean to a label value, "true" or "false".
func Bool(b bool) string {
	if b {
		return "true"
	}
	return "false"
}
