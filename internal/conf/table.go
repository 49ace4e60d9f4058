package conf

import (
	"strings"
	"time"

	"github.com/kubestate/kubestate/agent/flush"
	packs "github.com/kubestate/kubestate/deploy/custom-resources"
	"github.com/kubestate/kubestate/internal/agentconf"
	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/kind"
)

// table returns all options. Within a group they are in the order of the help.
func (o *Options) table() []option {
	var rows []option
	for _, part := range [][]option{
		o.readOptions(), o.shardOptions(), o.selectionOptions(), o.customOptions(), o.pushOptions(), o.electionOptions(),
		o.serveOptions(), o.processOptions(), o.klog.table(),
	} {
		rows = append(rows, part...)
	}
	return rows
}

func (o *Options) readOptions() []option {
	return []option{
		{group: Files, name: "config", key: "config", value: text(&o.Config),
			help: "configuration `file`: options by key, and in the section agent what to push. Its keys override flags, except in the section agent, where flags override keys"},
		{group: Files, name: "continue-without-config", key: "continue_without_config", value: truth(&o.ContinueWithoutConfig),
			help: "start without the file of --config if it does not exist, and read it when it appears"},
		{group: Cluster, name: "apiserver", key: "apiserver", value: text(&o.APIServer), check: o.checkAPIServer,
			help: "`URL` of the API server, instead of the one in the kubeconfig, for example https://10.0.0.1:6443"},
		{group: Cluster, name: "kubeconfig", key: "kubeconfig", value: text(&o.Kubeconfig), check: func() problem.List { return checkFile(o.Kubeconfig) },
			help: "`file` with the address and credentials of the API server. Without it and --apiserver, the service account of the pod is used"},
		{group: Cluster, name: "use-apiserver-cache", key: "use_api_server_cache", value: truth(&o.UseAPIServerCache),
			help: "read lists from the cache of the API server (resourceVersion=0), which costs it less and may be a little behind"},
		{group: Cluster, name: "object-limit", key: "object_limit", value: number(&o.ObjectLimit),
			help: "objects on a page of a list, which is read page by page to its end, rather than streamed; 0 chooses"},
		{group: Scope, name: "namespaces", key: "namespaces", value: list(&o.Namespaces), check: func() problem.List { return checkNamespaces(o.Namespaces) },
			help: "namespaces whose objects are read, for example a,b (default all). Objects without a namespace, such as nodes, are always read"},
		{group: Scope, name: "namespaces-denylist", key: "namespaces_denylist", value: list(&o.NamespacesDenylist), check: func() problem.List { return checkNamespaces(o.NamespacesDenylist) },
			help: "namespaces whose objects are not read"},
	}
}

func (o *Options) shardOptions() []option {
	s := &o.Shards
	return []option{
		{group: Sharding, name: "shard", key: "shard", def: "0", value: number(&s.Shard),
			help: "which of --total-shards this instance is, from 0"},
		{group: Sharding, name: "total-shards", key: "total_shards", def: "1", value: number(&s.TotalShards),
			help: "number of instances that divide the objects; 1 is no sharding"},
		{group: Sharding, name: "pod", key: "pod", value: text(&s.Pod),
			help: "`name` of the pod of this instance. With --pod-namespace, the StatefulSet of the pod says which shard this is and how many there are"},
		{group: Sharding, name: "pod-namespace", key: "namespace", value: text(&s.PodNamespace),
			help: "`namespace` of --pod"},
		{group: Sharding, name: "server-side-sharding", key: "server_side_sharding", value: truth(&s.ServerSide),
			help: "ask the API server for the objects of this shard only (feature gate ShardedListAndWatch). One that cannot sends all, which are filtered here"},
		{group: Sharding, name: "node", key: "node", value: text(&s.Node),
			help: "read only pods of this `node`, for a DaemonSet with --resources=pods"},
		{group: Sharding, name: "track-unscheduled-pods", key: "track_unscheduled_pods", value: truth(&s.TrackUnscheduledPods),
			help: "read only pods without a node, next to a DaemonSet with --node. Overrides --node"},
	}
}

