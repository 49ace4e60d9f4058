// Package conf declares the options of the commands: each is one row of one table,
// with its flag, its key in the configuration file, type, default, help, completion
// and check. Flags, the file, its JSON schema and the groups of the help come from the
// table. The package turns the options into plain values for other packages. It
// does not know how they are used: it opens no port and no connection.
//
// options.go has the options, table.go the table, value.go the types of values, flags.go
// the flags, file.go the configuration file, check.go the checks, allowlist.go and
// filter.go the two small languages of options, complete.go and push.go the result,
// klog.go the log flags of kube-state-metrics.
package conf

import (
	"fmt"
	"time"

	"github.com/kubestate/kubestate/internal/problem"
)

// Options holds the value of every option. New returns the defaults, flags set it, and
// Complete returns a copy that also has the values of the configuration file. It is for
// one goroutine.
type Options struct {
	Config                string // path; empty: no file
	ContinueWithoutConfig bool   // start without Config if that file does not exist

	APIServer         string // URL or host:port; empty: that of the kubeconfig
	Kubeconfig        string // path; empty: the service account of the pod
	UseAPIServerCache bool   // lists may be answered from the cache of the API server
	ObjectLimit       int    // objects on a page of a list; 0 or less: the default

	Namespaces         []string
	NamespacesDenylist []string

	Shards      ShardOptions
	Custom      CustomResourceOptions
	Election    ElectionOptions // of the agent command, else of the exporter
	Memory      MemoryOptions
	Push        PushOptions
	AuthFilter  bool   // requests of metrics and profiles need a token with permission
	TLSConfig   string // path of a web configuration of the exporter-toolkit; empty: no TLS
	EnablePprof bool   // serve /debug/pprof on the telemetry port

	Resources                  []string // empty: kind.Defaults
	MetricAllowlist            []string // ECMAScript regular expressions
	MetricDenylist             []string // ECMAScript regular expressions
	MetricOptInList            []string // RE2 regular expressions
	MetricLabelsAllowlist      map[string][]string
	MetricAnnotationsAllowlist map[string][]string
	Join                       map[string][]string // labels to add, by name of families

	Port                    int
	Host                    string
	TelemetryPort           int
	TelemetryHost           string
	ServerReadTimeout       time.Duration // zero: no limit, as for the other timeouts
	ServerReadHeaderTimeout time.Duration
	ServerWriteTimeout      time.Duration
	ServerIdleTimeout       time.Duration
	EnableGzipEncoding      bool

	LogFormat string // one of logFormats
	LogLevel  string // one of logLevels
	klog      klogOptions

	// OwnNamespace is the namespace of the pod of this process; empty: Complete finds it.
	OwnNamespace string

	unread problem.List               // values of flags that cannot be parsed
	flags  map[string]bool            // options set by flags
	file   map[string]problem.Problem // options set by the file, with their place
	groups []Group                    // of the flags
	warned []string                   // warnings so far
}

// ShardOptions say which objects are for this instance.
type ShardOptions struct {
	Shard        int // from 0
	TotalShards  int // 1: no sharding; 0 or less: no objects
	Pod          string
	PodNamespace string // with Pod: shard by the ordinal of a StatefulSet
	ServerSide   bool   // let the API server filter where it can
	Node         string // only pods of this node; empty: all
	// TrackUnscheduledPods selects only pods without a node. It overrides Node.
	TrackUnscheduledPods bool
}

// Automatic reports whether the shard follows from the StatefulSet of the pod.
func (s *ShardOptions) Automatic() bool { return s.Pod != "" && s.PodNamespace != "" }

// CustomResourceOptions say which metrics of custom resources there are. Inline, File
// and Packs add up.
type CustomResourceOptions struct {
	Inline          string   // a custom-resource-state configuration
	Files           []string // paths of some, or of directories of some; Inline overrides them
	ContinueWithout bool     // start without those of Files that do not exist
	Packs           []string // names of built-in configurations
	Only            bool     // serve nothing else
}

// ElectionOptions say how replicas elect a leader.
type ElectionOptions struct {
	Enabled   bool
	Namespace string // of the Lease; empty: that of the pod
	Name      string // of the Lease; empty: the default of the command
}

// MemoryOptions set the memory limit of the Go runtime.
type MemoryOptions struct {
	Auto  bool    // from the limit of the container
	Ratio float64 // of the limit of the container
}

// PushOptions are the options of the agent.
type PushOptions struct {
	DatadogConfig   string // path; empty: no file
	DatadogInstance int    // from 1; 0: the only one
	Names           string // naming scheme: name or path
	Sinks           []string
	Interval        time.Duration
	ClusterName     string
	ClusterID       string
	Once            bool
	Check           bool
	Timeout         time.Duration // of Once
}

// Group is a set of options that belong together, as headed in the help. A command has
// the groups that apply to it.
type Group string

// The groups, in the order of the help.
const (
	Files     Group = "Configuration file"
	Cluster   Group = "Cluster"            // which API server, and how to ask it
	Scope     Group = "Objects to read"    // which objects
	Sharding  Group = "Sharding"           // which of them for this instance
	Selection Group = "Metrics and labels" // which families and labels
	Custom    Group = "Custom resources"   // metrics of custom resources
	Joining   Group = "Joined labels"      // labels of related objects
	Pushing   Group = "Push"               // naming scheme, sinks, pace
	Election  Group = "Leader election"    // of the agent or the exporter
	Serving   Group = "Metrics port"       // and its limits
	Telemetry Group = "Telemetry port"     // self metrics
	Security  Group = "Security"           // of both ports
	Memory    Group = "Memory"
	Logging   Group = "Log"
)

// Groups returns all groups, in the order of the help.
func Groups() []Group {
	return []Group{Files, Cluster, Scope, Sharding, Selection, Custom, Joining, Pushing, Election, Serving, Telemetry, Security, Memory, Logging}
}

// option is one row of the table: all about one option.
type option struct {
	group  Group
	name   string              // of the flag
	letter string              // short for the name
	hidden bool                // from the help: accepted without effect
	key    string              // in the configuration file; empty: a flag only
	oldKey string              // deprecated
	def    string              // the default, as a user would write it
	value  value               // how to parse, print and store the value
	check  func() problem.List // problems with the value; nil: there are none
	values func() []string     // for completion; nil: any value
	help   string              // without a full stop; a word in backquotes names the value
}

// New returns the options with their defaults. It panics if a default in the table is
// invalid.
func New() *Options {
	o := &Options{flags: map[string]bool{}, file: map[string]problem.Problem{}}
	for _, row := range o.table() {
		if row.def == "" {
			continue
		}
		if err := row.value.Set(row.def); err != nil {
			panic(fmt.Sprintf("default of --%s: %v", row.name, err))
		}
	}
	return o
}
