package compile

import (
	"maps"
	"slices"

	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/metric"
	"github.com/kubestate/kubestate/sink"
)

// Rule is a compiled Rule.
type Rule struct {
	filter
	Metric *Namer // nil: no series
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

// States is a compiled States.
type States struct {
	LabelPlan
	From   []int // families of the planned table
	Label  string
	States []string
}

// LabelPlan says what becomes of an own label.
type LabelPlan struct {
	Key    string            // the tag; empty: none
	Bound  bool              // it bears on the whole block, whether or not it is a tag
	Shared bool              // it bears on the whole block
	values map[string]string // what stands for a value in the tag
}

// Shown returns what stands for a value in the tag.
func (o *LabelPlan) Shown(value string) string {
	if text, ok := o.values[value]; ok {
		return text
	}
	return value
}

// Check is a compiled Check.
type Check struct {
	*naming.Check
	Namer    *Namer
	message  []naming.TemplatePart
	Status   sink.Status
	statuses map[string]sink.Status
}

// StatusOf returns the status of a sample.
func (c *Check) StatusOf(p *naming.Point) sink.Status {
	if c.By != "" {
		if s, ok := c.statuses[p.Label(c.By)]; ok {
			return s
		}
	}
	return c.Status
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

// metricOf returns what the metrics of a rule or aggregate have in common.
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
	x := &Check{Check: c, Namer: newNamer(p.checks, sink.Metric{Name: p.scheme.Prefix + c.Name}, choose), statuses: map[string]sink.Status{}}
	x.message, _ = naming.ParseTemplate(c.Message)
	x.Status, _ = naming.SinkStatus(c.Status)
	for value, status := range c.Statuses {
		x.statuses[value], _ = naming.SinkStatus(status)
	}
	return x
}

// compileRule binds a rule to a family of a planned table. A rule that says
// nothing of a metric, but of a check, makes no series.
func (p *compiler) compileRule(r *naming.Rule, f *Family) *Rule {
	c := &Rule{filter: compileFilter(&r.Filter, r.Capture), Value: r.Value, Start: -1, tags: &r.Tags, Adjust: r.Adjust}
	if r.Check != nil {
		c.Check = p.compileCheck(r.Check, r.Choose)
	}
	if r.Check == nil || r.Metric != "" {
		c.Metric = newNamer(p.metrics, metricOf(p.scheme.Prefix, r.Metric, r.Type, r.Unit, r.Help, f.desc), r.Choose)
	}
	for _, key := range slices.Sorted(maps.Keys(r.Set)) {
		c.Set = append(c.Set, sink.Tag{Key: key, Value: r.Set[key]})
	}
	c.IsTime = r.Value == naming.Age || r.Check != nil && r.Check.Due
	c.Unless, c.Start = f.find(r.Unless), f.find(r.Start)
	if s := r.States; s != nil {
		c.States = &States{LabelPlan: c.Plan(f, s.Label), Label: s.Label, States: s.Values}
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

// Plan says what becomes of an own label.
func (r *Rule) Plan(f *Family, label string) LabelPlan {
	key, renamed := r.tags.Rename[label]
	if !renamed {
		key = f.Mapping.Key(label)
	}
	if slices.Contains(r.tags.Drop, label) {
		key = ""
	}
	o := LabelPlan{Key: key, values: r.tags.Values[label], Bound: f.matched[label] || f.Mapping.IsOwner(label)}
	o.Shared = o.Bound || f.Mapping.shared(key)
	return o
}
