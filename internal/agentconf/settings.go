package agentconf

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/internal/strictyaml"
	"github.com/kubestate/kubestate/kind"
)

// Settings is a configuration in the form that other packages use.
type Settings struct {
	// Agent configures the agent; the caller sets its Logger.
	Agent agent.Config
	// Namespaces are the namespaces to read by default; nil means all.
	Namespaces     []string
	LeaderElection LeaderElection
	Outputs        []Output
	// CheckTelemetry asks for the self metrics of the kubernetes_state_core check.
	CheckTelemetry bool
	// Warnings are about settings without effect, or with an unexpected one. The caller
	// logs them.
	Warnings []string
}

const (
	leaseUnit            = time.Second
	defaultLeaseName     = "kubestate-agent"
	defaultLeaseDuration = 15 * time.Second
	// staleness is the time after which Prometheus marks a series without new samples
	// stale.
	staleness = 5 * time.Minute
)

// FillDefaults sets the defaults, except for namespace and identity.
func (l *LeaderElection) FillDefaults() {
	l.Name = cmp.Or(l.Name, defaultLeaseName)
	l.LeaseDuration = cmp.Or(l.LeaseDuration, defaultLeaseDuration)
	l.RenewDeadline = cmp.Or(l.RenewDeadline, l.LeaseDuration*2/3)
	l.RetryPeriod = cmp.Or(l.RetryPeriod, l.RenewDeadline/5)
}

// Reader reads configuration files.
type Reader struct {
	// Keys are the keys other than agent.
	Keys Keys
	// WithoutSinks ignores the sinks of the file, so that files they need, such as secrets,
	// may be missing.
	WithoutSinks bool
}

// Keys are keys of the configuration file that other packages read.
type Keys struct {
	Names []string
	// Read reads the value of a key.
	Read func(key string, v strictyaml.Value)
	// Unknown is called for each unknown key; if nil, such keys are problems.
	Unknown func(key string, v strictyaml.Value)
}

// Read reads a configuration file. The error is a problem.List with the line of each
// problem. Read leaves nothing open, and creates nothing.
func (r Reader) Read(name string, data []byte) (*Config, error) {
	c := &Config{keys: r.Keys}
	f := strictyaml.Read(name, data, c, options())
	if c.Agent != nil {
		c.Agent.check(f)
		if r.WithoutSinks {
			c.Agent.Sinks = nil
		}
		c.Agent.checkSinks(f)
	}
	if err := f.Err(); err != nil {
		return nil, err
	}
	return c, nil
}

// Settings returns the settings of the section, without its sinks.
func (a *Agent) Settings() Settings {
	s := Settings{
		Agent: agent.Config{
			Scheme: a.Names.Get(), Kinds: Kinds(a.Resources), Labels: a.Labels, Annotations: a.Annotations,
			Joins: a.Joins, LabelsAsTags: a.LabelsAsTags, AnnotationsAsTags: a.AnnotationsAsTags, LabelsMapper: a.LabelsMapper,
			Aggregates: a.Aggregates, Tags: tagsOf(a.Tags), ClusterName: a.ClusterName, ClusterID: a.ClusterID,
			PodMode: a.PodCollectionMode, ClusterAggregates: a.ClusterAggregates,
		},
		LeaderElection: a.LeaderElection,
	}
	s.LeaderElection.FillDefaults()
	return s
}

// Kinds returns the tables of resources, in the order of the catalog; nil if there are no
// resources.
func Kinds(resources []string) []*kind.Table {
	if len(resources) == 0 {
		return nil
	}
	return slices.DeleteFunc(kind.All(), func(t *kind.Table) bool { return !slices.Contains(resources, t.Name) })
}

// Outputs returns the sinks and their pace, each with a unique name, and warnings about
// them. The error lists sinks that conflict with the section or each other. The sinks of a
// file are checked before, but flags can add sinks or change the interval.
func (a *Agent) Outputs() (outputs []Output, warnings []string, err error) {
	taken := map[string]bool{}
	for _, s := range a.Sinks {
		taken[s.common().Name] = true
	}
	var problems problem.List
	conflicts := a.conflicts()
	for i, s := range a.Sinks {
		c := s.common()
		r := Output{Name: c.Name, sink: s}
		for n := 1; r.Name == ""; n++ {
			name := c.Type
			if n > 1 {
				name = fmt.Sprintf("%s-%d", c.Type, n)
			}
			if !taken[name] {
				r.Name, taken[name] = name, true
			}
		}
		r.Interval, r.Heartbeat = a.paceOf(c)
		// A series is sent again at the first flush after the heartbeat, or later.
		if r.Heartbeat > 0 && r.Heartbeat+r.Interval >= staleness && (c.Type == "remotewrite" || c.Type == "otlp") {
			warnings = append(warnings, fmt.Sprintf("sink %s: heartbeat %s is too long: Prometheus marks series stale after %s without a sample", r.Name, r.Heartbeat, staleness))
		}
		outputs = append(outputs, r)
		for _, c := range conflicts {
			if c.sink == i {
				problems = append(problems, problem.List{c.problem}.From("sink "+r.Name)...)
			}
		}
	}
	return outputs, warnings, problems.Err()
}
