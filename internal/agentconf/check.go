package agentconf

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/internal/spell"
	"github.com/kubestate/kubestate/internal/strictyaml"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

var namesType = reflect.TypeFor[agent.Names]()

// checker tells a file what is wrong beyond its form.
type checker struct {
	file      *strictyaml.File
	resources []string
	families  []string
}

func newChecker(f *strictyaml.File, names *agent.Names) *checker {
	c := &checker{file: f, resources: kind.Names(kind.All())}
	for _, t := range kind.All() {
		for i := range t.Schema().Families {
			c.families = append(c.families, t.Schema().Families[i].Name)
		}
	}
	for i := range names.Rules { // a naming table may have families of its own
		c.families = append(c.families, names.Rules[i].Family)
	}
	return c
}

// checkNames checks a table that stands at a path of a file.
func checkNames(f *strictyaml.File, path string, n *agent.Names) {
	c := newChecker(f, &agent.Names{})
	at := func(key string) string { return strings.TrimPrefix(path+"."+key, ".") }
	c.resourceList(at("resources"), n.Resources)
	for i := range n.Rules {
		r := &n.Rules[i]
		rule := at(fmt.Sprintf("rules[%d]", i))
		c.family(rule+".family", r.Family)
		if r.Family == "" {
			f.Wrong(rule, "the key family is missing")
		}
		if s := r.States; s != nil {
			for j, family := range s.From {
				c.family(fmt.Sprintf("%s.states.from[%d]", rule, j), family)
			}
		}
	}
	c.aggregates(at("aggregates"), n.Aggregates)
	c.joins(at("joins"), n.Joins)
	c.asTags(at("annotationsAsTags"), metric.Annotations, n.AnnotationsAsTags)
}

func (c *checker) exists(path, what, name string, names []string) {
	if slices.Contains(names, name) || !c.file.Has(path) { // that it is missing was told before
		return
	}
	hint := ""
	if near := spell.Nearest(name, names); near != "" {
		hint = "; did you mean " + near + "?"
	}
	list := "; there are: " + strings.Join(names, ", ")
	if len(names) > 60 { // more than one reads
		list = ""
	}
	c.file.Wrong(path, "%s %q does not exist%s%s", what, name, list, hint)
}

func (c *checker) family(path, name string) { c.exists(path, "family", name, c.families) }

func (c *checker) resourceList(path string, names []string) {
	for i, name := range names {
		at := fmt.Sprintf("%s[%d]", path, i)
		c.exists(at, "resource", name, c.resources)
		if slices.Index(names, name) != i {
			c.file.Wrong(at, "resource %s is there twice", name)
		}
	}
}

// keyPatterns checks patterns by resource, as allow-lists have them.
func (c *checker) keyPatterns(path string, lists map[string][]string) {
	for _, resource := range slices.Sorted(maps.Keys(lists)) {
		if resource != kubestate.AllResources {
			c.exists(path+"."+resource, "resource", resource, c.resources)
		}
		for i, key := range lists[resource] {
			if strings.Count(key, "*") > 1 {
				c.file.Wrong(fmt.Sprintf("%s.%s[%d]", path, resource, i), "%q has more than one *, want one or none", key)
			}
		}
	}
}

func (c *checker) joins(path string, joins map[string]agent.Join) {
	for _, family := range slices.Sorted(maps.Keys(joins)) {
		c.family(path+"."+family, family)
		if j := joins[family]; len(j.Match) > 0 && len(j.Get) == 0 && !j.All && len(j.Tags) == 0 {
			c.file.Wrong(path+"."+family, "gets no labels; want get, or all: true")
		}
	}
}

func (c *checker) aggregates(path string, aggregates []agent.Aggregate) {
	for i := range aggregates {
		c.family(fmt.Sprintf("%s[%d].family", path, i), aggregates[i].Family)
	}
}

// asTags checks the kinds of labels or annotations as tags.
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
				c.file.Wrong(path+"."+name+"."+key, "want the name of the tag")
			}
		}
	}
}

// check checks the section of the agent.
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
	a.checkSinks(f)
}

func (l LeaderElection) check(f *strictyaml.File) {
	l.FillDefaults()
	const path = "agent.leaderElection"
	if l.LeaseDuration%leaseUnit != 0 {
		f.Wrong(path+".leaseDuration", "%s: want whole seconds", l.LeaseDuration)
	}
	if l.RenewDeadline >= l.LeaseDuration {
		f.Wrong(path+".renewDeadline", "%s: want less than the lease duration, %s", l.RenewDeadline, l.LeaseDuration)
	}
	if l.RetryPeriod >= l.RenewDeadline {
		f.Wrong(path+".retryPeriod", "%s: want less than the renew deadline, %s", l.RetryPeriod, l.RenewDeadline)
	}
}

func (a *Agent) checkSinks(f *strictyaml.File) {
	first := map[string]int{}
	for i, s := range a.Sinks {
		if s.settings == nil {
			continue // it could not be read
		}
		path := fmt.Sprintf("agent.sinks[%d]", i)
		s.checkAt(f, path)
		common := s.common()
		interval, heartbeat := a.paceOf(common)
		if heartbeat != 0 && heartbeat < interval {
			f.Wrong(path+".heartbeat", "%s is less than the interval, %s; want more, or none", heartbeat, interval)
		}
		if common.Name != "" {
			if j, twice := first[common.Name]; twice {
				f.Wrong(path+".name", "sinks[%d] has the name %q already", j, common.Name)
			} else {
				first[common.Name] = i
			}
		}
	}
}

// checkAt tells a file what is wrong with the sink that stands at a path. To find
// out it is opened, as far as that has no effect.
func (s Sink) checkAt(f *strictyaml.File, path string) {
	problems := s.check()
	for _, key := range slices.Sorted(maps.Keys(problems)) {
		if at := strings.TrimPrefix(path+"."+key, "."); f.Has(at) { // else it was told that it is missing
			f.WrongAll(at, problems[key])
		}
	}
	switch s.settings.(type) {
	case *File, *Stdout:
		return
	}
	if !f.Sound(path) { // else things would be told twice
		return
	}
	opened, err := s.open(Environment{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.WrongAll(path, err)
		return
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_ = opened.Close(ended) // nothing is in it
}
