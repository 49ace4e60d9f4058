package agentconf

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/internal/spell"
	"github.com/kubestate/kubestate/internal/strictyaml"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

var namesType = reflect.TypeFor[naming.Scheme]()

// checker reports semantic problems of a file.
type checker struct {
	file      *strictyaml.File
	resources []string
	families  []string
	known     map[string]knownFamily
}

// knownFamily describes a family of the catalog.
type knownFamily struct {
	resource string
	labels   []string
	prefix   string // of further labels; empty if there are none
}

func newChecker(f *strictyaml.File, names *naming.Scheme) *checker {
	c := &checker{file: f, resources: kind.Names(kind.All()), known: map[string]knownFamily{}}
	for _, t := range kind.All() {
		s := t.Schema()
		for i := range s.Families {
			d := &s.Families[i]
			c.families = append(c.families, d.Name)
			k := knownFamily{resource: t.Name, labels: s.LabelNames(i)}
			if d.Prefix != "" {
				k.prefix = d.Prefix + "_"
				k.labels = slices.Concat(k.labels, []string{k.prefix + "*"}) // for errors; those of the schema are shared
			}
			c.known[d.Name] = k
		}
	}
	for i := range names.Rules { // a naming scheme may have families of its own
		c.families = append(c.families, names.Rules[i].Family)
	}
	return c
}

// checkNames checks a naming scheme at a path of a file.
func checkNames(f *strictyaml.File, path string, n *naming.Scheme) {
	c := newChecker(f, &naming.Scheme{})
	at := func(key string) string { return strings.TrimPrefix(path+"."+key, ".") }
	c.resourceList(at("resources"), n.Resources)
	for i := range n.Rules {
		r := &n.Rules[i]
		rule := at(fmt.Sprintf("rules[%d]", i))
		c.family(rule+".family", r.Family)
		if r.Family == "" {
			f.Report(rule, problem.New("missing key family", ""))
		}
		c.rule(rule, r)
	}
	if n.Rest != nil {
		c.rule(at("rest"), n.Rest)
	}
	c.aggregates(at("aggregates"), n.Aggregates)
	c.joins(at("joins"), n.Joins)
	for _, family := range slices.Sorted(maps.Keys(n.AlwaysGet)) {
		c.family(at("alwaysGet."+family), family)
		c.list(at("alwaysGet."+family), family, n.AlwaysGet[family])
	}
	for i, e := range n.Entities {
		if e.Resource != kubestate.AllResources {
			c.exists(at(fmt.Sprintf("entities[%d].resource", i)), "resource", e.Resource, c.resources)
		}
	}
	c.asTags(at("annotationsAsTags"), metric.Annotations, n.AnnotationsAsTags)
}

// rule checks a rule, except its family.
func (c *checker) rule(path string, r *naming.Rule) {
	c.problems(path, r.Problems())
	c.filter(path, r.Family, &r.Filter)
	c.sibling(path+".start", r.Family, r.Start)
	s := r.States
	if s == nil {
		c.labels(path, r) // with states, some are labels of the other families
	} else {
		for i, family := range s.From {
			from := fmt.Sprintf("%s.states.from[%d]", path, i)
			c.sibling(from, r.Family, family)
			if c.file.Sound(from) {
				c.label(path+".states.label", family, s.Label)
			}
		}
	}
}

// labels checks the labels that a rule names.
func (c *checker) labels(path string, r *naming.Rule) {
	c.template(path+".metric", r.Family, r.Metric)
	c.check(path+".check", r.Family, r.Check)
	c.list(path+".drop", r.Family, r.Drop)
	c.keys(path+".rename", r.Family, slices.Sorted(maps.Keys(r.Rename)))
	c.keys(path+".values", r.Family, slices.Sorted(maps.Keys(r.Values)))
}

// problems reports what is wrong with the values themselves.
func (c *checker) problems(path string, all []naming.Problem) {
	for _, p := range all {
		at := strings.TrimSuffix(path+"."+p.Key, ".")
		if c.file.Has(at) && (p.Key == "" || c.file.Sound(at)) { // else it was reported before
			c.file.Report(at, p.Err)
		}
	}
}

