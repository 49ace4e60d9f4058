// Package datadog has the naming scheme with the metric names and tags of the Datadog
// Agent's kubernetes_state_core check. It is data, with code only for what data cannot
// express; package agent applies it.
//
// The files: scheme.go assembles the scheme from rules.go, aggregates.go and tags.go;
// rollout.go tracks rollouts.
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
