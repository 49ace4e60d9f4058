package compile

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// Config is the input of the compiler.
type Config struct {
	Scheme *naming.Scheme
	Kinds  []*kind.Table // nil: kind.Defaults and Scheme.Resources
	// Keep selects among the families without a rule; nil selects all that are not opt-in.
	Keep func(*metric.Desc) bool

	Labels, Annotations             map[string][]string
	Joins                           map[string]naming.Join
	LabelsAsTags, AnnotationsAsTags map[string]map[string]string
	LabelsMapper                    map[string]string
	Aggregates                      []naming.Aggregate

	// AggregatesOnly compiles nothing but the aggregations that need all Pods;
	// OmitClusterAggregates leaves those out.
	AggregatesOnly, OmitClusterAggregates bool
	// Reads returns the fields that are read from objects of a resource in addition; nil: none.
	Reads func(resource string) []string
	// Ignore is called for each reference to an unknown family or kind; nil makes it an
	// error.
	Ignore func(error)
	Now    func() time.Time
}

// Compile returns the program of a configuration. The error lists everything that is
// wrong with the configuration.
func Compile(c *Config) (*Program, error) {
	p := &compiler{
		config: c, scheme: c.Scheme, program: &Program{}, metrics: newRegistry(), checks: newRegistry(),
		mappings: newMappings(c.Scheme, c.LabelsMapper),
	}
	p.tables = p.candidates()
	p.extendTables()
	p.known = p.knownFamilies()
	p.declared = declaredLabels(p.tables)
	p.errs = append(p.errs, p.problems()...)
	p.chooseRules()
	p.chooseTotals()
	p.chooseJoins()
	p.compileJoins()
	for _, t := range p.tables {
		if err := p.planTable(t); err != nil {
			p.errs = append(p.errs, err)
		}
	}
	if len(p.errs) == 0 && len(p.program.Tables) == 0 {
		p.errs = append(p.errs, p.nothing())
	}
	if len(p.errs) > 0 {
		return nil, errors.Join(p.errs...)
	}
	return p.program, nil
}

// compiler determines which families are needed and for what, so that nothing else is
// collected, and compiles their rules.
type compiler struct {
	config   *Config
	scheme   *naming.Scheme
	program  *Program
	metrics  *registry
	checks   *registry // separate, because a check may have the name of a metric
	mappings *mappings
	tables   []*kind.Table                  // candidates, ascending by name
	known    map[string]*kind.Table         // all that exist, by family
	rules    map[string][]*naming.Rule      // by family
	totals   map[string][]*naming.Aggregate // by family
	joins    map[string]naming.Join         // by family
	tracked  map[string][]string            // families that the Tracker emits, by resource
	declared map[string]bool                // labels that families declare
	errs     []error
}

// nothing returns the error for a program that would send nothing.
func (p *compiler) nothing() error {
	mode := ""
	if p.config.AggregatesOnly {
		mode = " in pod mode cluster_aggregates_only"
	}
	return fmt.Errorf("nothing to send: naming scheme %s has no series for %s%s", p.scheme.Name, strings.Join(kind.Names(p.tables), ", "), mode)
}

// unknown records a reference to an unknown family or kind.
func (p *compiler) unknown(format string, args ...any) {
	err := fmt.Errorf(format, args...)
	if p.config.Ignore != nil {
		p.config.Ignore(err)
		return
	}
	p.errs = append(p.errs, err)
}

// knownFamilies returns the table of each family that exists, whether or not it is read.
func (p *compiler) knownFamilies() map[string]*kind.Table {
	known := map[string]*kind.Table{}
	for _, t := range append(p.existing(), p.tables...) {
		for i := range t.Schema().Families {
			known[t.Schema().Families[i].Name] = t
		}
	}
	return known
}

// candidates returns the tables to read, ascending by name.
func (p *compiler) candidates() []*kind.Table {
	tables := slices.Clone(p.config.Kinds)
	if p.config.Kinds == nil {
		for _, t := range kind.All() {
			if !t.NotDefault || slices.Contains(p.scheme.Resources, t.Name) {
				tables = append(tables, t)
			}
		}
	}
	slices.SortStableFunc(tables, func(a, b *kind.Table) int { return strings.Compare(a.Name, b.Name) })
	for i := 1; i < len(tables); i++ {
		if tables[i].Name == tables[i-1].Name {
			p.errs = append(p.errs, fmt.Errorf("duplicate resource %s", tables[i].Name))
		}
	}
	return tables
}

