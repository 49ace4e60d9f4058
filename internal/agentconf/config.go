package agentconf

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/internal/strictyaml"
)

// Config is the configuration file of kubestate.
type Config struct {
	// What to push, and to which sinks. Without it nothing is pushed.
	Agent *Agent `json:"agent,omitempty"`

	keys Keys
}

// agentKey is the key of the section.
const agentKey = "agent"

// ReadYAML implements strictyaml.Custom.
func (c *Config) ReadYAML(v strictyaml.Value) {
	names := append([]string{agentKey}, c.keys.Names...)
	v.Pairs(func(key string, value strictyaml.Value) {
		switch {
		case key == agentKey:
			value.Into(&c.Agent)
		case slices.Contains(names, key):
			c.keys.Read(key, value)
		case c.keys.Unknown != nil:
			c.keys.Unknown(key, value)
		default:
			value.Unknown(key, names)
		}
	})
}

// Agent says what is pushed, and to which sinks.
type Agent struct {
	// The naming scheme: datadog, ksm or otel, the path of a file with a scheme, or a
	// scheme itself. Default: ksm.
	Names Names `json:"names,omitzero"`
	// The resources to read, as plural names. Default: those that kubestate serves by
	// default, and those that the naming scheme adds. Resources without metrics in the
	// naming scheme are not read.
	Resources []string `json:"resources,omitempty"`
	// Labels of objects to show in families that keep the names of kube-state-metrics
	// (kube_*_labels): patterns by resource, as in --metric-labels-allowlist.
	Labels map[string][]string `json:"labels,omitempty"`
	// Annotations of objects to show in kube_*_annotations, likewise.
	Annotations map[string][]string `json:"annotations,omitempty"`

	// Joins copy labels of one family to other series. A join replaces that of the
	// naming scheme for the same source family; an empty one removes it.
	Joins map[string]naming.Join `json:"joins,omitempty"`
	// Labels of objects that become tags of all their series, and of others that name
	// the object: by kind (pod), from the label to the tag. The label "*" stands for
	// all others; its tag is a template in which %%label%% is the name of the label. A
	// kind without labels removes those of the naming scheme.
	LabelsAsTags map[string]map[string]string `json:"labelsAsTags,omitempty"`
	// Annotations as tags, likewise; the template has %%annotation%%.
	AnnotationsAsTags map[string]map[string]string `json:"annotationsAsTags,omitempty"`
	// Tags by label, in addition to those of the naming scheme, and before them.
	LabelsMapper map[string]string `json:"labelsMapper,omitempty"`
	// Further aggregations.
	Aggregates []naming.Aggregate `json:"aggregates,omitempty"`

	// Tags of all series.
	Tags map[string]string `json:"tags,omitempty"`
	// Name of the cluster. Naming schemes make it a tag, and part of host names.
	ClusterName string `json:"clusterName,omitempty"`
	// ID of the cluster, for naming schemes that make it a tag. Default: the UID of the
	// namespace kube-system.
	ClusterID string `json:"clusterID,omitempty"`

	// Which pods to use: default (all), cluster_unassigned (those without a node, where
	// other instances run on every node) or cluster_aggregates_only (all, for
	// aggregations only).
	PodCollectionMode agent.PodMode `json:"podCollectionMode,omitempty"`
	// Whether another instance has the mode cluster_aggregates_only, so that one in
	// cluster_unassigned omits those aggregations.
	ClusterAggregates bool `json:"clusterAggregates,omitempty"`

	// Time from flush to flush. Default: 15s.
	Interval time.Duration `json:"interval,omitempty" minimum:"1s" maximum:"8760h"`
	// If given, a flush has only series that changed, and all of them once in this time.
	Heartbeat time.Duration `json:"heartbeat,omitempty" minimum:"1s" maximum:"8760h"`

	// Election of the replica that sends.
	LeaderElection LeaderElection `json:"leaderElection,omitzero"`
	// Where series are sent.
	Sinks []Sink `json:"sinks,omitempty"`
}

// LeaderElection says how replicas elect the one that sends: by a Lease. All of them
// watch, so that the next leader has its data.
type LeaderElection struct {
	// Whether replicas elect a leader. If not, each of them sends.
	Enabled bool `json:"enabled,omitempty"`
	// Namespace of the Lease. Default: that of the pod.
	Namespace string `json:"namespace,omitempty"`
	// Name of the Lease. Default: kubestate-agent.
	Name string `json:"name,omitempty"`
	// Name of this replica. Default: that of the host and a random suffix.
	Identity string `json:"identity,omitempty"`
	// How long a leader that does not renew the Lease stays the leader. Default: 15s.
	LeaseDuration time.Duration `json:"leaseDuration,omitempty" minimum:"1s" maximum:"1h"`
	// How long a leader tries to renew the Lease before it steps down. Default: two
	// thirds of leaseDuration.
	RenewDeadline time.Duration `json:"renewDeadline,omitempty" minimum:"100ms" maximum:"1h"`
	// Time between attempts to acquire or renew the Lease. Default: a fifth of
	// renewDeadline.
	RetryPeriod time.Duration `json:"retryPeriod,omitempty" minimum:"10ms" maximum:"1h"`
}

// Bytes is a number of bytes, written as a number or with a unit: 33554432, 32MiB.
type Bytes int

// units are tried in this order.
func units() []struct {
	name string
	size uint64
} {
	return []struct {
		name string
		size uint64
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"B", 1}, {"", 1}}
}

// maxBytes fits an int on any machine.
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
			v.Invalid("size", fmt.Sprintf("must be at most %d bytes", maxBytes))
			return
		case err == nil && n > 0:
			*b = Bytes(n * u.size)
			return
		}
		break
	}
	v.Invalid("size", "must be a positive number of bytes, such as 65536, 64KiB or 32MiB")
}

// JSONSchema implements strictyaml.Custom.
func (*Bytes) JSONSchema(*strictyaml.Schemas) strictyaml.Schema {
	return strictyaml.Schema{"anyOf": []strictyaml.Schema{
		{"type": "integer", "minimum": 1, "maximum": maxBytes},
		{"type": "string", "pattern": `^[0-9]+ *(([KMG]i)?B)?$`},
	}}
}

// values are the allowed values of enumerated types.
func values() map[reflect.Type][]string {
	return map[reflect.Type][]string{
		reflect.TypeFor[naming.Type]():   {string(naming.Gauge), string(naming.Counter), string(naming.UpDown)},
		reflect.TypeFor[naming.Value]():  {string(naming.One), string(naming.Age)},
		reflect.TypeFor[naming.Status](): {string(naming.OK), string(naming.Warning), string(naming.Critical), string(naming.Unknown)},
		reflect.TypeFor[naming.Op]():     {string(naming.Sum), string(naming.Count), string(naming.Min), string(naming.Max), string(naming.Latest)},
		reflect.TypeFor[agent.PodMode](): {string(agent.AllPods), string(agent.ClusterUnassigned), string(agent.ClusterAggregatesOnly)},
		reflect.TypeFor[Protocol]():      {string(protocolHTTP), string(protocolGRPC)},
		reflect.TypeFor[WriteVersion]():  {string(writeAuto), string(writeV1), string(writeV2)},
	}
}

// optional are keys that may be missing although their tags do not say so: the default rule
// has no family.
func optional() map[reflect.Type][]string {
	return map[reflect.Type][]string{reflect.TypeFor[naming.Rule](): {"family"}}
}

func options() strictyaml.Options {
	return strictyaml.Options{Values: values(), Optional: optional()}
}
