package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/internal/agentconf"
	"github.com/kubestate/kubestate/internal/conf"
	"github.com/kubestate/kubestate/internal/datadogconf"
)

// The flags of the agent that are looked at by name.
const (
	namesFlag    = "names"
	intervalFlag = "interval"
	electionFlag = "leader-election"
	instanceFlag = "datadog-instance"
)

// agentFlags are the flags of the agent command.
type agentFlags struct {
	options *conf.Options

	config          string // path
	datadogConfig   string // path
	datadogInstance int    // from 1; 0: the only one
	names           string
	sinks           []string
	interval        time.Duration
	clusterName     string
	clusterID       string
	election        bool
	leaseNamespace  string
	leaseName       string
	once, check     bool
	timeout         time.Duration
}

func (f *agentFlags) add(c *cobra.Command) {
	fs := c.Flags()
	fs.StringVar(&f.config, "config", "", "configuration `file`; its section agent counts")
	fs.StringVar(&f.datadogConfig, "datadog-config", "", "configuration `file` of the kubernetes_state_core check, as it is")
	fs.IntVar(&f.datadogInstance, instanceFlag, 0, "which instance of --datadog-config to run, from 1; needed if there are several")
	fs.StringVar(&f.names, namesFlag, "ksm", "naming `table`: "+strings.Join(agentconf.BuiltIn(), ", ")+", or a file with one")
	fs.StringArrayVar(&f.sinks, "sink", nil, "`sink` to push to, in place of those of --config; can be given more than once")
	fs.DurationVar(&f.interval, intervalFlag, agent.DefaultInterval, "time from run to run")
	fs.StringVar(&f.clusterName, "cluster-name", "", "`name` of the cluster, for names of hosts and a tag")
	fs.StringVar(&f.clusterID, "cluster-id", "", "`ID` of the cluster, for a tag; without it the UID of the namespace kube-system, if the names have such a tag")
	fs.BoolVar(&f.election, electionFlag, false, "send only if this replica holds the Lease, which is for several replicas; on by default for a --datadog-config that does not skip it")
	fs.StringVar(&f.leaseNamespace, "leader-election-namespace", "", "`namespace` of the Lease; empty is that of the pod")
	fs.StringVar(&f.leaseName, "leader-election-name", "", "`name` of the Lease (default kubestate-agent)")
	fs.BoolVar(&f.once, "once", false, "send one run, once everything is read, and end")
	fs.DurationVar(&f.timeout, "timeout", 5*time.Minute, "time for --once")
	fs.BoolVar(&f.check, "check", false, "only check the configuration")
	for flag, values := range map[string][]string{namesFlag: agentconf.BuiltIn(), "sink": agentconf.SinkBeginnings()} {
		// The error says that there is no such flag.
		_ = c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveDefault|cobra.ShellCompDirectiveNoSpace))
	}
}

// settings returns what flags and files come to, and what of the cluster to read.
// The error joins everything that is wrong.
func (f *agentFlags) settings(changed func(flag string) bool) (s agentconf.Settings, scope conf.Settings, err error) {
	scope, err = f.options.Complete()
	errs := []error{err, f.checkFlags(changed)}
	section, s, err := f.files()
	err = errors.Join(err, f.override(section, &s, changed))
	if err == nil {
		err = f.receivers(section, &s)
	}
	errs = append(errs, err)
	s.LeaderElection, err = f.elect(s.LeaderElection, changed)
	if err := errors.Join(append(errs, err)...); err != nil {
		return s, scope, err
	}
	f.narrow(&s, &scope)
	return s, scope, nil
}

// checkFlags checks what concerns flags alone.
func (f *agentFlags) checkFlags(changed func(flag string) bool) error {
	var errs []error
	if f.config != "" && f.datadogConfig != "" {
		errs = append(errs, errors.New("--config, --datadog-config: both are given, want one"))
	}
	if f.datadogConfig == "" && changed(instanceFlag) {
		errs = append(errs, errors.New("--datadog-instance: is for --datadog-config, which is not given"))
	}
	if f.interval < time.Second {
		errs = append(errs, fmt.Errorf("--interval: %s: want 1s or more", f.interval))
	}
	if f.timeout <= 0 {
		errs = append(errs, fmt.Errorf("--timeout: %s: want more than 0", f.timeout))
	}
	return errors.Join(errs...)
}