func (o *Options) customOptions() []option {
	c := &o.Custom
	return []option{
		{group: Custom, name: "custom-resource-state-config", key: "custom_resource_config", value: text(&c.Inline),
			help: "custom-resource-state configuration, as `YAML`"},
		{group: Custom, name: "custom-resource-state-config-file", key: "custom_resource_state_config_file", oldKey: "custom_resource_config_file", value: paths(&c.Files),
			help: "files with custom-resource-state configurations, or directories of them"},
		{group: Custom, name: "continue-without-custom-resource-state-config-file", key: "continue_without_custom_resource_state_config_file", value: truth(&c.ContinueWithout),
			help: "start without the file of --custom-resource-state-config-file if it does not exist, and read it when it appears"},
		{group: Custom, name: "custom-resource-state-only", key: "custom_resources_only", value: truth(&c.Only),
			help: "serve only metrics of custom resources"},
		{group: Custom, name: "custom-resource-pack", key: "custom_resource_packs", value: list(&c.Packs), check: o.checkPacks, values: packs.Names,
			help: "names of built-in custom-resource-state configurations to add: " + strings.Join(packs.Names(), ", ")},
	}
}

func (o *Options) selectionOptions() []option {
	return []option{
		{group: Selection, name: "resources", key: "resources", value: set(&o.Resources), check: o.checkResources, values: resourceNames, help: resourcesHelp()},
		{group: Selection, name: "metric-allowlist", key: "metric_allowlist", value: set(&o.MetricAllowlist), values: familyNames,
			help: "regular expressions (ECMAScript) of families to serve: a family is served if its name contains a match of one, for example ^kube_pod_,_info$. Excludes --metric-denylist"},
		{group: Selection, name: "metric-denylist", key: "metric_denylist", value: set(&o.MetricDenylist), values: familyNames,
			help: "regular expressions (ECMAScript) of families not to serve: a family is not served if its name contains a match of one"},
		{group: Selection, name: "metric-opt-in-list", key: "metric_opt_in_list", value: set(&o.MetricOptInList), values: optInFamilies,
			help: "regular expressions (RE2) of families to serve that are off by default. Allow and deny list apply to them, too"},
		{group: Selection, name: "metric-labels-allowlist", key: "labels_allow_list", value: allowLists(&o.MetricLabelsAllowlist),
			check: func() problem.List { return checkAllowLists(o.MetricLabelsAllowlist) }, values: allowListBeginnings,
			help: "labels of objects to show in kube_*_labels, by resource: pods=[app,team-*],nodes=[*]. A key may contain one *, which matches any text; the resource * means all resources. A second use replaces the first"},
		{group: Selection, name: "metric-annotations-allowlist", key: "annotations_allow_list", value: allowLists(&o.MetricAnnotationsAllowlist),
			check: func() problem.List { return checkAllowLists(o.MetricAnnotationsAllowlist) }, values: allowListBeginnings,
			help: "annotations of objects to show in kube_*_annotations, as in --metric-labels-allowlist"},
		{group: Joining, name: "join", key: "join", value: addedLists(&o.Join), check: o.checkJoin, values: familyNames,
			help: "labels of related objects to add to families, by name, which may contain one *: kube_pod_*=[label:app,node_label:topology.kubernetes.io/zone,workload]. " +
				"Items are label:KEY and annotation:KEY of the object, node_label:KEY and node_annotation:KEY of its Node, namespace_label:KEY and namespace_annotation:KEY of its namespace, node and workload. " +
				"A KEY may contain one *. Labels that a family already has are not added"},
	}
}

