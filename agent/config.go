package agent

import (
	"log/slog"
	"time"

	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
	"github.com/kubestate/kubestate/sink"
)

// Config configures an Agent. The zero value sends the families of the default kinds
// unchanged.
type Config struct {
	// Scheme is the naming scheme; nil means ksm.Scheme.
	Scheme *naming.Scheme
	// Kinds are the tables to read; nil means kind.Defaults and Scheme.Resources.
	// Agent.Tables omits those that the naming scheme does not use.
	Kinds []*kind.Table
	// Keep selects which families without a rule are sent, if the naming scheme sends
	// such families (Scheme.Rest); nil keeps all except opt-in ones.
	Keep func(*metric.Desc) bool
	// Labels and Annotations select, by resource, the object labels and annotations that
	// unchanged families expose: key patterns, see kind.Options. Joins do not need them.
	Labels, Annotations map[string][]string

	// Joins, by source family, override those of the naming scheme. The zero Join removes
	// the scheme's join.
	Joins map[string]naming.Join
	// LabelsAsTags and AnnotationsAsTags add labels and annotations of an object as tags to
	// all its series and to series that name the object. They map a kind in lower case
	// ("pod", also "pods") to tag names by label or annotation key. The key "*" matches all
	// other keys, and its tag name is a template, see Join.Template. A nil map for a kind
	// removes those of the naming scheme.
	LabelsAsTags, AnnotationsAsTags map[string]map[string]string
	// LabelsMapper extends Scheme.Labels and takes precedence over it.
	LabelsMapper map[string]string
	// Aggregates are added to those of the naming scheme.
	Aggregates []naming.Aggregate

	// Tags are added to all series and checks.
	Tags []sink.Tag
	// ClusterName and ClusterID become tags if the naming scheme defines them;
	// ClusterName is also the suffix of host names. Empty means unknown; see
	// Agent.SetClusterID.
	ClusterName, ClusterID string

	PodMode PodMode
	// ClusterAggregates means that another instance, in the mode ClusterAggregatesOnly,
	// sends the aggregations that need all Pods; an instance in ClusterUnassigned then
	// omits them.
	ClusterAggregates bool

	// IgnoreUnknown logs references to unknown families and kinds instead of rejecting
	// them.
	IgnoreUnknown bool
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Logger logs objects that cannot be collected; nil means slog.Default.
	Logger *slog.Logger
}

// PodMode selects the Pods that an Agent collects, like pod_collection_mode of the
// Datadog Agent.
type PodMode string

// The Pod collection modes.
const (
	// AllPods collects everything in one instance.
	AllPods PodMode = "default"
	// ClusterUnassigned collects only Pods without a Node, next to an instance on every
	// Node that sends the series of the Pods there.
	ClusterUnassigned PodMode = "cluster_unassigned"
	// ClusterAggregatesOnly sends only the aggregations that need all Pods.
	ClusterAggregatesOnly PodMode = "cluster_aggregates_only"
)
