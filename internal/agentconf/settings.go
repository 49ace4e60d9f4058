package agentconf

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/internal/strictyaml"
	"github.com/kubestate/kubestate/kind"
)

// Settings is what a configuration comes to, in the form in which other packages
// take it.
type Settings struct {
	// Agent says what is made of objects; its Logger is the caller's to set.
	Agent agent.Config
	// Namespaces are those to read where nothing else is said; nil is all.
	Namespaces     []string
	LeaderElection LeaderElection
	Receivers      []Receiver
	// CheckTelemetry asks for the gauges in which the kubernetes_state_core check
	// tells of itself.
	CheckTelemetry bool
	// Warnings tell of settings that have no effect, or not the one that they look
	// like. The caller logs them.
	Warnings []string
}

const (
	leaseUnit            = time.Second
	defaultLeaseName     = "kubestate-agent"
	defaultLeaseDuration = 15 * time.Second
	// staleness is how long Prometheus takes a series for alive that has no new
	// sample.
	staleness = 5 * time.Minute
)

// FillDefaults sets what is not told, but for namespace and identity.
func (l *LeaderElection) FillDefaults() {
	l.Name = cmp.Or(l.Name, defaultLeaseName)
	l.LeaseDuration = cmp.Or(l.LeaseDuration, defaultLeaseDuration)
	l.RenewDeadline = cmp.Or(l.RenewDeadline, l.LeaseDuration*2/3)
	l.RetryPeriod = cmp.Or(l.RetryPeriod, l.RenewDeadline/5)
}

// Read reads a configuration file. The error joins everything that is wrong, each
// problem with its line. It opens nothing that stays open, and creates nothing.
func Read(name string, data []byte) (*Config, error) { return read(name, data, (*Agent).checkSinks) }

// ReadWithoutSinks is Read for a caller who has other sinks: those of the file are
// left out, and what they need, such as files with secrets, may be missing.
func ReadWithoutSinks(name string, data []byte) (*Config, error) {
	return read(name, data, func(a *Agent, _ *strictyaml.File) { a.Sinks = nil })
}

func read(name string, data []byte, sinks func(*Agent, *strictyaml.File)) (*Config, error) {
	c := &Config{}
	f := strictyaml.Read(name, data, c, options())
	if c.Agent != nil {
		c.Agent.check(f)
		sinks(c.Agent, f)
	}
	if err := f.Err(); err != nil {
		return nil, err
	}
	return c, nil
}

// Settings returns what the section comes to, without regard to its sinks.
func (a *Agent) Settings() Settings {
	s := Settings{
		Agent: agent.Config{
			Names: a.Names.Get(), Kinds: Kinds(a.Resources), Labels: a.Labels, Annotations: a.Annotations,
			Joins: a.Joins, LabelsAsTags: a.LabelsAsTags, AnnotationsAsTags: a.AnnotationsAsTags, LabelsMapper: a.LabelsMapper,
			Aggregates: a.Aggregates, Tags: tagsOf(a.Tags), ClusterName: a.ClusterName, ClusterID: a.ClusterID,
			PodMode: a.PodCollectionMode, ClusterAggregates: a.ClusterAggregates,
		},
		LeaderElection: a.LeaderElection,
	}
	s.LeaderElection.FillDefaults()
	return s
}

// Kinds returns the tables of resources, in the order of the catalog; nil where
// none are named.
func Kinds(resources []string) []*kind.Table {
	if len(resources) == 0 {
		return nil
	}
	return slices.DeleteFunc(kind.All(), func(t *kind.Table) bool { return !slices.Contains(resources, t.Name) })
}

// Receivers returns the sinks and their pace, each with a name of its own, and
// warnings about them. The error is of sinks that do not fit the section or each
// other, which those of a file do; others may have come to it, or another interval.
func (a *Agent) Receivers() (receivers []Receiver, warnings []string, err error) {
	taken := map[string]bool{}
	for _, s := range a.Sinks {
		taken[s.common().Name] = true
	}
	var errs []error
	unfit := a.unfit()
	for i, s := range a.Sinks {
		c := s.common()
		r := Receiver{Name: c.Name, sink: s}
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
		// A series is sent again at the first run after the heartbeat, if not later.
		if r.Heartbeat > 0 && r.Heartbeat+r.Interval >= staleness && (c.Type == "remotewrite" || c.Type == "otlp") {
			warnings = append(warnings, fmt.Sprintf("sink %s: with a heartbeat of %s Prometheus takes series that do not change for ended, after %s", r.Name, r.Heartbeat, staleness))
		}
		receivers = append(receivers, r)
		for _, u := range unfit {
			if u.sink == i {
				errs = append(errs, fmt.Errorf("sink %s: %s: %w", r.Name, u.key, u.err))
			}
		}
	}
	return receivers, warnings, errors.Join(errs...)
}
