// Package cluster fills the store of a simulated API server with a synthetic
// cluster and changes it. Generate creates it: nodes, namespaces, workloads and
// their pods, sized by Config and reproducible by its seed. Churn changes it
// consistently: at a chosen rate (Run), or until a share of all objects has
// changed (ChangeShare).
package cluster
