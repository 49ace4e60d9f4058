// Package conf declares the options of the commands: each is one row of one
// table, which says its name, type, default, help and what values are right.
// Flags come from the table; documentation and a configuration file can. The
// package turns what the user wrote into plain values for others to use. It
// refuses to know what those do with them: it opens no port and no connection.
//
// options.go is the table, value.go says how text becomes a value, check.go what
// is right, allowlist.go and filter.go have the two small languages of options,
// complete.go puts everything together.
package conf

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/kubestate/kubestate/kind"
)

// Options holds the value of every option, as the user gave it. Use New to have
// the defaults. It is for one goroutine.
type Options struct {
	APIServer          string // URL or host:port; empty: as the kubeconfig says
	Kubeconfig         string // path; empty: the configuration in the cluster
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
	ServerReadTimeout       time.Duration // zero: no limit, for this and the following
	ServerReadHeaderTimeout time.Duration
	ServerWriteTimeout      time.Duration
	ServerIdleTimeout       time.Duration
	EnableGzipEncoding      bool

	LogFormat string // one of logFormats
	LogLevel  string // one of logLevels

	unread []error // values of flags that could not be read
}

// Group is a set of options that belong together; a command takes the groups
// that mean something to it.
type Group string

// The groups, in the order of the table.
const (
	Cluster   Group = "cluster"   // which cluster to read, and as whom
	Scope     Group = "scope"     // which of its objects
	Selection Group = "selection" // what to show of what was read
	Joining   Group = "joining"   // labels of other objects on /metrics
	Serving   Group = "serving"   // the main port and its limits
	Telemetry Group = "telemetry" // the telemetry port
	Logging   Group = "logging"
)

// option is one row: everything there is to know about one option.
type option struct {
	group Group
	name  string // of the flag
	def   string // the default, as a user would write it
	value pflag.Value
	check func() []error // what is wrong with the value; nil: nothing can be
	help  string
}

