// Package metric is the vocabulary that all other packages share: what a metric
// family is, what a sample is, and who receives samples. It imports nothing
// outside the standard library and knows nothing of Kubernetes types, of text
// formats or of how objects are read.
package metric

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Type is the OpenMetrics type of a family.
type Type string

// The types that families of this project have.
const (
	Gauge    Type = "gauge"
	Counter  Type = "counter"
	Info     Type = "info"
	StateSet Type = "stateset"
)

// Stability is the promise made about a family's name, type, labels and meaning.
type Stability string

// The levels of stability, named as Kubernetes names those of its own metrics.
const (
	// Stable families keep name, type and labels within a major version.
	Stable Stability = "STABLE"
	// Alpha families may change or go with any release.
	Alpha Stability = "ALPHA"
)

// Label is a label name and, for the reference, what its value means.
type Label struct{ Name, Doc string }

// Desc is everything about a family except how to compute it. Documentation,
// filters and HELP and TYPE lines come from it.
type Desc struct {
	Name       string
	Type       Type
	Stability  Stability
	Help       string
	Unit       string  // with which Name ends ("seconds"); empty: not told
	Labels     []Label // the family's own labels; the kind's identity labels come first
	Prefix     string  // families with labels made from a Kubernetes map: how their names begin ("label")
	AllowList  AllowList
	OptIn      bool   // off unless asked for by name
	Beyond     bool   // kube-state-metrics has no such family
	Deprecated string // the version since which the family is deprecated, such as "v2.14.0"
}

// AllowList says which allow-list of the user decides about the labels of a family.
type AllowList uint8

// The allow-lists there are.
const (
	NoAllowList AllowList = iota // all labels are shown
	Labels                       // --metric-labels-allowlist
	Annotations                  // --metric-annotations-allowlist
)

// HelpText returns the text of the HELP line, unescaped: the help itself behind
// the marks for stability and deprecation that Kubernetes components use. It
// allocates.
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

// Schema is the catalog of one kind: what documentation, filters and encoders
// need to know of it. It is immutable once made.
type Schema struct {
	Resource string // plural, as in the path of the API ("pods")
	Identity []Label
	Families []Desc

	names [][]string // per family: identity and own label names
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

// Check returns an error for everything in s that no format could write: names
// that are none, and names that occur twice.
func (s *Schema) Check() error {
	var errs []error
	families := map[string]bool{}
	for i := range s.Families {
		d := &s.Families[i]
		if families[d.Name] {
			errs = append(errs, fmt.Errorf("family %s: is there twice", d.Name))
		}
		families[d.Name] = true
		for _, err := range d.check(s.names[i]) {
			errs = append(errs, fmt.Errorf("family %s: %w", d.Name, err))
		}
	}
	return errors.Join(errs...)
}

// check returns what is wrong with a family; labels are its label names.
func (d *Desc) check(labels []string) (errs []error) {
	if !validName(strings.ReplaceAll(d.Name, ":", "_")) {
		errs = append(errs, fmt.Errorf("%q is no name; names are letters, digits, _ and :, and begin with no digit", d.Name))
	}
	switch d.Type {
	case Gauge, Counter, Info, StateSet:
	default:
		errs = append(errs, fmt.Errorf("type is %q; there are gauge, counter, info and stateset", d.Type))
	}
	if (d.AllowList != NoAllowList || d.Prefix != "") && !validLabel(d.Prefix) {
		errs = append(errs, fmt.Errorf("%q is no prefix for the names of labels; %s", d.Prefix, labelRule))
	}
	for i, l := range labels {
		switch {
		case !validLabel(l):
			errs = append(errs, fmt.Errorf("%q is no label; %s", l, labelRule))
		case slices.Contains(labels[:i], l):
			errs = append(errs, fmt.Errorf("label %s: is there twice", l))
		}
	}
	return errs
}

// labelRule says what validLabel wants.
const labelRule = "labels are letters, digits and _, and begin with no digit and not with __"

func validLabel(s string) bool { return validName(s) && !strings.HasPrefix(s, "__") }

func validName(s string) bool {
	return s != "" && safe(s) && (s[0] < '0' || s[0] > '9')
}

// LabelNames returns the names of all labels of family i that are known without
// an object, those of the identity first. The caller must not change them.
func (s *Schema) LabelNames(i int) []string { return s.names[i] }

// Float is the numeric value of a truth: 1 or 0.
func Float(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// Bool is the label value of a truth: "true" or "false".
func Bool(b bool) string {
	if b {
		return "true"
	}
	return "false"
}
