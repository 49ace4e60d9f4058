package agent

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/kubestate/kubestate/metric"
	"github.com/kubestate/kubestate/sink"
)

// rule is a compiled Rule.
type rule struct {
	filter
	metric *namer // nil: no series
	check  *check // nil: no service check
	value  Value
	start  int // the family with the time from which it counts; -1: none
	states *states
	tags   *Tags
	own    []ownPlan // of the family's own labels, where those are known
	set    []sink.Tag
	adjust func(*Point) bool
}

// states is a compiled States.
type states struct {
	from   []int // families of the planned table
	label  string
	values []string
}

// ownPlan says what becomes of an own label.
type ownPlan struct {
	key    string // the tag; empty: none
	bound  bool   // it bears on the whole block, whether or not it is a tag
	shared bool   // it bears on the whole block
	values map[string]string
}

// check is a compiled Check.
type check struct {
	*Check
	name     *namer
	message  []namePart
	status   sink.Status
	statuses map[string]sink.Status
}

// statusOf returns the status of a sample.
func (c *check) statusOf(p *Point) sink.Status {
	if c.By != "" {
		if s, ok := c.statuses[p.Label(c.By)]; ok {
			return s
		}
	}
	return c.status
}

// appendMessage appends the message of a sample.
func (c *check) appendMessage(text []byte, p *Point) []byte {
	for _, part := range c.message {
		text = append(text, part.text...)
		if part.label != "" {
			text = append(text, p.Label(part.label)...)
		}
	}
	return text
}

// metricOf returns what the metrics of a rule or aggregate have in common.
func metricOf(prefix, name string, t Type, unit, help string, d *metric.Desc) (sink.Metric, error) {
	m := sink.Metric{Name: prefix + name, Unit: unit, Help: help}
	if name == "" {
		m.Name = prefix + d.Name
	}
	if help == "" {
		m.Help = d.Help
	}
	switch t {
	case "":
		if d.Type == metric.Counter {
			m.Type = sink.Counter
		}
	case Gauge:
	case Counter:
		m.Type = sink.Counter
	case UpDown:
		m.Type = sink.UpDown
	default:
		return m, fmt.Errorf("type %q: want %s, %s or %s", t, Gauge, Counter, UpDown)
	}
	return m, nil
}

func compileStatus(s Status) (sink.Status, error) {
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
		return 0, fmt.Errorf("status %q: want %s, %s, %s or %s", s, OK, Warning, Critical, Unknown)
	}
}

func (p *planner) compileCheck(c *Check, choose map[string]map[string]string) (*check, error) {
	status, err1 := compileStatus(c.Status)
	name, err2 := newNamer(p.checks, sink.Metric{Name: p.names.Prefix + c.Name}, choose)
	message, err3 := parseTemplate(c.Message)
	errs := []error{err1, err2, err3}
	statuses := map[string]sink.Status{}
	for _, value := range slices.Sorted(maps.Keys(c.Statuses)) {
		s, err := compileStatus(c.Statuses[value])
		errs = append(errs, err)
		statuses[value] = s
	}
	if c.Name == "" {
		errs = append(errs, errors.New("check: has no name"))
	}
	return &check{Check: c, name: name, message: message, status: status, statuses: statuses}, errors.Join(errs...)
}

// compileRule binds a rule to a family of a planned table. A rule that says
// nothing of a metric, but of a check, makes no series.
func (p *planner) compileRule(r *Rule, f *family) (*rule, error) {
	fail := func(err error) error { return fmt.Errorf("rule for %s: %w", f.desc.Name, err) }
	c := &rule{value: r.Value, start: -1, tags: &r.Tags, adjust: r.Adjust}
	var errs []error
	if r.Value != AsIs && r.Value != One && r.Value != Age {
		errs = append(errs, fmt.Errorf("value %q: want %s, %s or nothing", r.Value, One, Age))
	}
	var err error
	c.filter, err = compileFilter(&r.Filter, r.Capture)
	errs = append(errs, err)
	if r.Check != nil {
		c.check, err = p.compileCheck(r.Check, r.Choose)
		errs = append(errs, err)
	}
	if r.Check == nil || r.Metric != "" {
		like, err1 := metricOf(p.names.Prefix, r.Metric, r.Type, r.Unit, r.Help, f.desc)
		var err2 error
		c.metric, err2 = newNamer(p.metrics, like, r.Choose)
		errs = append(errs, err1, err2)
	}
	for _, key := range slices.Sorted(maps.Keys(r.Set)) {
		c.set = append(c.set, sink.Tag{Key: key, Value: r.Set[key]})
	}
	c.unless, c.start = f.find(r.Unless), f.find(r.Start)
	if s := r.States; s != nil {
		c.states = &states{label: s.Label, values: s.Values}
		for _, from := range s.From {
			if i := f.find(from); i >= 0 {
				c.states.from = append(c.states.from, i)
			}
		}
	}
	for _, l := range f.own {
		c.own = append(c.own, c.plan(f, l))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fail(err)
	}
	return c, nil
}

// plan says what becomes of an own label.
func (r *rule) plan(f *family, label string) ownPlan {
	key, renamed := r.tags.Rename[label]
	if !renamed {
		key = f.mapping.key(label)
	}
	if slices.Contains(r.tags.Drop, label) {
		key = ""
	}
	o := ownPlan{key: key, values: r.tags.Values[label], bound: f.matched[label] || f.mapping.isOwner(label)}
	o.shared = o.bound || f.mapping.shared(key)
	return o
}
