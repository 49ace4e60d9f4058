// Package datadog holds the names that the kubernetes_state_core check of the
// Datadog Agent gives to families, labels and totals, as a naming scheme. It is
// data, and what little of it only code can say; what it means is package agent's
// business.
//
// The files: names.go is the table, rules.go what becomes of families,
// aggregates.go the totals, tags.go what becomes of labels, and rollout.go follows
// rollouts.
package datadog

import (
	"slices"

	"github.com/kubestate/kubestate/agent/naming"
)

// Scheme returns the naming scheme. The caller may change it before use.
func Scheme() *naming.Scheme {
	return &naming.Scheme{
		Name:              "datadog",
		Doc:               "The metrics kubernetes_state.* as the kubernetes_state_core check of the Datadog Agent has them.",
		Prefix:            "kubernetes_state.",
		Resources:         []string{"endpoints"},
		Rules:             slices.Concat(plainRules(), podRules(), nodeRules(), batchRules(), otherRules(), rolloutRules()),
		Aggregates:        aggregates(),
		Joins:             defaultJoins(),
		AlwaysGet:         map[string][]string{"kube_pod_labels": {rolloutLabel}},
		AnnotationsAsTags: remoteConfig(),
		Labels:            labelTags(),
		Overrides:         overrides(),
		Owners:            &naming.Owners{Tags: ownerTags(), RolloutLabel: rolloutLabel, RolloutTag: "kube_argo_rollout"},
		HostTags:          []string{"node", "host"},
		ClusterNameTag:    "kube_cluster_name",
		ClusterIDTag:      "orch_cluster_id",
		LowerClusterName:  true,
		Tracker:           newRollouts,
	}
}
