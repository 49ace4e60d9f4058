// Package naming says what becomes of families, labels and aggregations on their way to a
// backend: a Scheme is data, which configuration files can hold. Schemes are in the packages below,
// and users write their own. The package does not know what an Agent makes of one.
//
// The files: scheme.go is what a scheme can say and problem.go what it must not; point.go
// is what functions of a scheme see of samples and objects, template.go what {label} is.
package naming

import (
	"slices"
	"time"
)

// Scheme is a naming scheme: what becomes of families, labels and aggregations on their
// way to a backend. Functions are for what the fields cannot say. A scheme must not be
// changed once an Agent has it.
type Scheme struct {
	Name string `json:"name"`
	Doc  string `json:"doc,omitempty"`
	// Prefix stands in front of the name of each metric and check.
	Prefix string `json:"prefix,omitempty"`
	// Resources are read beside those of kind.Defaults: plural names.
	Resources []string `json:"resources,omitempty"`

	// Rules say what becomes of families. One family may have several.
	Rules []Rule `json:"rules,omitempty"`
	// Rest is for families without a rule; nil leaves them out.
	Rest *Rule `json:"rest,omitempty"`
	// Aggregates are totals over many objects.
	Aggregates []Aggregate `json:"aggregates,omitempty"`

	// Joins are the joins there are without a user's doing, by source family.
	Joins map[string]Join `json:"joins,omitempty"`
	// AlwaysGet are labels that the join of a family gets even where a user
	// replaced it.
	AlwaysGet map[string][]string `json:"alwaysGet,omitempty"`
	// AnnotationsAsTags are as those of Config, and win over them.
	AnnotationsAsTags map[string]map[string]string `json:"annotationsAsTags,omitempty"`

	// Labels says which tag a label becomes; others keep their name.
	Labels map[string]string `json:"labels,omitempty"`
	// Overrides change what Labels made of the labels of some families.
	Overrides []Override `json:"overrides,omitempty"`
	// Owners says what becomes of labels that name an owner; nil: nothing special.
	Owners *Owners `json:"owners,omitempty"`
	// HostTags are the tags whose value is the host of a series too, with the name
	// of the cluster behind it where that is known.
	HostTags []string `json:"hostTags,omitempty"`
	// ClusterNameTag and ClusterIDTag are the tags, on everything, for name and ID of
	// the cluster; empty: none.
	ClusterNameTag string `json:"clusterNameTag,omitempty"`
	ClusterIDTag   string `json:"clusterIDTag,omitempty"`
	// LowerClusterName writes the name of the cluster in lower case in its tag, as
	// it always is in hosts.
	LowerClusterName bool `json:"lowerClusterName,omitempty"`
	// Entities say which tags describe the object rather than the value.
	Entities []Entity `json:"entities,omitempty"`

	// Tracker makes what sees the objects themselves; nil: nothing. It is given the
	// clock of the Agent.
	Tracker func(now func() time.Time) Tracker `json:"-"`
}

// Rule says what becomes of the samples of a family. The zero value, but for
// Family, passes them on under the name of the family.
type Rule struct {
	Family string `json:"family"`
	// Metric is the name of the metric, without Scheme.Prefix; empty: that of the
	// family, or none where Check is set. {label} stands for the value of a label,
	// or for what Choose makes of it. Labels make no more than 10,000 names: of what
	// would need another, nothing is sent, which is a failure in Stats.
	Metric string `json:"metric,omitempty"`
	Type   Type   `json:"type,omitempty"`
	Unit   string `json:"unit,omitempty"` // as UCUM has it
	Help   string `json:"help,omitempty"` // empty: that of the family
	Value  Value  `json:"value,omitempty"`
	// Start is a family with the time, in Unix seconds, from which a counter counts.
	Start string `json:"start,omitempty"`

	Filter
	Tags

	// States makes a series for each known value of a label, see there.
	States *States `json:"states,omitempty"`
	// Check makes it a service check.
	Check *Check `json:"check,omitempty"`
	// Adjust is called last, and reports whether the sample is kept. It must be safe
	// for concurrent use.
	Adjust func(*Point) bool `json:"-"`
}

// Type is the type of a metric.
type Type string

// The types there are. The zero value is Counter for families that are counters
// and Gauge for all others.
const (
	Gauge   Type = "gauge"
	Counter Type = "counter"
	UpDown  Type = "updown" // a current sum that may fall: an additive gauge
)

// Value says what the value of a series is.
type Value string

// The values there are.
const (
	AsIs Value = ""    // that of the sample
	One  Value = "one" // 1
	Age  Value = "age" // seconds since the time that the sample says, at the moment of a run
)

// Filter says which samples count. The zero value admits all.
type Filter struct {
	// Equal admits only samples of this value.
	Equal *float64 `json:"equal,omitempty"`
	// Where admits only samples whose labels have one of the given values, upper and
	// lower case alike. One * in a value stands for any text. A label that the sample
	// lacks is the empty value.
	Where map[string][]string `json:"where,omitempty"`
	// Choose says what stands in Metric for the value of a label; patterns as in
	// Where, of which the longest wins. Samples with other values do not count.
	Choose map[string]map[string]string `json:"choose,omitempty"`
	// Unless is a family: where the object has a sample of it, no sample counts.
	Unless string `json:"unless,omitempty"`
}