// receivers finds the sinks of a section that is right, flags and all.
func (f *agentFlags) receivers(section *agentconf.Agent, s *agentconf.Settings) error {
	if len(section.Sinks) == 0 {
		return fmt.Errorf("no sink is given: name one with --sink, or in a configuration file; there are %s", agentconf.SinkForms())
	}
	var err error
	var warnings []string
	s.Receivers, warnings, err = section.Receivers()
	s.Warnings = append(s.Warnings, warnings...)
	return err
}

// files reads the configuration file, of whichever kind. Without one the section is
// empty.
func (f *agentFlags) files() (*agentconf.Agent, agentconf.Settings, error) {
	section := &agentconf.Agent{}
	switch {
	case f.config != "":
		read := agentconf.Read
		if len(f.sinks) > 0 {
			read = agentconf.ReadWithoutSinks
		}
		c, err := readConfig(f.config, read)
		if err != nil {
			return section, agentconf.Settings{}, err
		}
		if c.Agent == nil {
			return section, agentconf.Settings{}, fmt.Errorf("%s: there is no section agent", f.config)
		}
		section = c.Agent
	case f.datadogConfig != "":
		data, err := os.ReadFile(f.datadogConfig)
		if err != nil {
			return section, agentconf.Settings{}, fmt.Errorf("--datadog-config: %w", err)
		}
		check, err := datadogconf.Read(f.datadogConfig, data, f.datadogInstance)
		if err != nil {
			return section, agentconf.Settings{}, err
		}
		section.Interval = check.Interval
		return section, check.Settings, nil
	}
	return section, section.Settings(), nil
}

func readConfig(path string, read func(name string, data []byte) (*agentconf.Config, error)) (*agentconf.Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("--config: %w", err)
	}
	return read(path, data)
}

// override lets flags win over what files say.
func (f *agentFlags) override(section *agentconf.Agent, s *agentconf.Settings, changed func(string) bool) error {
	var errs []error
	if changed(namesFlag) {
		table, err := agentconf.Table(f.names)
		errs = append(errs, prefixed("--names", err))
		s.Agent.Names = table
	}
	for _, text := range f.sinks {
		sink, err := agentconf.ParseSink(text)
		errs = append(errs, prefixed("--sink", err))
		section.Sinks = append(section.Sinks, sink)
	}
	if changed(intervalFlag) {
		section.Interval = f.interval
	}
	if f.clusterName != "" {
		s.Agent.ClusterName = f.clusterName
	}
	if f.clusterID != "" {
		s.Agent.ClusterID = f.clusterID
	}
	return errors.Join(errs...)
}

// elect returns whether and how there is an election. Where only the check's
// configuration asks for one, it takes place in pods.
func (f *agentFlags) elect(e agentconf.LeaderElection, changed func(string) bool) (agentconf.LeaderElection, error) {
	asked := e.Enabled && f.datadogConfig == ""
	if changed(electionFlag) {
		e.Enabled, asked = f.election, f.election
	}
	if f.leaseNamespace != "" {
		e.Namespace = f.leaseNamespace
	}
	if f.leaseName != "" {
		e.Name = f.leaseName
	}
	return completeElection(e, asked, f.once || f.check)
}

// completeElection finds the namespace of the Lease. Who does not stay, or is in no
// pod and has not been asked, elects nobody.
func completeElection(e agentconf.LeaderElection, asked, brief bool) (agentconf.LeaderElection, error) {
	e.FillDefaults()
	if e.Namespace == "" {
		e.Namespace = podNamespace()
	}
	switch {
	case brief || !e.Enabled:
		e.Enabled = false
	case e.Namespace == "" && asked:
		return e, errors.New("leader election: outside of a pod the namespace of the Lease must be given, by --leader-election-namespace or in the configuration file")
	case e.Namespace == "":
		e.Enabled = false
	}
	return e, nil
}

// narrow lets the flags that choose resources, families and labels hold for the
// agent, and the namespaces of a file where no flag says any.
func (f *agentFlags) narrow(s *agentconf.Settings, scope *conf.Settings) {
	o := f.options
	if len(o.Resources) > 0 {
		s.Agent.Kinds = scope.Exporter.Kinds
	}
	if len(o.MetricAllowlist)+len(o.MetricDenylist)+len(o.MetricOptInList) > 0 {
		s.Agent.Keep = scope.Exporter.Keep
	}
	if len(o.MetricLabelsAllowlist) > 0 {
		s.Agent.Labels = o.MetricLabelsAllowlist
	}
	if len(o.MetricAnnotationsAllowlist) > 0 {
		s.Agent.Annotations = o.MetricAnnotationsAllowlist
	}
	if len(scope.Namespaces) == 0 {
		scope.Namespaces = s.Namespaces
	}
}