func (o *Options) pushOptions() []option {
	p := &o.Push
	return []option{
		{group: Pushing, name: "names", key: "agent.names", def: "ksm", value: text(&p.Names), values: agentconf.BuiltIn,
			help: "naming `scheme`: " + strings.Join(agentconf.BuiltIn(), ", ") + ", or a file with one"},
		{group: Pushing, name: "sink", key: "agent.sinks", value: texts(&p.Sinks), values: agentconf.SinkBeginnings,
			help: "`sink` to push to, instead of those of the file; can be repeated"},
		{group: Pushing, name: "interval", key: "agent.interval", def: flush.DefaultInterval.String(), value: duration(&p.Interval), check: atLeast(&p.Interval, time.Second),
			help: "time from flush to flush"},
		{group: Pushing, name: "cluster-name", key: "agent.clusterName", value: text(&p.ClusterName),
			help: "`name` of the cluster, for a tag and for host names"},
		{group: Pushing, name: "cluster-id", key: "agent.clusterID", value: text(&p.ClusterID),
			help: "`ID` of the cluster, for a tag (default the UID of the namespace kube-system, if the naming scheme has such a tag)"},
		{group: Pushing, name: "datadog-config", value: text(&p.DatadogConfig),
			help: "configuration `file` of the kubernetes_state_core check, unchanged. Excludes --config"},
		{group: Pushing, name: "datadog-instance", value: number(&p.DatadogInstance), check: func() problem.List { return checkInstance(p.DatadogInstance) },
			help: "`number` of the instance of --datadog-config to run, from 1; required if there are several"},
		{group: Pushing, name: "once", value: truth(&p.Once), help: "push once, when everything is synced, and exit"},
		{group: Pushing, name: "timeout", def: "5m0s", value: duration(&p.Timeout), check: atLeast(&p.Timeout, time.Millisecond), help: "time limit of --once"},
		{group: Pushing, name: "check", value: truth(&p.Check), help: "check the configuration and exit"},
	}
}

func (o *Options) electionOptions() []option {
	e := &o.Election
	return []option{
		{group: Election, name: "leader-election", key: "leader_election", value: truth(&e.Enabled),
			help: "run several replicas of which one, the holder of a Lease, has metrics to scrape or push; another takes over when it ends. " +
				"The agent elects by default for a --datadog-config that does not disable it"},
		{group: Election, name: "leader-election-namespace", key: "leader_election_namespace", value: text(&e.Namespace),
			help: "`namespace` of the Lease (default that of the pod)"},
		{group: Election, name: "leader-election-name", key: "leader_election_name", value: text(&e.Name),
			help: "`name` of the Lease (default kubestate, of the agent kubestate-agent)"},
	}
}

