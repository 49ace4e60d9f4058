package compile

import (
	"cmp"
	"maps"
	"slices"

	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/metric"
	"github.com/kubestate/kubestate/sink"
)

// Rule is a compiled naming.Rule.
type Rule struct {
	filter
	metric *Namer // nil: no series
	Check  *Check // nil: no service check
	Value  naming.Value
	IsTime bool // the value of a sample is a time
	Start  int  // the family with the time from which it counts; -1: none
	States *States
	tags   *naming.Tags
	Own    []LabelPlan // of the family's own labels, where those are known
	Set    []sink.Tag
	Adjust func(*naming.Point) bool
}

// States is a compiled naming.States.
type States struct {
	From   []int  // families of the planned table
	Label  string // of the state
	Key    string // the tag that it becomes
	States []State
}

// State is one state, and its value in the tag.
type State struct{ Name, Shown string }

// Names returns the metric and the check of a sample, nil for none. It returns an error if
// there are too many names.
func (r *Rule) Names(p *naming.Point, scratch *[]byte) (m, check *sink.Metric, err error) {
	if r.metric != nil {
		m, err = r.metric.Metric(p, scratch)
	}
	if r.Check != nil {
		var full error
		check, full = r.Check.namer.Metric(p, scratch)
		err = cmp.Or(err, full)
	}
	return m, check, err
}

// Check is a compiled naming.Check.
type Check struct {
	*naming.Check
	namer    *Namer
	message  []naming.TemplatePart
	status   sink.Status
	statuses map[string]sink.Status
}

// StatusOf returns the status of a sample.
func (c *Check) StatusOf(p *naming.Point) sink.Status {
	if c.By != "" {
		if s, ok := c.statuses[p.Label(c.By)]; ok {
			return s
		}
	}
	return c.status
}

// AppendMessage appends the message of a sample.
func (c *Check) AppendMessage(text []byte, p *naming.Point) []byte {
	for _, part := range c.message {
		text = append(text, part.Text...)
		if part.Label != "" {
			text = append(text, p.Label(part.Label)...)
		}
	}
	return text
}

// metricOf returns the template for the metrics of a rule or aggregate.
func metricOf(prefix, name string, t naming.Type, unit, help string, d *metric.Desc) sink.Metric {
	m := sink.Metric{Name: prefix + name, Unit: unit, Help: help}
	if name == "" {
		m.Name = prefix + d.Name
	}
	if help == "" {
		m.Help = d.Help
	}
	if t == "" && d.Type == metric.Counter {
		t = naming.Counter
	}
	m.Type, _ = naming.SinkType(t) // see problems, here and below
	return m
}

func (p *compiler) compileCheck(c *naming.Check, choose map[string]map[string]string) *Check {
	x := &Check{Check: c, namer: newNamer(p.checks, sink.Metric{Name: p.scheme.Prefix + c.Name}, choose), statuses: map[string]sink.Status{}}
	x.message, _ = naming.ParseTemplate(c.Message)
	x.status, _ = naming.SinkStatus(c.Status)
	for value, status := range c.Statuses {
		x.statuses[value], _ = naming.SinkStatus(status)
	}
	return x
}

// compileRule binds a rule to a family of a planned table. A rule with a check and no
// metric makes no series.
func (p *compiler) compileRule(r *naming.Rule, f *Family) *Rule {
	c := &Rule{filter: compileFilter(&r.Filter, r.Capture), Value: r.Value, Start: -1, tags: &r.Tags, Adjust: r.Adjust}
	if r.Check != nil {
		c.Check = p.compileCheck(r.Check, r.Choose)
	}
	if r.Check == nil || r.Metric != "" {
		c.metric = newNamer(p.metrics, metricOf(p.scheme.Prefix, r.Metric, r.Type, r.Unit, r.Help, f.desc), r.Choose)
	}
	for _, key := range slices.Sorted(maps.Keys(r.Set)) {
		c.Set = append(c.Set, sink.Tag{Key: key, Value: r.Set[key]})
	}
	c.IsTime = r.Value == naming.Age || r.Check != nil && r.Check.Due
	c.Unless, c.Start = f.find(r.Unless), f.find(r.Start)
	if s := r.States; s != nil {
		plan := c.Plan(f, s.Label)
		c.States = &States{Label: s.Label, Key: plan.Key}
		for _, state := range s.Values {
			c.States.States = append(c.States.States, State{state, plan.Shown(state)})
		}
		for _, from := range s.From {
			if i := f.find(from); i >= 0 {
				c.States.From = append(c.States.From, i)
			}
		}
	}
	for _, l := range f.Own {
		c.Own = append(c.Own, c.Plan(f, l))
	}
	return c
}