func (c *checker) filter(path, family string, f *naming.Filter) {
	c.sibling(path+".unless", family, f.Unless)
	c.keys(path+".where", family, slices.Sorted(maps.Keys(f.Where)))
	c.keys(path+".choose", family, slices.Sorted(maps.Keys(f.Choose)))
}

// sibling checks a family that must be of the same resource as another, because it is
// looked up among the samples of one object.
func (c *checker) sibling(path, of, name string) {
	c.family(path, name)
	a, known := c.known[of]
	if b, also := c.known[name]; known && also && a.resource != b.resource {
		c.file.Report(path, problem.New(fmt.Sprintf("family %s of resource %s", name, b.resource), fmt.Sprintf("must be a family of %s, as %s is", a.resource, of)))
	}
}

// label checks a label that samples of a family should have. Families that are not in the
// catalog can have any label.
func (c *checker) label(path, family, name string) {
	k, known := c.known[family]
	if known && !slices.Contains(k.labels, name) && (k.prefix == "" || !strings.HasPrefix(name, k.prefix)) {
		p := missing("label", name, k.labels)
		p.What = fmt.Sprintf("family %s has no label %s", family, problem.Quote(name))
		c.file.Report(path, p)
	}
}

// list checks labels that samples of a family should have.
func (c *checker) list(path, family string, labels []string) {
	for i, label := range labels {
		c.label(fmt.Sprintf("%s[%d]", path, i), family, label)
	}
}

// keys checks labels that are map keys, likewise.
func (c *checker) keys(path, family string, labels []string) {
	for _, label := range labels {
		c.label(path+"."+label, family, label)
	}
}

// template checks the labels in a template with {label} placeholders.
func (c *checker) template(path, family, text string) {
	for {
		_, behind, _ := strings.Cut(text, "{")
		label, rest, closed := strings.Cut(behind, "}")
		if !closed || label == "" {
			return // Problems reports the rest
		}
		c.label(path, family, label)
		text = rest
	}
}

func (c *checker) check(path, family string, check *naming.Check) {
	if check == nil {
		return
	}
	c.template(path+".name", family, check.Name)
	c.template(path+".message", family, check.Message)
	if check.By != "" {
		c.label(path+".by", family, check.By)
	}
}

func (c *checker) exists(path, what, name string, names []string) {
	if !slices.Contains(names, name) && c.file.Has(path) { // a missing key was reported before
		c.file.Report(path, missing(what, name, names))
	}
}

// maxNames is the maximum number of names that an error lists.
const maxNames = 60

// missing returns the problem that a name is not one of the existing ones.
func missing(what, name string, names []string) problem.Problem {
	p := problem.New(fmt.Sprintf("%s %s does not exist", what, problem.Quote(name)), "")
	if len(names) <= maxNames {
		p.Allowed = "must be one of: " + strings.Join(names, ", ")
	}
	p.Hint = spell.Near(name, names)
	return p
}

func (c *checker) family(path, name string) { c.exists(path, "family", name, c.families) }

func (c *checker) resourceList(path string, names []string) {
	for i, name := range names {
		at := fmt.Sprintf("%s[%d]", path, i)
		c.exists(at, "resource", name, c.resources)
		if slices.Index(names, name) != i {
			c.file.Report(at, problem.New("duplicate resource "+problem.Quote(name), "must be listed once"))
		}
	}
}

// keyPatterns checks patterns by resource, as in allow-lists.
func (c *checker) keyPatterns(path string, lists map[string][]string) {
	for _, resource := range slices.Sorted(maps.Keys(lists)) {
		if resource != kubestate.AllResources {
			c.exists(path+"."+resource, "resource", resource, c.resources)
		}
		for i, key := range lists[resource] {
			if strings.Count(key, "*") > 1 {
				c.file.Report(fmt.Sprintf("%s.%s[%d]", path, resource, i), problem.Invalid("pattern", key, "must have at most one *"))
			}
		}
	}
}