func (o *Options) serveOptions() []option {
	return []option{
		{group: Serving, name: "port", key: "port", def: "8080", value: number(&o.Port), check: func() problem.List { return checkPort(o.Port) },
			help: "port of /metrics and of the health checks; 0 chooses a free one"},
		{group: Serving, name: "host", key: "host", def: "::", value: text(&o.Host), check: func() problem.List { return checkHost(o.Host) },
			help: "`address` of --port; :: listens on all addresses, IPv4 included"},
		{group: Serving, name: "enable-gzip-encoding", key: "enable_gzip_encoding", def: "true", value: truth(&o.EnableGzipEncoding),
			help: "compress responses on --port (gzip, zstd) for clients that accept it; disable for clients that advertise gzip but cannot decode it"},
		{group: Serving, name: "server-read-timeout", key: "server_read_timeout", def: "1m0s", value: duration(&o.ServerReadTimeout),
			help: "time limit for reading a request on --port, for example 30s; 0 is no limit"},
		{group: Serving, name: "server-read-header-timeout", key: "server_read_header_timeout", def: "5s", value: duration(&o.ServerReadHeaderTimeout),
			help: "time limit for reading the header of a request on --port; 0 means --server-read-timeout"},
		{group: Serving, name: "server-write-timeout", key: "server_write_timeout", def: "1m0s", value: duration(&o.ServerWriteTimeout),
			help: "time limit from the header of a request on --port to the end of the response; 0 is no limit"},
		{group: Serving, name: "server-idle-timeout", key: "server_idle_timeout", def: "5m0s", value: duration(&o.ServerIdleTimeout),
			help: "time limit for an idle connection to --port; 0 means --server-read-timeout"},
		{group: Telemetry, name: "telemetry-port", key: "telemetry_port", def: "8081", value: number(&o.TelemetryPort), check: func() problem.List { return checkPort(o.TelemetryPort) },
			help: "port of self metrics, readiness and profiles; 0 chooses a free one"},
		{group: Telemetry, name: "telemetry-host", key: "telemetry_host", def: "::", value: text(&o.TelemetryHost), check: func() problem.List { return checkHost(o.TelemetryHost) },
			help: "`address` of --telemetry-port"},
		{group: Telemetry, name: "enable-pprof", key: "enable_pprof", def: "true", value: truth(&o.EnablePprof),
			help: "serve profiles of this process (/debug/pprof) on --telemetry-port"},
		{group: Security, name: "auth-filter", key: "auth_filter", value: truth(&o.AuthFilter),
			help: "require a bearer token for metrics and profiles, and ask the API server whether its user may read them (TokenReview, SubjectAccessReview)"},
		{group: Security, name: "tls-config", key: "tls_config", value: text(&o.TLSConfig), check: func() problem.List { return checkFile(o.TLSConfig) },
			help: "web configuration `file` of the Prometheus exporter-toolkit, for both ports: TLS, client certificates, basic authentication"},
	}
}

func (o *Options) processOptions() []option {
	return []option{
		{group: Memory, name: "auto-gomemlimit", key: "auto-gomemlimit", value: truth(&o.Memory.Auto),
			help: "set the memory limit of the Go runtime from the limit of the container"},
		{group: Memory, name: "auto-gomemlimit-ratio", key: "auto-gomemlimit-ratio", def: "0.9", value: float(&o.Memory.Ratio), check: o.checkRatio,
			help: "part of the limit of the container that --auto-gomemlimit sets, above 0 and at most 1"},
		{group: Logging, name: "log-format", key: "log_format", def: "text", value: text(&o.LogFormat), values: logFormats,
			check: func() problem.List { return checkOneOf("format", o.LogFormat, logFormats()) },
			help:  "`format` of the log: " + strings.Join(logFormats(), " or ")},
		{group: Logging, name: "log-level", key: "log_level", def: "info", value: text(&o.LogLevel), values: logLevels,
			check: func() problem.List { return checkOneOf("level", o.LogLevel, logLevels()) },
			help:  "lowest `level` that is logged: " + strings.Join(logLevels(), ", ")},
	}
}

func logFormats() []string { return []string{"text", "json"} }
func logLevels() []string  { return []string{"debug", "info", "warn", "error"} }

func resourceNames() []string { return kind.Names(kind.All()) }

func familyNames() []string {
	var names []string
	for _, d := range catalog() {
		names = append(names, d.Name)
	}
	return names
}

func optInFamilies() []string {
	var names []string
	for _, d := range catalog() {
		if d.OptIn {
			names = append(names, d.Name)
		}
	}
	return names
}

// allowListBeginnings returns the beginning of an allow-list of each resource.
func allowListBeginnings() []string {
	names := resourceNames()
	for i := range names {
		names[i] += "=["
	}
	return names
}

func resourcesHelp() string {
	help := "resources to serve, for example pods,nodes (default " + strings.Join(kind.Names(kind.Defaults()), ", ") + ")"
	var others []string
	for _, t := range kind.All() {
		if t.NotDefault {
			others = append(others, t.Name)
		}
	}
	if len(others) > 0 {
		help += ". Off by default: " + strings.Join(others, ", ")
	}
	return help
}
