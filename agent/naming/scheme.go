// Package naming defines naming schemes, which map families, labels and aggregations to the
// names and tags of a backend. A Scheme is data, and can be written in a configuration file.
// The built-in schemes are in the packages below; users write their own. How an Agent applies
// a scheme is not part of this package.
//
// The files: scheme.go has the fields of a scheme and problem.go validates them; point.go has
// what functions of a scheme see of samples and objects, template.go parses {label}.
package naming

import (
	"slices"
	"time"
)

// Scheme is a naming scheme: it maps families, labels and aggregations to the names and tags
// of a backend. Functions are for what fields cannot express. A scheme must not be modified
// once an Agent uses it.
type Scheme struct {
	Name string `json:"name"`
	Doc  string `json:"doc,omitempty"`
	// Prefix is prepended to the name of each metric and check.
	Prefix string `json:"prefix,omitempty"`
	// Resources are plural names of resources to read in addition to kind.Defaults.
	Resources []string `json:"resources,omitempty"`

	// Rules map families to metrics and checks. A family may have several.
	Rules []Rule `json:"rules,omitempty"`
	// Rest applies to families without a rule; nil omits them.
	Rest *Rule `json:"rest,omitempty"`
	// Aggregates are sums, counts and the like over many objects.
	Aggregates []Aggregate `json:"aggregates,omitempty"`

	// Joins are the built-in joins, by source family.
	Joins map[string]Join `json:"joins,omitempty"`
	// AlwaysGet are labels that the join of a family gets even if a user overrides the join.
	AlwaysGet map[string][]string `json:"alwaysGet,omitempty"`
	// AnnotationsAsTags are as in agent.Config, and take precedence over those.
	AnnotationsAsTags map[string]map[string]string `json:"annotationsAsTags,omitempty"`

	// Labels maps labels to tags; other labels keep their name.
	Labels map[string]string `json:"labels,omitempty"`
	// Overrides change the tags of some families, after Labels.
	Overrides []Override `json:"overrides,omitempty"`
	// Owners maps labels that name an owner; nil treats them like any other.
	Owners *Owners `json:"owners,omitempty"`
	// HostTags are the tags whose value is also the host of a series, followed by the
	// cluster name if it is known.
	HostTags []string `json:"hostTags,omitempty"`
	// ClusterNameTag and ClusterIDTag are the tags for the name and the ID of the cluster on
	// all series and checks; empty means none.
	ClusterNameTag string `json:"clusterNameTag,omitempty"`
	ClusterIDTag   string `json:"clusterIDTag,omitempty"`
	// LowerClusterName lower-cases the cluster name in its tag. In hosts it always is in
	// lower case.
	LowerClusterName bool `json:"lowerClusterName,omitempty"`
	// Entities list the tags that describe the object rather than the value.
	Entities []Entity `json:"entities,omitempty"`

	// Tracker returns a new Tracker, given the clock of the Agent; nil means none.
	Tracker func(now func() time.Time) Tracker `json:"-"`
}

// Rule maps the samples of a family. With only Family set, it sends them under the name of
// the family.
type Rule struct {
	Family string `json:"family"`
	// Metric is the name of the metric, without Scheme.Prefix. Empty means the name of the
	// family, or no metric if Check is set. {label} is replaced by the value of a label, or
	// by what Choose maps it to. Labels make at most 10,000 names: samples that would need
	// another are not sent and count as failures in agent.Stats.
	Metric string `json:"metric,omitempty"`
	Type   Type   `json:"type,omitempty"`
	Unit   string `json:"unit,omitempty"` // a UCUM unit
	Help   string `json:"help,omitempty"` // empty: that of the family
	Value  Value  `json:"value,omitempty"`
	// Start is the family with the start time of a counter in Unix seconds.
	Start string `json:"start,omitempty"`

	Filter
	Tags

	// States sends a series for each known value of a label, see States.
	States *States `json:"states,omitempty"`
	// Check sends a service check.
	Check *Check `json:"check,omitempty"`
	// Adjust is called last, and reports whether to keep the sample. It must be safe for
	// concurrent use.
	Adjust func(*Point) bool `json:"-"`
}

// Type is the type of a metric.
type Type string

// The metric types. The zero value is Counter for families that are counters and Gauge for
// all others.
const (
	Gauge   Type = "gauge"
	Counter Type = "counter"
	UpDown  Type = "updown" // an OpenTelemetry UpDownCounter: a sum that may fall
)

// Value selects the value of a series.
type Value string

// The kinds of values.
const (
	AsIs Value = ""    // the value of the sample
	One  Value = "one" // 1
	Age  Value = "age" // seconds from the time in the sample to the flush
)

// Filter selects samples. The zero value selects all.
type Filter struct {
	// Equal selects samples with this value.
	Equal *float64 `json:"equal,omitempty"`
	// Where selects samples whose labels each have one of the given values, ignoring case.
	// A value may have one *, which matches any text. A missing label has the empty value.
	Where map[string][]string `json:"where,omitempty"`
	// Choose maps the value of a label to text in Metric. Patterns are as in Where; the
	// longest match wins. Samples with other values are left out.
	Choose map[string]map[string]string `json:"choose,omitempty"`
	// Unless is a family. If the object has a sample of it, all samples are left out.
	Unless string `json:"unless,omitempty"`
}