func (c *checker) joins(path string, joins map[string]naming.Join) {
	for _, family := range slices.Sorted(maps.Keys(joins)) {
		c.family(path+"."+family, family)
		j := joins[family]
		if len(j.Match) > 0 && len(j.Get) == 0 && !j.All && len(j.Tags) == 0 {
			c.file.Report(path+"."+family, problem.New("join without labels", "must have get, or all: true"))
		}
		c.list(path+"."+family+".match", family, j.Match)
		for i, label := range j.Get {
			if label != "*" {
				c.label(fmt.Sprintf("%s.%s.get[%d]", path, family, i), family, label)
			}
		}
		tags := slices.Sorted(maps.Keys(j.Tags))
		c.keys(path+"."+family+".tags", family, tags)
		for _, label := range tags {
			if j.Tags[label] == "" {
				c.file.Report(path+"."+family+".tags."+label, emptyTag())
			}
		}
	}
}

func (c *checker) aggregates(path string, aggregates []naming.Aggregate) {
	for i := range aggregates {
		a, at := &aggregates[i], fmt.Sprintf("%s[%d]", path, i)
		c.family(at+".family", a.Family)
		c.problems(at, a.Problems())
		c.filter(at, a.Family, &a.Filter)
		c.template(at+".metric", a.Family, a.Metric)
		c.check(at+".check", a.Family, a.Check)
		if !a.Joined { // joins can add any label
			c.list(at+".by", a.Family, a.By)
		}
	}
}

func emptyTag() problem.Problem { return problem.New("empty tag", "must be the name of a tag") }

// asTags checks the kinds in the settings for labels or annotations as tags.
func (c *checker) asTags(path string, list metric.AllowList, tags map[string]map[string]string) {
	var kinds []string
	for _, t := range kind.All() {
		for i := range t.Schema().Families {
			if d := &t.Schema().Families[i]; d.AllowList == list {
				kinds = append(kinds, strings.TrimSuffix(strings.TrimPrefix(d.Name, "kube_"), "_"+d.Prefix+"s"))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		c.exists(path+"."+name, "kind", name, kinds)
		for _, key := range slices.Sorted(maps.Keys(tags[name])) {
			if tags[name][key] == "" {
				c.file.Report(path+"."+name+"."+key, emptyTag())
			}
		}
	}
}

// check checks the section of the agent, except its sinks.
func (a *Agent) check(f *strictyaml.File) {
	c := newChecker(f, a.Names.Get())
	if a.Names.inline {
		checkNames(f, "agent.names", a.Names.table)
	}
	c.resourceList("agent.resources", a.Resources)
	c.keyPatterns("agent.labels", a.Labels)
	c.keyPatterns("agent.annotations", a.Annotations)
	c.joins("agent.joins", a.Joins)
	c.asTags("agent.labelsAsTags", metric.Labels, a.LabelsAsTags)
	c.asTags("agent.annotationsAsTags", metric.Annotations, a.AnnotationsAsTags)
	c.aggregates("agent.aggregates", a.Aggregates)
	a.LeaderElection.check(f)
}

func (l LeaderElection) check(f *strictyaml.File) {
	l.FillDefaults()
	const path = "agent.leaderElection"
	if l.LeaseDuration%leaseUnit != 0 {
		f.Report(path+".leaseDuration", problem.Invalid("duration", l.LeaseDuration.String(), "must be whole seconds"))
	}
	if l.RenewDeadline >= l.LeaseDuration {
		f.Report(path+".renewDeadline", problem.Invalid("duration", l.RenewDeadline.String(), "must be less than leaseDuration, "+l.LeaseDuration.String()))
	}
	if l.RetryPeriod >= l.RenewDeadline {
		f.Report(path+".retryPeriod", problem.Invalid("duration", l.RetryPeriod.String(), "must be less than renewDeadline, "+l.RenewDeadline.String()))
	}
}
