// Package conf declares the options of the commands: each is one row of one table,
// with its flag, its key in the configuration file, type, default, help, completion
// and check. Flags, the file, its JSON schema and the groups of the help come from the
// table. The package turns the options into plain values for other packages. It
// does not know how they are used: it opens no port and no connection.
//
// options.go has the options, table.go the table, value.go the types of values, flags.go
// the flags, file.go the configuration file, check.go the checks, allowlist.go and
// filter.go the two small languages of options, complete.go and push.go the result.
package conf

import (
	"fmt"
	"time"

	"github.com/kubestate/kubestate/internal/problem"
)

// Options holds the value of every option, as the user gave it. New returns the
// defaults. It is for one goroutine.
type Options struct {
	APIServer          string // URL or host:port; empty: that of the kubeconfig
	Kubeconfig         string // path; empty: the service account of the pod
	Namespaces         []string
	NamespacesDenylist []string

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

	Config string // path; empty: no file

	Push PushOptions

	LogFormat string // one of logFormats
	LogLevel  string // one of logLevels

	unread problem.List               // values of flags that cannot be parsed
	flags  map[string]bool            // options set by flags
	file   map[string]problem.Problem // options set by the file, with their place
	groups []Group                    // of the flags
	warned []string                   // warnings so far
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
	Election        bool
	LeaseNamespace  string
	LeaseName       string
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
	Cluster   Group = "Cluster"            // which API server
	Scope     Group = "Objects to read"    // which objects
	Selection Group = "Metrics and labels" // which families and labels
	Joining   Group = "Joined labels"      // labels of related objects
	Pushing   Group = "Push"               // naming scheme, sinks, pace
	Election  Group = "Leader election"    // of the agent
	Serving   Group = "Metrics port"       // and its limits
	Telemetry Group = "Telemetry port"     // self metrics
	Logging   Group = "Log"
)

// Groups returns all groups, in the order of the help.
func Groups() []Group {
	return []Group{Files, Cluster, Scope, Selection, Joining, Pushing, Election, Serving, Telemetry, Logging}
}

// option is one row of the table: all about one option.
type option struct {
	group  Group
	name   string              // of the flag
	key    string              // in the configuration file; empty: a flag only
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
