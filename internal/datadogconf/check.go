// Package datadogconf reads the configuration file of the kubernetes_state_core check
// of the Datadog Agent and turns it into settings of the agent. Like the check it
// ignores unknown keys; unlike it, it warns about them. It does not know how the
// settings are used.
//
// Keys and their meaning are those of the check's instances. Settings of the Agent as a
// whole, such as its address, its API key and the name of the cluster, are not in such
// a file.
package datadogconf

import (
	"github.com/kubestate/kubestate/internal/strictyaml"
)

// file is a configuration of the check, as the Agent reads it.
type file struct {
	InitConfig struct {
		Service string `json:"service,omitempty"`
	} `json:"init_config,omitzero"`
	Instances []instance `json:"instances,omitempty"`

	// Keys for the Agent, which starts the check.
	ADIdentifiers anything `json:"ad_identifiers,omitzero"`
	ClusterCheck  anything `json:"cluster_check,omitzero"`
	Logs          anything `json:"logs,omitzero"`
}

// instance is one instance of the check.
type instance struct {
	Collectors        []string                     `json:"collectors,omitempty"`
	LabelJoins        map[string]labelJoin         `json:"label_joins,omitempty"`
	LabelsAsTags      map[string]map[string]string `json:"labels_as_tags,omitempty"`
	AnnotationsAsTags map[string]map[string]string `json:"annotations_as_tags,omitempty"`
	LabelsMapper      map[string]string            `json:"labels_mapper,omitempty"`
	Tags              []string                     `json:"tags,omitempty"`
	Service           string                       `json:"service,omitempty"`
	Namespaces        []string                     `json:"namespaces,omitempty"`
	Telemetry         bool                         `json:"telemetry,omitempty"`
	PodCollectionMode string                       `json:"pod_collection_mode,omitempty"`
	ClusterAggregates bool                         `json:"cluster_aggregates_enabled,omitempty"`
	SkipElection      bool                         `json:"skip_leader_election,omitempty"`
	Interval          float64                      `json:"min_collection_interval,omitempty"` // seconds

	// Keys without effect, in kubestate or in the check: lists come from the cache of the
	// API server, tags are built when objects change, and no series has the host of the
	// program.
	UseAPIServerCache    anything `json:"use_apiserver_cache,omitzero"`
	PrecomputeSeriesTags anything `json:"precompute_series_tags,omitzero"`
	DisableGlobalTags    anything `json:"disable_global_tags,omitzero"`
	EmptyDefaultHostname anything `json:"empty_default_hostname,omitzero"`
	ResyncPeriod         anything `json:"resync_period,omitzero"`
	Name                 anything `json:"name,omitzero"`

	CustomResource   anything `json:"custom_resource,omitzero"`
	DRADeviceClasses []string `json:"dra_device_classes,omitempty"`
	ShardCriteria    []string `json:"shard_criteria,omitempty"`
	ShardID          int      `json:"shard_id,omitempty"`
	ShardCount       int      `json:"shard_count,omitempty"`
}

type labelJoin struct {
	Match []string `json:"labels_to_match,omitempty"`
	Get   []string `json:"labels_to_get,omitempty"`
	All   bool     `json:"get_all_labels,omitempty"`
}

// anything is a value that is not read.
type anything struct{ given bool }

// ReadYAML implements strictyaml.Custom.
func (a *anything) ReadYAML(strictyaml.Value) { a.given = true }
