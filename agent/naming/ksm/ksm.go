// Package ksm has the naming scheme that keeps the names of kube-state-metrics.
package ksm

import "github.com/kubestate/kubestate/agent/naming"

// Scheme returns the naming scheme that changes nothing: families keep their names, labels
// become tags, and opt-in families are omitted.
func Scheme() *naming.Scheme {
	return &naming.Scheme{
		Name: "ksm",
		Doc:  "The families of kube-state-metrics under their own names, labels as tags.",
		Rest: &naming.Rule{},
	}
}