// existing returns all tables of the catalog, with the families of the Tracker: a naming
// scheme may refer to tables that are not read.
func (p *compiler) existing() []*kind.Table {
	tables := kind.All()
	if p.scheme.Tracker == nil {
		return tables
	}
	t := p.scheme.Tracker(p.config.Now)
	for i := range tables {
		if extended, err := t.Extend(tables[i]); err == nil { // an error is told of what is read
			tables[i] = extended
		}
	}
	return tables
}

// extendTables adds the families of the Tracker.
func (p *compiler) extendTables() {
	p.tracked = map[string][]string{}
	if p.scheme.Tracker == nil || p.config.AggregatesOnly {
		return
	}
	t := p.scheme.Tracker(p.config.Now)
	p.program.Tracker = t
	for i, table := range p.tables {
		extended, err := t.Extend(table)
		if err != nil {
			p.errs = append(p.errs, err)
			continue
		}
		if extended == table {
			continue
		}
		names := []string{}
		for _, d := range extended.Schema().Families[len(table.Schema().Families):] {
			names = append(names, d.Name)
		}
		p.tables[i], p.tracked[table.Name] = extended, names
	}
}

// chooseRules selects the rules in effect.
func (p *compiler) chooseRules() {
	p.rules = map[string][]*naming.Rule{}
	if p.config.AggregatesOnly {
		return
	}
	for i := range p.scheme.Rules {
		r := &p.scheme.Rules[i]
		if p.known[r.Family] == nil {
			p.unknown("rule: family %q does not exist", r.Family)
			continue
		}
		p.rules[r.Family] = append(p.rules[r.Family], r)
	}
}

// chooseTotals selects the aggregates in effect.
func (p *compiler) chooseTotals() {
	p.totals = map[string][]*naming.Aggregate{}
	c := p.config
	add := func(list []naming.Aggregate) {
		for i := range list {
			a := &list[i]
			switch {
			case c.AggregatesOnly && !a.Cluster:
			case c.OmitClusterAggregates && a.Cluster:
			case p.known[a.Family] == nil:
				p.unknown("aggregate: family %q does not exist", a.Family)
			default:
				p.totals[a.Family] = append(p.totals[a.Family], a)
			}
		}
	}
	add(p.scheme.Aggregates)
	add(c.Aggregates)
}

// rulesOf returns the rules of a family, including Scheme.Rest.
func (p *compiler) rulesOf(t *kind.Table, d *metric.Desc) []*naming.Rule {
	if rules := p.rules[d.Name]; len(rules) > 0 {
		return rules
	}
	keep := p.config.Keep
	if keep == nil {
		keep = func(d *metric.Desc) bool { return !d.OptIn }
	}
	if p.scheme.Rest == nil || p.config.AggregatesOnly || !keep(d) || !p.shows(t, d) {
		return nil
	}
	rest := *p.scheme.Rest
	rest.Family = d.Name
	return []*naming.Rule{&rest}
}

// shows reports whether a family that needs an allow-list has one.
func (p *compiler) shows(t *kind.Table, d *metric.Desc) bool {
	switch d.AllowList {
	case metric.Labels:
		return len(patternsOf(p.config.Labels, t.Name)) > 0
	case metric.Annotations:
		return len(patternsOf(p.config.Annotations, t.Name)) > 0
	default:
		return true
	}
}

func patternsOf(lists map[string][]string, resource string) []string {
	if all, ok := lists["*"]; ok {
		return all
	}
	return lists[resource]
}

// needed returns the families of a table that are used.
func (p *compiler) needed(t *kind.Table) map[string]bool {
	names := map[string]bool{}
	s := t.Schema()
	for i := range s.Families {
		d := &s.Families[i]
		rules, totals := p.rulesOf(t, d), p.totals[d.Name]
		if len(rules)+len(totals) > 0 || p.program.joinOf(d.Name) != nil {
			names[d.Name] = true
		}
		for _, r := range rules {
			names[r.Unless], names[r.Start] = true, true
			if r.States != nil {
				for _, from := range r.States.From {
					names[from] = true
				}
			}
		}
		for _, a := range totals {
			names[a.Unless] = true
		}
	}
	return names
}

