// Package datadog holds the names that the kubernetes_state_core check of the
// Datadog Agent gives to families, labels and totals, as a naming table. It is
// data; what it means is package agent's business.
package datadog

import "github.com/kubestate/kubestate/agent"

// Names returns the naming table. The caller may change it before use.
func Names() *agent.Names {
	return &agent.Names{
		Name:   "datadog",
		Doc:    "kubernetes_state.* as the kubernetes_state_core check of the Datadog Agent has it.",
		Prefix: "kubernetes_state.",
	}
}
