package agent

import (
	"maps"
	"slices"

	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/metric"
	"github.com/kubestate/kubestate/sink"
)

// rule is a compiled Rule.
type rule struct {
	filter
	metric *namer // nil: no series
	check  *check // nil: no service check
	value  naming.Value
	isTime bool // the value of a sample is a time
	start  int  // the family with the time from which it counts; -1: none
	states *states
	tags   *naming.Tags
	own    []labelPlan // of the family's own labels, where those are known
	set    []sink.Tag
	adjust func(*naming.Point) bool
}

// states is a compiled States.
type states struct {
	labelPlan
	from   []int // families of the planned table
	label  string
	states []string
}

// labelPlan says what becomes of an own label.
type labelPlan struct {
	key    string            // the tag; empty: none
	bound  bool              // it bears on the whole block, whether or not it is a tag
	shared bool              // it bears on the whole block
	values map[string]string // what stands for a value in the tag
}

// shown returns what stands for a value in the tag.
func (o *labelPlan) shown(value string) string {
	if text, ok := o.values[value]; ok {
		return text
	}
	return value
}

// check is a compiled Check.
type check struct {
	*naming.Check
	name     *namer
	message  []naming.TemplatePart
	status   sink.Status
	statuses map[string]sink.Status
}

// statusOf returns the status of a sample.
func (c *check) statusOf(p *naming.Point) sink.Status {
	if c.By != "" {
		if s, ok := c.statuses[p.Label(c.By)]; ok {
			return s
		}
	}
	return c.status
}

// appendMessage appends the message of a sample.
func (c *check) appendMessage(text []byte, p *naming.Point) []byte {
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

func (p *compiler) compileCheck(c *naming.Check, choose map[string]map[string]string) *check {
	x := &check{Check: c, name: newNamer(p.checks, sink.Metric{Name: p.scheme.Prefix + c.Name}, choose), statuses: map[string]sink.Status{}}
	x.message, _ = naming.ParseTemplate(c.Message)
	x.status, _ = naming.SinkStatus(c.Status)
	for value, status := range c.Statuses {
		x.statuses[value], _ = naming.SinkStatus(status)
	}
	return x
}

// compileRule binds a rule to a family of a planned table. A rule that says
// nothing of a metric, but of a check, makes no series.
func (p *compiler) compileRule(r *naming.Rule, f *family) *rule {
	c := &rule{filter: compileFilter(&r.Filter, r.Capture), value: r.Value, start: -1, tags: &r.Tags, adjust: r.Adjust}
	if r.Check != nil {
		c.check = p.compileCheck(r.Check, r.Choose)
	}
	if r.Check == nil || r.Metric != "" {
		c.metric = newNamer(p.metrics, metricOf(p.scheme.Prefix, r.Metric, r.Type, r.Unit, r.Help, f.desc), r.Choose)
	}
	for _, key := range slices.Sorted(maps.Keys(r.Set)) {
		c.set = append(c.set, sink.Tag{Key: key, Value: r.Set[key]})
	}
	c.isTime = r.Value == naming.Age || r.Check != nil && r.Check.Due
	c.unless, c.start = f.find(r.Unless), f.find(r.Start)
	if s := r.States; s != nil {
		c.states = &states{labelPlan: c.plan(f, s.Label), label: s.Label, states: s.Values}
		for _, from := range s.From {
			if i := f.find(from); i >= 0 {
				c.states.from = append(c.states.from, i)
			}
		}
	}
	for _, l := range f.own {
		c.own = append(c.own, c.plan(f, l))
	}
	return c
}

// plan says what becomes of an own label.
func (r *rule) plan(f *family, label string) labelPlan {
	key, renamed := r.tags.Rename[label]
	if !renamed {
		key = f.mapping.key(label)
	}
	if slices.Contains(r.tags.Drop, label) {
		key = ""
	}
	o := labelPlan{key: key, values: r.tags.Values[label], bound: f.matched[label] || f.mapping.isOwner(label)}
	o.shared = o.bound || f.mapping.shared(key)
	return o
}
