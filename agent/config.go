package agent

import (
	"log/slog"
	"time"

	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
	"github.com/kubestate/kubestate/sink"
)

// Config says what an Agent makes of objects. The zero value passes on the
// families of the default kinds as they are.
type Config struct {
	// Scheme is the naming scheme; nil is that of package ksm.
	Scheme *naming.Scheme
	// Kinds are the tables to read; nil reads kind.Defaults and Scheme.Resources.
	// Those that the naming scheme makes nothing of are not among Agent.Tables.
	Kinds []*kind.Table
	// Keep decides which of the families without a rule are passed on, where the
	// naming scheme does that; nil keeps all but opt-in ones.
	Keep func(*metric.Desc) bool
	// Labels and Annotations are the key patterns (see kind.Options) of the labels and
	// annotations that families passed on show, by resource. Joins need none of them.
	Labels, Annotations map[string][]string

	// Joins replace those of the naming scheme for the same source family, and add to
	// them for others. The zero Join takes that of the naming scheme away.
	Joins map[string]naming.Join
	// LabelsAsTags and AnnotationsAsTags add labels and annotations of objects to all
	// their series, and to others that name the object: by kind in lower case
	// ("pod", also "pods"), from the key to the name of the tag. The key "*" stands for
	// all others and makes the name a template, see Join.Template. A kind with nil
	// takes those away that the naming scheme has.
	LabelsAsTags, AnnotationsAsTags map[string]map[string]string
	// LabelsMapper adds to, and wins over, Scheme.Labels.
	LabelsMapper map[string]string
	// Aggregates are further totals.
	Aggregates []naming.Aggregate

	// Tags are added to everything.
	Tags []sink.Tag
	// ClusterName and ClusterID become tags where the naming scheme has such, and the
	// name part of hosts. Empty: not known; see Agent.SetClusterID.
	ClusterName, ClusterID string

	PodMode PodMode
	// ClusterAggregates says that another instance, in the mode ClusterAggregatesOnly,
	// sends the totals that need all Pods; an instance in ClusterUnassigned then
	// leaves them out.
	ClusterAggregates bool

	// IgnoreUnknown logs families and kinds that do not exist, where the Config names
	// any, rather than refusing them.
	IgnoreUnknown bool
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Logger is told of objects that cannot be collected; nil logs to slog.Default.
	Logger *slog.Logger
}

// PodMode says which Pods an Agent sees, as pod_collection_mode of the Datadog
// Agent does.
type PodMode string

// The modes there are.
const (
	// AllPods is one instance for everything.
	AllPods PodMode = "default"
	// ClusterUnassigned is the companion of instances on every Node, which send the
	// series of the Pods there: it is fed Pods without a Node alone.
	ClusterUnassigned PodMode = "cluster_unassigned"
	// ClusterAggregatesOnly sends nothing but the totals that need all Pods.
	ClusterAggregatesOnly PodMode = "cluster_aggregates_only"
)