func (o *Options) table() []option {
	return []option{
		{Cluster, "apiserver", "", text(&o.APIServer), o.checkAPIServer,
			"`URL` of the API server instead of the one in the kubeconfig, for example https://10.0.0.1:6443"},
		{Cluster, "kubeconfig", "", text(&o.Kubeconfig), o.checkKubeconfig,
			"`file` with address and credentials of the API server; without it and --apiserver, the service account of the pod is used"},
		{Scope, "namespaces", "", list(&o.Namespaces, keepRepeats), o.checkNamespaces,
			"namespaces whose objects are read, for example a,b; empty is all. Objects without a namespace, such as nodes, are always read"},
		{Scope, "namespaces-denylist", "", list(&o.NamespacesDenylist, dropRepeats), o.checkNamespacesDenylist,
			"namespaces whose objects are not read"},

		{Selection, "resources", "", list(&o.Resources, dropRepeats), o.checkResources, resourcesHelp()},
		{Selection, "metric-allowlist", "", list(&o.MetricAllowlist, dropRepeats), nil,
			"regular expressions (ECMAScript): only families whose name contains a match of one are served, for example ^kube_pod_,_info$. Not together with --metric-denylist"},
		{Selection, "metric-denylist", "", list(&o.MetricDenylist, dropRepeats), nil,
			"regular expressions (ECMAScript): families whose name contains a match of one are not served"},
		{Selection, "metric-opt-in-list", "", list(&o.MetricOptInList, dropRepeats), nil,
			"regular expressions (RE2): families that are off by default and whose name contains a match of one are served, unless an allow or deny list forbids it"},
		{Selection, "metric-labels-allowlist", "", allowLists(&o.MetricLabelsAllowlist), o.checkLabelsAllowlist,
			"labels of objects to show in kube_*_labels, by resource: pods=[app,team-*],nodes=[*]. A key may hold one *, which stands for any text; the resource * stands for all. A second use replaces the first"},
		{Selection, "metric-annotations-allowlist", "", allowLists(&o.MetricAnnotationsAllowlist), o.checkAnnotationsAllowlist,
			"annotations of objects to show in kube_*_annotations, in the form of --metric-labels-allowlist"},
		{Joining, "join", "", addedLists(&o.Join), o.checkJoin,
			"labels of related objects to add to families, by name, which may hold one *: kube_pod_*=[label:app,node_label:topology.kubernetes.io/zone,workload]. " +
				"There are label:KEY and annotation:KEY of the object, node_label:KEY and node_annotation:KEY of its Node, namespace_label:KEY and namespace_annotation:KEY of its namespace, node and workload. " +
				"A key may hold one *. What a family has already is not added"},

		{Serving, "port", "8080", number(&o.Port), func() []error { return checkPort(o.Port) },
			"port of /metrics and of the health checks; 0 takes a free one"},
		{Serving, "host", "::", text(&o.Host), func() []error { return checkHost(o.Host) },
			"`address` of --port; :: is every address of this machine, IPv4 too"},
		{Telemetry, "telemetry-port", "8081", number(&o.TelemetryPort), func() []error { return checkPort(o.TelemetryPort) },
			"port of the metrics about this program, readiness and profiles; 0 takes a free one"},
		{Telemetry, "telemetry-host", "::", text(&o.TelemetryHost), func() []error { return checkHost(o.TelemetryHost) },
			"`address` of --telemetry-port"},
		{Serving, "server-read-timeout", "1m0s", duration(&o.ServerReadTimeout), notNegative(&o.ServerReadTimeout),
			"time for reading a whole request on --port, for example 30s; 0 is no limit"},
		{Serving, "server-read-header-timeout", "5s", duration(&o.ServerReadHeaderTimeout), notNegative(&o.ServerReadHeaderTimeout),
			"time for reading the header of a request on --port; 0 is that of --server-read-timeout"},
		{Serving, "server-write-timeout", "1m0s", duration(&o.ServerWriteTimeout), notNegative(&o.ServerWriteTimeout),
			"time from the header of a request on --port to the end of the answer; 0 is no limit"},
		{Serving, "server-idle-timeout", "5m0s", duration(&o.ServerIdleTimeout), notNegative(&o.ServerIdleTimeout),
			"time that a connection to --port is kept without a request; 0 is that of --server-read-timeout"},
		{Serving, "enable-gzip-encoding", "true", truth(&o.EnableGzipEncoding), nil,
			"encode answers on --port as gzip or zstd for clients that accept it; false is for those that do not mean it"},

		{Logging, "log-format", "text", text(&o.LogFormat), func() []error { return checkOneOf(o.LogFormat, logFormats) },
			"`format` of the log: " + strings.Join(logFormats, " or ")},
		{Logging, "log-level", "info", text(&o.LogLevel), func() []error { return checkOneOf(o.LogLevel, logLevels) },
			"least important `level` that is logged: " + strings.Join(logLevels, ", ")},
	}
}

func resourcesHelp() string {
	help := "resources to serve, for example pods,nodes; empty is " + strings.Join(kind.Names(kind.Defaults()), ",")
	var others []string
	for _, t := range kind.All() {
		if t.NotDefault {
			others = append(others, t.Name)
		}
	}
	if len(others) > 0 {
		help += ". There are also " + strings.Join(others, ",")
	}
	return help
}

// New returns the options with their defaults. It panics if a default in the
// table cannot be read.
func New() *Options {
	o := &Options{}
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

// AddFlags adds the options of the groups as flags to fs. Parsing sets o. A value
// that cannot be read does not end the parsing: Complete reports it with all
// other problems.
func (o *Options) AddFlags(fs *pflag.FlagSet, groups ...Group) {
	wanted := make(map[Group]bool, len(groups))
	for _, g := range groups {
		wanted[g] = true
	}
	for _, row := range o.table() {
		if wanted[row.group] {
			f := fs.VarPF(flag{row.value, row.name, o}, row.name, "", row.help)
			if f.Value.Type() == boolType {
				f.NoOptDefVal = "true"
			}
		}
	}
}

// flag is a value that keeps its errors for later.
type flag struct {
	pflag.Value
	name string
	o    *Options
}

// Set sets the value; its error is always nil.
func (f flag) Set(s string) error {
	if err := f.Value.Set(s); err != nil {
		f.o.unread = append(f.o.unread, fmt.Errorf("--%s: %q: %w", f.name, s, err))
	}
	return nil
}