// planTable plans a table and adds its resource to the program, unless nothing is made of
// it.
func (p *compiler) planTable(t *kind.Table) error {
	names := p.needed(t)
	for _, name := range p.tracked[t.Name] {
		names[name] = true // its row says what the Tracker reads
	}
	o := kind.Options{
		Keep:        func(d *metric.Desc) bool { return names[d.Name] },
		Labels:      patternsOf(p.config.Labels, t.Name),
		Annotations: patternsOf(p.config.Annotations, t.Name),
	}
	s := t.Schema()
	for i := range s.Families {
		d := &s.Families[i]
		j := p.program.joinOf(d.Name)
		counted := len(p.rules[d.Name])+len(p.totals[d.Name]) > 0
		switch {
		case j == nil && !counted:
		case d.AllowList == metric.Labels:
			wantLabels(j, d.Prefix, &o.Labels, &o.LabelNames)
		case d.AllowList == metric.Annotations:
			wantLabels(j, d.Prefix, &o.Annotations, &o.AnnotationNames)
		}
	}
	if p.config.Reads != nil {
		o.Reads = p.config.Reads(t.Name)
	}
	planned, err := t.Plan(o)
	if err != nil {
		return err
	}
	if len(planned.Schema().Families) == 0 {
		return nil
	}
	p.addResource(planned)
	return nil
}

// wantLabels adds the labels that a join gets to those that a family exposes. A family that
// is only counted needs its sample, for which a name that no key yields is enough.
func wantLabels(j *Join, prefix string, keys, names *[]string) {
	if j == nil {
		*names = append(*names, "")
		return
	}
	if j.All {
		*keys = []string{"*"}
	}
	for _, label := range slices.Sorted(maps.Keys(j.get)) {
		if name, ok := strings.CutPrefix(label, prefix+"_"); ok {
			*names = append(*names, name)
		}
	}
}

func (p *compiler) addResource(t *kind.Table) {
	s := t.Schema()
	r := &Resource{Number: len(p.program.Resources), Table: t, Families: make([]Family, len(s.Families)), Tracked: map[string]*Family{}}
	for _, l := range s.Identity {
		r.Identity = append(r.Identity, l.Name)
	}
	if e := p.mappings.entity(t.Name); e != nil && e.UID != "" {
		r.UID = !slices.Contains(r.Identity, UIDLabel)
	}
	for i := range s.Families {
		f := &r.Families[i]
		*f = p.family(t, &s.Families[i], s.LabelNames(i)[len(s.Identity):])
		f.Source = p.program.joinOf(f.desc.Name)
		p.compileFamily(t, f)
	}
	for _, name := range p.tracked[t.Name] {
		for i := range r.Families {
			if f := &r.Families[i]; f.desc.Name == name {
				r.Tracked[name] = f
			}
		}
	}
	p.program.Resources = append(p.program.Resources, r)
	p.program.Tables = append(p.program.Tables, t)
}

func (p *compiler) family(t *kind.Table, d *metric.Desc, own []string) Family {
	f := Family{
		desc: d, schema: t.Schema(), IDs: len(t.Schema().Identity), Own: own,
		Mapping: p.mappings.of(t.Name, d.Name), matched: map[string]bool{},
	}
	for _, match := range p.program.Matches {
		if p.coverable(match, labelsOf(t, d)) {
			for _, l := range match {
				f.matched[l] = true
			}
		}
	}
	f.Brought = p.brought(t, &f)
	f.Mapping.Ambiguous = f.Mapping.alike(keyLabels(t))
	return f
}

func (p *compiler) compileFamily(t *kind.Table, f *Family) {
	for _, r := range p.rulesOf(t, f.desc) {
		f.Rules = append(f.Rules, p.compileRule(r, f))
	}
	for _, a := range p.totals[f.desc.Name] {
		f.Aggregations = append(f.Aggregations, p.compileAggregate(a, f))
	}
}

// problems validates the rules and aggregates of a naming scheme and a configuration,
// including those for resources that are not read.
func (p *compiler) problems() []error {
	var errs []error
	report := func(of string, all []naming.Problem) {
		for _, one := range all {
			for _, what := range problem.Of(one.Err) {
				errs = append(errs, problem.List{what.At(one.Key)}.From(of))
			}
		}
	}
	for i := range p.scheme.Rules {
		report("rule for "+p.scheme.Rules[i].Family, p.scheme.Rules[i].Problems())
	}
	if p.scheme.Rest != nil {
		report("rule for the rest", p.scheme.Rest.Problems())
	}
	for _, list := range [][]naming.Aggregate{p.scheme.Aggregates, p.config.Aggregates} {
		for i := range list {
			report("aggregate of "+list[i].Family, list[i].Problems())
		}
	}
	return errs
}
