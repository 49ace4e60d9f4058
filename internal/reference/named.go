package reference

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// ExplainNamed writes what a naming scheme makes of a metric or of the metrics of a
// resource, or what it makes a metric of. The error for an unknown name suggests a
// similar one.
func ExplainNamed(w io.Writer, tables []*kind.Table, n *naming.Scheme, name string) error {
	e := newExplainer(w, tables, n)
	if t, d := findFamily(e.tables, name); d != nil {
		e.say("NAMES:\t%s\n", n.Name)
		e.family(t, d)
		return e.Flush()
	}
	if families := MadeInto(n, name); e.made(name, families) {
		return e.Flush()
	}
	i, err := findResource(e.tables, name)
	if err != nil {
		return err
	}
	if i < 0 {
		return fmt.Errorf("naming scheme %s: %w", n.Name, notFound(e.tables, name, metricsOf(n)...))
	}
	e.resource(e.tables[i], len(tables[i].Schema().Families))
	return e.Flush()
}

// resource writes what the metrics of a resource are sent as. The first own of them
// are in the reference; those that the naming scheme adds may have no rule.
func (e *explainer) resource(t *kind.Table, own int) {
	e.say("RESOURCE:\t%s\nNAMES:\t%s\n", t.Name, e.names.Name)
	for i := range t.Schema().Families {
		if d := &t.Schema().Families[i]; i < own || e.hasRule(d.Name) {
			e.family(t, d)
		}
	}
}

// made writes which families a metric is made of, and reports whether there are any.
func (e *explainer) made(name string, families []string) bool {
	found := false
	for _, family := range families {
		if t, d := findFamily(e.tables, family); d != nil {
			if !found {
				e.say("METRIC:\t%s\nNAMES:\t%s\n", name, e.names.Name)
			}
			e.family(t, d)
			found = true
		}
	}
	return found
}

// metricsOf returns the names of the metrics and service checks that a naming scheme
// makes, except those made of the values of labels.
func metricsOf(n *naming.Scheme) []string {
	var names []string
	add := func(name string) {
		if name != "" && !strings.Contains(name, "{") {
			names = append(names, n.Prefix+name)
		}
	}
	for i := range n.Rules {
		add(n.Rules[i].Metric)
		if c := n.Rules[i].Check; c != nil {
			add(c.Name)
		}
	}
	for i := range n.Aggregates {
		add(n.Aggregates[i].Metric)
		if c := n.Aggregates[i].Check; c != nil {
			add(c.Name)
		}
	}
	return names
}

func (e *explainer) hasRule(family string) bool {
	return slices.ContainsFunc(e.names.Rules, func(r naming.Rule) bool { return r.Family == family })
}

// MadeInto returns the families that a naming table makes a metric or a service
// check of, ascending. Where it passes others on it takes what would be the name of
// a family for one.
func MadeInto(n *naming.Scheme, metric string) []string {
	var families []string
	ruled := map[string]bool{}
	for i := range n.Rules {
		r := &n.Rules[i]
		ruled[r.Family] = true
		if makesOf(n, r, metric) {
			families = append(families, r.Family)
			if r.States != nil {
				families = append(families, r.States.From...)
			}
		}
	}
	if n.Rest != nil {
		rest := *n.Rest
		rest.Family = strings.TrimPrefix(metric, n.Prefix)
		if !ruled[rest.Family] && makesOf(n, &rest, metric) {
			families = append(families, rest.Family)
		}
	}
	for i := range n.Aggregates {
		a := &n.Aggregates[i]
		name := a.Metric
		if a.Check != nil {
			name = a.Check.Name
		}
		if makes(n.Prefix, name, &a.Filter, metric) {
			families = append(families, a.Family)
		}
	}
	slices.Sort(families)
	return slices.Compact(families)
}

// makesOf reports whether a rule makes a metric or a service check.
func makesOf(n *naming.Scheme, r *naming.Rule, metric string) bool {
	named := r.Check == nil || r.Metric != ""
	return named && makes(n.Prefix, cmp.Or(r.Metric, r.Family), &r.Filter, metric) ||
		r.Check != nil && makes(n.Prefix, r.Check.Name, &r.Filter, metric)
}

var variable = regexp.MustCompile(`\{[^}]*\}`)

