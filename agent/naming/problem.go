package naming

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/sink"
)

// Problem is an error in a Rule or an Aggregate that can be found without the catalog and
// the rest of the configuration.
type Problem struct {
	// Key is the path of the field, by JSON tags: "check.name", "where.reason[1]". Empty
	// means the rule or aggregate as a whole.
	Key string
	Err error
}

// problems collects the problems of one rule or aggregate.
type problems []Problem

func (p *problems) add(key string, err error) {
	if err != nil {
		*p = append(*p, Problem{key, err})
	}
}

// Problems validates a rule. It does not check whether families and labels exist.
func (r *Rule) Problems() []Problem {
	var p problems
	_, err := SinkType(r.Type)
	p.add("type", err)
	if r.Value != AsIs {
		p.add("value", oneOf("value", r.Value, One, Age))
	}
	p.name("metric", r.Metric)
	p.filter(&r.Filter)
	for _, label := range slices.Sorted(maps.Keys(r.Capture)) {
		if _, ok := r.Where[label]; !ok {
			p.add("capture."+label, problem.New("label without a pattern", "must also be a key of where"))
		}
	}
	p.check(r.Check)
	return p
}

// Problems validates an aggregate. It does not check whether families and labels exist.
func (a *Aggregate) Problems() []Problem {
	var p problems
	p.add("op", oneOf("operation", a.Op, Sum, Count, Min, Max, Latest))
	if (a.Check != nil) != (a.Op == Latest) {
		p.add("op", problem.Invalid("operation", string(a.Op), fmt.Sprintf("must be %s for a check, and for nothing else", Latest)))
	}
	if a.Check == nil && a.Metric == "" {
		p.add("", problem.New("neither a metric nor a check", "must have one of them"))
	}
	_, err := SinkType(a.Type)
	p.add("type", err)
	p.name("metric", a.Metric)
	p.filter(&a.Filter)
	p.check(a.Check)
	p.checkOfGroup(a)
	return p
}

// checkOfGroup rejects fields without effect: the check of an aggregate has only a name and
// a status.
func (p *problems) checkOfGroup(a *Aggregate) {
	if a.Check == nil {
		return
	}
	none := problem.New("the check of an aggregate has none", "must be left out")
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
	_, err := ParseTemplate(template)
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
		return problem.Invalid("pattern", text, "must have at most one *")
	}
	return nil
}

func (p *problems) check(c *Check) {
	if c == nil {
		return
	}
	if c.Name == "" {
		p.add("check.name", problem.New("empty name", "must name the check"))
	}
	p.name("check.name", c.Name)
	p.name("check.message", c.Message)
	_, err := SinkStatus(c.Status)
	p.add("check.status", err)
	for _, value := range slices.Sorted(maps.Keys(c.Statuses)) {
		_, err := SinkStatus(c.Statuses[value])
		p.add("check.statuses."+value, err)
	}
}

// SinkType returns the sink type for t; the default is Gauge.
func SinkType(t Type) (sink.Type, error) {
	switch t {
	case "", Gauge:
		return sink.Gauge, nil
	case Counter:
		return sink.Counter, nil
	case UpDown:
		return sink.UpDown, nil
	default:
		return 0, oneOf("type", t, Gauge, Counter, UpDown)
	}
}

// SinkStatus returns the sink status for s; the default is OK.
func SinkStatus(s Status) (sink.Status, error) {
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
		return 0, oneOf("status", s, OK, Warning, Critical, Unknown)
	}
}

// oneOf returns an error unless a value is among those allowed.
func oneOf[T ~string](thing string, value T, allowed ...T) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	names := make([]string, len(allowed))
	for i, a := range allowed {
		names[i] = string(a)
	}
	return problem.Invalid(thing, string(value), "must be one of: "+strings.Join(names, ", "))
}
