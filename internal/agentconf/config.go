package agentconf

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/internal/strictyaml"
)

// Config is the configuration file of kubestate.
type Config struct {
	// What is pushed, and to whom. Without it nothing is.
	Agent *Agent `json:"agent,omitempty"`
}

// Agent says what is pushed, and to whom.
type Agent struct {
	// The naming table: datadog, ksm or otel, the path of a file with a table, or a
	// table itself. Default: ksm.
	Names Names `json:"names,omitzero"`
	// The resources to read, as plural names. Default: those that kubestate serves by
	// default, and those that the naming table adds. Resources of which the naming
	// table makes nothing are not read.
	Resources []string `json:"resources,omitempty"`
	// Labels of objects to show in families that are passed on under the names of
	// kube-state-metrics (kube_*_labels): patterns by resource, as in
	// --metric-labels-allowlist.
	Labels map[string][]string `json:"labels,omitempty"`
	// Annotations of objects to show in kube_*_annotations, likewise.
	Annotations map[string][]string `json:"annotations,omitempty"`

	// Joins give the labels of one family to other series. They replace those of the
	// naming table for the same source family, and add to them for others. One that is
	// empty takes that of the naming table away.
	Joins map[string]agent.Join `json:"joins,omitempty"`
	// Labels of objects that become tags of all their series, and of others that name
	// the object: by kind (pod), from the label to the tag. The label "*" stands for
	// all others; its tag is a template in which %%label%% is the name of the label. A
	// kind without labels takes those away that the naming table has.
	LabelsAsTags map[string]map[string]string `json:"labelsAsTags,omitempty"`
	// Annotations as tags, likewise; the template has %%annotation%%.
	AnnotationsAsTags map[string]map[string]string `json:"annotationsAsTags,omitempty"`
	// The tag that a label becomes, beside and before what the naming table says.
	LabelsMapper map[string]string `json:"labelsMapper,omitempty"`
	// Further totals.
	Aggregates []agent.Aggregate `json:"aggregates,omitempty"`

	// Tags of everything.
	Tags map[string]string `json:"tags,omitempty"`
	// Name of the cluster. Naming tables make a tag of it, and part of host names.
	ClusterName string `json:"clusterName,omitempty"`
	// ID of the cluster, for naming tables that make a tag of it. Default: the UID of
	// the namespace kube-system.
	ClusterID string `json:"clusterID,omitempty"`

	// Which pods count: default (all), cluster_unassigned (those without a node, beside
	// instances on every node) or cluster_aggregates_only (all, for totals and nothing
	// else).
	PodCollectionMode agent.PodMode `json:"podCollectionMode,omitempty"`
	// Whether another instance has the mode cluster_aggregates_only, so that one in
	// cluster_unassigned leaves those totals out.
	ClusterAggregates bool `json:"clusterAggregates,omitempty"`

	// Time from run to run. Default: 15s.
	Interval time.Duration `json:"interval,omitempty" minimum:"1s"`
	// If given, a run has only what changed, and everything once in this time.
	Heartbeat time.Duration `json:"heartbeat,omitempty" minimum:"1s"`

	// Election of the one replica that sends.
	LeaderElection LeaderElection `json:"leaderElection,omitzero"`
	// Who receives the runs.
	Sinks []Sink `json:"sinks,omitempty"`
}

// LeaderElection says how replicas find out which of them sends: by a Lease, an
// object of the Kubernetes API. All watch, so that the next leader is warm.
type LeaderElection struct {
	// Whether there are several replicas. Without it, each sends.
	Enabled bool `json:"enabled,omitempty"`
	// Namespace of the Lease. Default: that of the pod.
	Namespace string `json:"namespace,omitempty"`
	// Name of the Lease. Default: kubestate-agent.
	Name string `json:"name,omitempty"`
	// Name of this replica. Default: that of the host, and something random.
	Identity string `json:"identity,omitempty"`
	// How long a leader that is not heard of stays the leader. Default: 15s.
	LeaseDuration time.Duration `json:"leaseDuration,omitempty" minimum:"1s"`
	// How long a leader tries to renew the Lease before it gives up. Default: two
	// thirds of leaseDuration.
	RenewDeadline time.Duration `json:"renewDeadline,omitempty" minimum:"100ms"`
	// Time between two attempts to get or to renew the Lease. Default: a fifth of
	// renewDeadline.
	RetryPeriod time.Duration `json:"retryPeriod,omitempty" minimum:"10ms"`
}

// Bytes is a number of bytes, written as a number or with a unit: 33554432, 32MiB.
type Bytes int

// units are in the order in which they are looked for.
func units() []struct {
	name string
	size uint64
} {
	return []struct {
		name string
		size uint64
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"B", 1}, {"", 1}}
}