// Tags says what becomes of the labels that are the sample's own, beside those of
// the object. Joins see the labels as they were.
type Tags struct {
	// Drop are labels that become no tags.
	Drop []string `json:"drop,omitempty"`
	// Rename are tags by label, in place of what Scheme.Labels says.
	Rename map[string]string `json:"rename,omitempty"`
	// Values are what tags say in place of some values, by label.
	Values map[string]map[string]string `json:"values,omitempty"`
	// Set are further tags.
	Set map[string]string `json:"set,omitempty"`
	// Capture are tags, by label, with what * in Where stood for.
	Capture map[string]string `json:"capture,omitempty"`
}

// States makes, of each sample of the rule's family, one series for each of the
// values of a label: 1 if a sample of From, alike in all other labels that both
// have, has this value, else 0. So that states which an object is not in are
// zeroes rather than gaps.
type States struct {
	From   []string `json:"from"`
	Label  string   `json:"label"`
	Values []string `json:"values"`
}

// Check says what the service check of a sample is.
type Check struct {
	Name string `json:"name"` // as Rule.Metric
	// Message may say {label}.
	Message string `json:"message,omitempty"`
	// Status is that of every sample, or of those that Statuses does not tell.
	Status Status `json:"status,omitempty"`
	// Statuses are by the value of the label By.
	By       string            `json:"by,omitempty"`
	Statuses map[string]Status `json:"statuses,omitempty"`
	// Due makes the value a time in Unix seconds: OK until then, and Critical after
	// it, with how late it is behind the message.
	Due bool `json:"due,omitempty"`
}

// Status is the status of a service check; the zero value is OK.
type Status string

// The statuses there are.
const (
	OK       Status = "ok"
	Warning  Status = "warning"
	Critical Status = "critical"
	Unknown  Status = "unknown"
)

// Aggregate is a total over the samples of a family, in groups. Aggregates of the
// same name, operation and labels add to the same groups. Groups without samples
// are gone.
type Aggregate struct {
	Family string `json:"family"`
	Metric string `json:"metric,omitempty"` // as Rule.Metric
	Op     Op     `json:"op"`
	// By are the labels that make the groups; a label that a sample lacks is empty.
	By []string `json:"by,omitempty"`
	// Joined lets By name labels that joins within the object bring.
	Joined bool   `json:"joined,omitempty"`
	Type   Type   `json:"type,omitempty"`
	Unit   string `json:"unit,omitempty"`
	Help   string `json:"help,omitempty"`
	// Cluster marks a total that is right only where all Pods are seen; see PodMode.
	Cluster bool `json:"cluster,omitempty"`

	Filter

	// Check makes a service check of each group, in place of a metric; its Status is
	// that of the sample that Op chose. It has no Message and is not Due.
	Check *Check `json:"check,omitempty"`
	// Adjust is as in Rule. What it sets, By may name.
	Adjust func(*Point) bool `json:"-"`
}

// Op says how a total comes about.
type Op string

// The operations there are.
const (
	Sum   Op = "sum"
	Count Op = "count" // of samples, whatever their value
	Min   Op = "min"
	Max   Op = "max"
	// Latest is for checks only: the status of the sample with the highest
	// Point.Order. Of several, such as all of those for which no Adjust sets an order,
	// it is the worst status.
	Latest Op = "latest"
)

// Join says which labels of its source family other series get. A source sample
// joins all series whose labels Match agree; joined labels join nothing further.
// Only samples of value 1 are sources.
type Join struct {
	// Match are labels that source and series must share. Empty: all series.
	Match []string `json:"match,omitempty"`
	// Get are the labels to get, where they are not empty; "*" is as All.
	Get []string `json:"get,omitempty"`
	// All gets all labels but Match, also empty ones.
	All bool `json:"all,omitempty"`
	// Tags are names of tags by label, which Scheme.Labels may still change.
	Tags map[string]string `json:"tags,omitempty"`
	// Template is the tag of labels that All gets and Tags does not name: %%label%%
	// stands for the label without the prefix label_ or annotation_, as does
	// %%annotation%%. Empty: the label itself.
	Template string `json:"template,omitempty"`
}

// GetsAll reports whether a join gets all labels of its source.
func (j *Join) GetsAll() bool { return j.All || slices.Contains(j.Get, "*") }

// Empty reports whether a join says nothing, which takes that of a scheme away.
func (j *Join) Empty() bool { return len(j.Match)+len(j.Get)+len(j.Tags) == 0 && !j.All }

// Override changes tags of the families whose name begins with Prefix.
type Override struct {
	Prefix string            `json:"prefix"`
	Tags   map[string]string `json:"tags"` // by what Scheme.Labels made of the label
}

// Owners says what becomes of the labels that name the owner of an object:
// created_by_kind and created_by_name, owner_kind and owner_name. They become no
// tags themselves.
type Owners struct {
	// Tags are the tags for the name of an owner, by its kind. The name of a
	// ReplicaSet tells that of its Deployment, that of a Job its CronJob, where it is
	// formed as controllers form it: both get their tags. Other kinds: no tag.
	Tags map[string]string `json:"tags"`
	// RolloutLabel marks, where it is not empty, objects of an Argo Rollout.
	// RolloutTag then gets the name that the Deployment has. It becomes no tag itself.
	RolloutLabel string `json:"rolloutLabel,omitempty"`
	RolloutTag   string `json:"rolloutTag,omitempty"`
}

// Entity says which tags of the series of a resource describe the object: they
// are in Block.Resource rather than among the tags.
type Entity struct {
	Resource string   `json:"resource"` // plural; "*" for all that have no other
	Tags     []string `json:"tags"`
	// UID is the attribute for the UID of the object; empty: none.
	UID string `json:"uid,omitempty"`
}
