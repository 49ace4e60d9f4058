package agent

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kubestate/kubestate/sink"
)

// Problem is something that is wrong with a Rule or an Aggregate in itself,
// whatever the catalog holds and whatever is read.
type Problem struct {
	// Key is where, in the words of the JSON tags: "check.name", "where.reason[1]".
	// Empty: what is wrong is no single field.
	Key string
	Err error
}

// problems collects those of one rule or aggregate.
type problems []Problem

func (p *problems) add(key string, err error) {
	if err != nil {
		*p = append(*p, Problem{key, err})
	}
}

// Problems returns what is wrong with a rule in itself. Whether its families and
// labels exist is not looked at.
func (r *Rule) Problems() []Problem {
	var p problems
	_, err := typeOf(r.Type)
	p.add("type", err)
	if r.Value != AsIs && r.Value != One && r.Value != Age {
		p.add("value", fmt.Errorf("%q: want %s, %s or nothing", r.Value, One, Age))
	}
	p.name("metric", r.Metric)
	p.filter(&r.Filter)
	for _, label := range slices.Sorted(maps.Keys(r.Capture)) {
		if _, ok := r.Where[label]; !ok {
			p.add("capture."+label, errors.New("where says nothing of this label"))
		}
	}
	p.check(r.Check)
	return p
}

// Problems returns what is wrong with an aggregate in itself. Whether its families
// and labels exist is not looked at.
func (a *Aggregate) Problems() []Problem {
	var p problems
	if !slices.Contains([]Op{Sum, Count, Min, Max, Latest}, a.Op) {
		p.add("op", fmt.Errorf("%q: want %s, %s, %s, %s or %s", a.Op, Sum, Count, Min, Max, Latest))
	}
	if (a.Check != nil) != (a.Op == Latest) {
		p.add("op", fmt.Errorf("%q: want %s for a check, and for nothing else", a.Op, Latest))
	}
	if a.Check == nil && a.Metric == "" {
		p.add("", errors.New("has no metric"))
	}
	_, err := typeOf(a.Type)
	p.add("type", err)
	p.name("metric", a.Metric)
	p.filter(&a.Filter)
	p.check(a.Check)
	p.checkOfGroup(a)
	return p
}

// checkOfGroup finds what a check of a group says in vain: it is a status under a
// name.
func (p *problems) checkOfGroup(a *Aggregate) {
	if a.Check == nil {
		return
	}
	none := errors.New("the check of a group has none")
	if a.Metric != "" {
		p.add("metric", none)
	}
	if a.Check.Message != "" {
		p.add("check.message", none)
	}
	if a.Check.Due {
		p.add("check.due", none)
	}
}

func (p *problems) name(key, template string) {
	_, err := parseTemplate(template)
	p.add(key, err)
}

func (p *problems) filter(f *Filter) {
	for _, label := range slices.Sorted(maps.Keys(f.Where)) {
		for i, text := range f.Where[label] {
			p.add(fmt.Sprintf("where.%s[%d]", label, i), checkPattern(text))
		}
	}
	for _, label := range slices.Sorted(maps.Keys(f.Choose)) {
		for _, text := range slices.Sorted(maps.Keys(f.Choose[label])) {
			p.add("choose."+label+"."+text, checkPattern(text))
		}
	}
}

func checkPattern(text string) error {
	if strings.Count(text, "*") > 1 {
		return fmt.Errorf("%q has more than one *, want one or none", text)
	}
	return nil
}

func (p *problems) check(c *Check) {
	if c == nil {
		return
	}
	if c.Name == "" {
		p.add("check.name", errors.New("want a name"))
	}
	p.name("check.name", c.Name)
	p.name("check.message", c.Message)
	_, err := statusOf(c.Status)
	p.add("check.status", err)
	for _, value := range slices.Sorted(maps.Keys(c.Statuses)) {
		_, err := statusOf(c.Statuses[value])
		p.add("check.statuses."+value, err)
	}
}

// typeOf returns the type of a metric; without one it is Gauge.
func typeOf(t Type) (sink.Type, error) {
	switch t {
	case "", Gauge:
		return sink.Gauge, nil
	case Counter:
		return sink.Counter, nil
	case UpDown:
		return sink.UpDown, nil
	default:
		return 0, fmt.Errorf("%q: want %s, %s or %s", t, Gauge, Counter, UpDown)
	}
}

func statusOf(s Status) (sink.Status, error) {
	switch s {
	case "", OK:
		return sink.OK, nil
	case Warning:
		return sink.Warning, nil
	case Critical:
		return sink.Critical, nil
	case Unknown:
		return sink.Unknown, nil
	default:
		return 0, fmt.Errorf("%q: want %s, %s, %s or %s", s, OK, Warning, Critical, Unknown)
	}
}

// problems returns what is wrong with the rules and aggregates of a table and a
// configuration, also with those of which nothing is read.
func (p *planner) problems() []error {
	var errs []error
	tell := func(what string, all []Problem) {
		for _, problem := range all {
			if problem.Key != "" {
				problem.Err = fmt.Errorf("%s: %w", problem.Key, problem.Err)
			}
			errs = append(errs, fmt.Errorf("%s: %w", what, problem.Err))
		}
	}
	for i := range p.names.Rules {
		tell("rule for "+p.names.Rules[i].Family, p.names.Rules[i].Problems())
	}
	if p.names.Rest != nil {
		tell("rule for the rest", p.names.Rest.Problems())
	}
	for _, list := range [][]Aggregate{p.names.Aggregates, p.config.Aggregates} {
		for i := range list {
			tell("aggregate of "+list[i].Family, list[i].Problems())
		}
	}
	return errs
}