// maxBytes is what an int holds on any machine.
const maxBytes uint64 = math.MaxInt32

// ReadYAML implements strictyaml.Custom.
func (b *Bytes) ReadYAML(v strictyaml.Value) {
	text, _ := v.Scalar()
	for _, u := range units() {
		digits, ok := strings.CutSuffix(text, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSpace(digits), 10, 64)
		switch {
		case errors.Is(err, strconv.ErrRange) || err == nil && n > maxBytes/u.size:
			v.Wrong("%s is too much, want %d bytes or less", text, maxBytes)
			return
		case err == nil && n > 0:
			*b = Bytes(n * u.size)
			return
		}
		break
	}
	v.Wrong("want a number of bytes above 0, such as 65536, 64KiB or 32MiB")
}

// JSONSchema implements strictyaml.Custom.
func (*Bytes) JSONSchema(*strictyaml.Schemas) strictyaml.Schema {
	return strictyaml.Schema{"anyOf": []strictyaml.Schema{
		{"type": "integer", "minimum": 1, "maximum": maxBytes},
		{"type": "string", "pattern": `^[0-9]+ *(([KMG]i)?B)?$`},
	}}
}

// values are the values of types that have few.
func values() map[reflect.Type][]string {
	return map[reflect.Type][]string{
		reflect.TypeFor[agent.Type]():    {string(agent.Gauge), string(agent.Counter), string(agent.UpDown)},
		reflect.TypeFor[agent.Value]():   {string(agent.One), string(agent.Age)},
		reflect.TypeFor[agent.Status]():  {string(agent.OK), string(agent.Warning), string(agent.Critical), string(agent.Unknown)},
		reflect.TypeFor[agent.Op]():      {string(agent.Sum), string(agent.Count), string(agent.Min), string(agent.Max), string(agent.Latest)},
		reflect.TypeFor[agent.PodMode](): {string(agent.AllPods), string(agent.ClusterUnassigned), string(agent.ClusterAggregatesOnly)},
		reflect.TypeFor[Protocol]():      {string(protocolHTTP), string(protocolGRPC)},
		reflect.TypeFor[WriteVersion]():  {string(writeAuto), string(writeV1), string(writeV2)},
	}
}

// optional are keys that may be missing although their fields do not say so: the
// rule for all other families names none.
func optional() map[reflect.Type][]string {
	return map[reflect.Type][]string{reflect.TypeFor[agent.Rule](): {"family"}}
}

func options() strictyaml.Options {
	return strictyaml.Options{Values: values(), Optional: optional(), Explain: explain}
}

// ofKSM are the keys of the configuration file of kube-state-metrics, with the flag
// that says the same today; empty: there is none.
func ofKSM() map[string]string {
	return map[string]string{
		"annotations_allow_list": "--metric-annotations-allowlist", "labels_allow_list": "--metric-labels-allowlist",
		"metric_allowlist": "--metric-allowlist", "metric_denylist": "--metric-denylist", "metric_opt_in_list": "--metric-opt-in-list",
		"resources": "--resources", "apiserver": "--apiserver", "kubeconfig": "--kubeconfig", "host": "--host", "port": "--port",
		"telemetry_host": "--telemetry-host", "telemetry_port": "--telemetry-port",
		"namespaces": "--namespaces", "namespaces_denylist": "--namespaces-denylist",
		"server_read_timeout": "--server-read-timeout", "server_write_timeout": "--server-write-timeout",
		"server_idle_timeout": "--server-idle-timeout", "server_read_header_timeout": "--server-read-header-timeout",
		"enable_gzip_encoding": "--enable-gzip-encoding", "help": "--help",
		"custom_resource_config": "", "custom_resource_state_config_file": "", "custom_resource_config_file": "",
		"continue_without_custom_resource_state_config_file": "", "custom_resources_only": "",
		"namespace": "", "node": "", "pod": "", "tls_config": "", "config": "", "continue_without_config": "",
		"total_shards": "", "shard": "", "track_unscheduled_pods": "", "use_api_server_cache": "", "object_limit": "", "auth_filter": "",
		"auto-gomemlimit": "", "auto-gomemlimit-ratio": "",
	}
}

// explain says why a key of kube-state-metrics is refused: a setting that were
// ignored would show or read what somebody has excluded.
func explain(path string) string {
	flag, known := ofKSM()[path]
	switch {
	case !known:
		return ""
	case flag == "":
		return "this key of kube-state-metrics is not supported yet"
	default:
		return fmt.Sprintf("this key of kube-state-metrics is not read yet; use the flag %s", flag)
	}
}