// makes reports whether a name, in which {label} stands for the value of a label or
// for what is chosen for it, can become that of a metric.
func makes(prefix, name string, f *naming.Filter, metric string) bool {
	if !strings.Contains(name, "{") {
		return prefix+name == metric
	}
	pattern, last := regexp.QuoteMeta(prefix), 0
	for _, at := range variable.FindAllStringIndex(name, -1) {
		values := ".+"
		if chosen := f.Choose[name[at[0]+1:at[1]-1]]; chosen != nil {
			var quoted []string
			for _, v := range chosen {
				quoted = append(quoted, regexp.QuoteMeta(v))
			}
			values = strings.Join(quoted, "|")
		}
		pattern += regexp.QuoteMeta(name[last:at[0]]) + "(?:" + values + ")"
		last = at[1]
	}
	matched, err := regexp.MatchString("^"+pattern+regexp.QuoteMeta(name[last:])+"$", metric)
	return err == nil && matched
}

// family writes what a family is sent as, and what else it is used for.
func (e *explainer) family(t *kind.Table, d *metric.Desc) {
	e.say("\nFAMILY:\t%s\n", d.Name)
	found := e.sentAs(d)
	for _, use := range e.uses(d.Name) {
		found = true
		e.row("used for", use)
	}
	for i := range e.names.Aggregates {
		if a := &e.names.Aggregates[i]; a.Family == d.Name {
			found = true
			e.aggregate(a)
		}
	}
	if j, ok := e.names.Joins[d.Name]; ok {
		found = true
		e.join("adds", j)
	}
	if d.AllowList == metric.Annotations && e.annotations(t, d) {
		found = true
	}
	if !found {
		e.row("sent as", "nothing")
	}
}

// sentAs writes which series and checks a family is sent as, and reports whether there
// are any.
func (e *explainer) sentAs(d *metric.Desc) bool {
	n := e.names
	write := func(r *naming.Rule, behind string) {
		e.row("sent as", result(n, r)+behind)
		for _, note := range ruleNotes(r) {
			e.row("", note)
		}
	}
	for i := range n.Rules {
		if r := &n.Rules[i]; r.Family == d.Name {
			write(r, "")
		}
	}
	if n.Rest == nil || e.hasRule(d.Name) {
		return e.hasRule(d.Name)
	}
	rest := *n.Rest
	rest.Family = d.Name
	var conditions []string
	if d.OptIn {
		conditions = append(conditions, "if selected by --metric-opt-in-list")
	}
	switch d.AllowList {
	case metric.Labels:
		conditions = append(conditions, "with the labels selected by --metric-labels-allowlist, if any")
	case metric.Annotations:
		conditions = append(conditions, "with the annotations selected by --metric-annotations-allowlist, if any")
	case metric.NoAllowList:
	}
	write(&rest, strings.Join(append([]string{", unchanged"}, conditions...), ", "))
	return true
}

// uses returns what else rules and aggregations use a family for.
func (e *explainer) uses(family string) []string {
	n := e.names
	var uses []string
	for i := range n.Rules {
		r := &n.Rules[i]
		if r.States != nil && slices.Contains(r.States.From, family) && r.Family != family {
			uses = append(uses, fmt.Sprintf("the state of %s that is 1", result(n, r)))
		}
		if r.Start == family {
			uses = append(uses, fmt.Sprintf("the start time of %s", result(n, r)))
		}
		if r.Unless == family {
			uses = append(uses, fmt.Sprintf("omitting %s, of %s", result(n, r), r.Family))
		}
	}
	for i := range n.Aggregates {
		if a := &n.Aggregates[i]; a.Unless == family {
			uses = append(uses, fmt.Sprintf("omitting the object from %s", total(n, a)))
		}
	}
	return uses
}

// annotations writes which annotations in a family become tags, and reports whether
// any do. A kind is named as its families do, or as the API does.
func (e *explainer) annotations(t *kind.Table, d *metric.Desc) bool {
	found := false
	names := []string{strings.TrimSuffix(strings.TrimPrefix(d.Name, "kube_"), "_annotations"), t.Name, strings.ToLower(t.Kind)}
	var match []string
	for _, l := range t.Schema().Identity {
		if l.Name != "uid" {
			match = append(match, l.Name)
		}
	}
	for _, kindName := range slices.Sorted(maps.Keys(e.names.AnnotationsAsTags)) {
		if slices.Contains(names, kindName) {
			found = true
			e.row("adds", mapped(e.names.AnnotationsAsTags[kindName]), receivers(match))
		}
	}
	return found
}
