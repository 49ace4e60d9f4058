package conf

import (
	"cmp"
	"slices"
	"strings"

	"github.com/kubestate/kubestate/internal/agentconf"
	"github.com/kubestate/kubestate/internal/bounded"
	"github.com/kubestate/kubestate/internal/datadogconf"
	"github.com/kubestate/kubestate/internal/problem"
)

// push returns what to push, for a command with the options of the agent or a file with
// the section agent; nil: nothing. readable reports whether the file was read.
func (o *Options) push(section *agentconf.Agent, readable bool) (*agentconf.Settings, problem.List) {
	if slices.Contains(o.groups, Pushing) {
		return o.pushWithFlags(section, readable)
	}
	if section == nil {
		return nil, nil
	}
	if len(section.Sinks) == 0 {
		return nil, problem.List{{Source: o.Config, Path: "agent", What: "no sinks", Allowed: "must have at least one"}}
	}
	s := section.Settings()
	var err error
	s.Outputs, s.Warnings, err = section.Outputs()
	problems := problem.Of(err)
	problems = append(problems, o.completeElection(&s.LeaderElection, true)...)
	return &s, problems
}

// pushWithFlags is push for a command with the options of the agent. Flags override
// files.
func (o *Options) pushWithFlags(section *agentconf.Agent, readable bool) (*agentconf.Settings, problem.List) {
	problems := o.checkPush()
	if section == nil {
		section = &agentconf.Agent{}
	}
	s := section.Settings()
	if o.Push.DatadogConfig != "" {
		check, err := o.readCheck()
		problems = append(problems, problem.Of(err)...)
		if err == nil {
			s, section.Interval = check.Settings, check.Interval
		}
	}
	problems = append(problems, o.override(section, &s)...)
	if len(section.Sinks) == 0 && readable {
		problems = append(problems, problem.New("no sink", "must be given by --sink or in a configuration file: "+agentconf.SinkForms()))
	}
	if len(problems) == 0 {
		outputs, warnings, err := section.Outputs()
		s.Outputs, s.Warnings = outputs, append(s.Warnings, warnings...)
		problems = problem.Of(err)
	}
	required := s.LeaderElection.Enabled && o.Push.DatadogConfig == ""
	if o.isSet("leader-election") {
		s.LeaderElection.Enabled, required = o.Election.Enabled, o.Election.Enabled
	}
	problems = append(problems, o.completeElection(&s.LeaderElection, required)...)
	return &s, problems
}

// checkPush checks the combination of options of the agent.
func (o *Options) checkPush() problem.List {
	var problems problem.List
	if o.Config != "" && o.Push.DatadogConfig != "" {
		problems = append(problems, problem.Problem{Source: "--config, --datadog-config", What: "both are set", Allowed: "must be one of them"})
	}
	if o.Push.DatadogConfig == "" && o.flags["datadog-instance"] {
		problems = append(problems, problem.Problem{Source: "--datadog-instance", What: "no --datadog-config", Allowed: "must be set with it"})
	}
	return problems
}

func (o *Options) readCheck() (*datadogconf.Check, error) {
	data, err := bounded.ReadFile(o.Push.DatadogConfig, bounded.Config)
	if err != nil {
		return nil, problem.Problem{Source: "--datadog-config", What: "cannot read file", Allowed: problem.Cut(err.Error())}
	}
	return datadogconf.Read(o.Push.DatadogConfig, data, o.Push.DatadogInstance)
}

// override applies flags to the settings of files.
func (o *Options) override(section *agentconf.Agent, s *agentconf.Settings) problem.List {
	var problems problem.List
	p := &o.Push
	if o.flags["names"] {
		table, err := agentconf.Table(p.Names)
		for _, one := range problem.Of(err) {
			problems = append(problems, problem.Problem{Source: "--names", What: one.Error()})
		}
		s.Agent.Scheme = table
	}
	for _, text := range p.Sinks {
		sink, err := agentconf.ParseSink(text)
		for _, one := range problem.Of(err) {
			problems = append(problems, problem.Problem{Source: "--sink", What: one.Error()})
		}
		section.Sinks = append(section.Sinks, sink)
	}
	if o.flags["interval"] {
		section.Interval = p.Interval
	}
	for _, text := range []struct{ from, to *string }{
		{&p.ClusterName, &s.Agent.ClusterName}, {&p.ClusterID, &s.Agent.ClusterID},
		{&o.Election.Namespace, &s.LeaderElection.Namespace}, {&o.Election.Name, &s.LeaderElection.Name},
	} {
		if *text.from != "" {
			*text.to = *text.from
		}
	}
	return problems
}

// completeElection fills in the defaults and the namespace of the Lease. There is no
// election if the program exits soon, or, unless it is required, outside of a pod.
func (o *Options) completeElection(e *agentconf.LeaderElection, required bool) problem.List {
	e.FillDefaults()
	if e.Namespace == "" {
		e.Namespace = cmp.Or(o.OwnNamespace, podNamespace())
	}
	switch {
	case o.Push.Once || o.Push.Check || !e.Enabled:
		e.Enabled = false
	case e.Namespace == "" && required:
		return problem.List{{Source: "leader election", What: "namespace of the Lease unknown",
			Allowed: "must be set by --leader-election-namespace or in the configuration file outside of a pod"}}
	case e.Namespace == "":
		e.Enabled = false
	}
	return nil
}

// exporterLease is the default name of the Lease of exporters.
const exporterLease = "kubestate"

// exporterElection returns the election of a command that serves metrics.
func (o *Options) exporterElection() (agentconf.LeaderElection, problem.List) {
	e := agentconf.LeaderElection{Enabled: o.Election.Enabled, Namespace: o.Election.Namespace, Name: cmp.Or(o.Election.Name, exporterLease)}
	if !e.Enabled || slices.Contains(o.groups, Pushing) {
		return agentconf.LeaderElection{}, nil
	}
	problems := o.completeElection(&e, true)
	return e, problems
}

const podNamespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

// podNamespace returns the namespace of the pod that this process runs in; "" outside
// of a pod.
func podNamespace() string {
	text, err := bounded.ReadFile(podNamespaceFile, bounded.Secret)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// narrow applies the options that select resources, families and labels to the agent,
// and the namespaces of a file if there are no others.
func (o *Options) narrow(s *Settings) {
	p := s.Push
	if len(o.Resources) > 0 {
		p.Agent.Kinds = s.Exporter.Kinds
	}
	if len(o.MetricAllowlist)+len(o.MetricDenylist)+len(o.MetricOptInList) > 0 {
		p.Agent.Keep = s.Exporter.Keep
	}
	if len(o.MetricLabelsAllowlist) > 0 {
		p.Agent.Labels = o.MetricLabelsAllowlist
	}
	if len(o.MetricAnnotationsAllowlist) > 0 {
		p.Agent.Annotations = o.MetricAnnotationsAllowlist
	}
	if len(s.Namespaces) == 0 {
		s.Namespaces = p.Namespaces
	}
}