// Tags maps the sample's own labels, as opposed to those of the object, to tags. Joins see
// the original labels.
type Tags struct {
	// Drop lists labels that do not become tags.
	Drop []string `json:"drop,omitempty"`
	// Rename maps labels to tags, in place of Scheme.Labels.
	Rename map[string]string `json:"rename,omitempty"`
	// Values maps, by label, label values to tag values.
	Values map[string]map[string]string `json:"values,omitempty"`
	// Set adds tags.
	Set map[string]string `json:"set,omitempty"`
	// Capture maps labels to tags for the text that * in Where matched.
	Capture map[string]string `json:"capture,omitempty"`
}

// States sends, for each sample of the rule's family, one series for each of the values of a
// label: 1 if a sample of From with the same values of all other shared labels has that
// value, else 0. States that an object is not in are then zeros rather than gaps.
type States struct {
	From   []string `json:"from"`
	Label  string   `json:"label"`
	Values []string `json:"values"`
}

// Check is a service check made from a sample.
type Check struct {
	Name string `json:"name"` // as Rule.Metric
	// Message is a template with {label}.
	Message string `json:"message,omitempty"`
	// Status is the status of samples that Statuses does not cover.
	Status Status `json:"status,omitempty"`
	// Statuses maps values of the label By to statuses.
	By       string            `json:"by,omitempty"`
	Statuses map[string]Status `json:"statuses,omitempty"`
	// Due means that the value is a deadline in Unix seconds: the status is OK until then
	// and Critical afterwards, with the delay appended to the message.
	Due bool `json:"due,omitempty"`
}

// Status is the status of a service check; the zero value is OK.
type Status string

// The statuses of a service check.
const (
	OK       Status = "ok"
	Warning  Status = "warning"
	Critical Status = "critical"
	Unknown  Status = "unknown"
)

// Aggregate aggregates the samples of a family in groups. Aggregates with the same name,
// operation and labels share their groups. Groups without samples are removed.
type Aggregate struct {
	Family string `json:"family"`
	Metric string `json:"metric,omitempty"` // as Rule.Metric
	Op     Op     `json:"op"`
	// By lists the labels to group by; a missing label has the empty value.
	By []string `json:"by,omitempty"`
	// Joined allows By to name labels from joins within the object.
	Joined bool   `json:"joined,omitempty"`
	Type   Type   `json:"type,omitempty"`
	Unit   string `json:"unit,omitempty"`
	Help   string `json:"help,omitempty"`
	// Cluster marks an aggregation that needs all Pods; see agent.PodMode.
	Cluster bool `json:"cluster,omitempty"`

	Filter

	// Check sends a service check for each group, in place of a metric. Its status is that
	// of the sample that Op selects. Message and Due must not be set.
	Check *Check `json:"check,omitempty"`
	// Adjust is as in Rule. By may name tags that it sets.
	Adjust func(*Point) bool `json:"-"`
}

// Op is the operation of an aggregation.
type Op string

// The aggregation operations.
const (
	Sum   Op = "sum"
	Count Op = "count" // of samples, whatever their value
	Min   Op = "min"
	Max   Op = "max"
	// Latest is for checks only: the status of the sample with the highest Point.Order. If
	// several have it, as they do if no Adjust sets Order, the worst status wins.
	Latest Op = "latest"
)

// Join adds labels of its source family to other series: to all that have the same values of
// the labels in Match. Joined labels are not used to match further joins. Only samples with
// value 1 are sources.
type Join struct {
	// Match lists the labels to match on. Empty matches all series.
	Match []string `json:"match,omitempty"`
	// Get lists the labels to add, unless they are empty; "*" is the same as All.
	Get []string `json:"get,omitempty"`
	// All adds all labels except those in Match, including empty ones.
	All bool `json:"all,omitempty"`
	// Tags maps labels to tags, to which Scheme.Labels still applies.
	Tags map[string]string `json:"tags,omitempty"`
	// Template is the tag for labels that All adds and Tags does not name. %%label%% and
	// %%annotation%% are replaced by the label without the prefix label_ or annotation_.
	// Empty means the label itself.
	Template string `json:"template,omitempty"`
}

// GetsAll reports whether a join gets all labels of its source.
func (j *Join) GetsAll() bool { return j.All || slices.Contains(j.Get, "*") }

// Empty reports whether a join is empty, which removes that of a scheme.
func (j *Join) Empty() bool { return len(j.Match)+len(j.Get)+len(j.Tags) == 0 && !j.All }

// Override changes tags of families whose name has the prefix Prefix.
type Override struct {
	Prefix string            `json:"prefix"`
	Tags   map[string]string `json:"tags"` // by tag according to Scheme.Labels
}

// Owners maps the labels that name the owner of an object: created_by_kind and
// created_by_name, owner_kind and owner_name. They do not become tags themselves.
type Owners struct {
	// Tags maps the kind of an owner to the tag for its name; other kinds have none. The
	// Deployment of a ReplicaSet and the CronJob of a Job are derived from its name, if that
	// has the form that the controllers give it, and both owners get their tags.
	Tags map[string]string `json:"tags"`
	// RolloutLabel marks, unless its value is empty, objects of an Argo Rollout. The name
	// derived for the Deployment then also becomes RolloutTag. The label does not become a
	// tag itself.
	RolloutLabel string `json:"rolloutLabel,omitempty"`
	RolloutTag   string `json:"rolloutTag,omitempty"`
}

// Entity lists the tags that describe the object for series of a resource. They go to
// sink.Block.Resource instead of the tags.
type Entity struct {
	Resource string   `json:"resource"` // plural; "*" is the default for resources without their own
	Tags     []string `json:"tags"`
	// UID is the attribute for the UID of the object; empty means none.
	UID string `json:"uid,omitempty"`
}
