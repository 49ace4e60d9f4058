// Package apiserver is a simulated Kubernetes API server. It answers get, list,
// paged list, watch and streaming list as kube-apiserver does, in protobuf and
// JSON, as whole objects or metadata only, and fails in chosen ways. The demo, the
// benchmarks and the fault tests run against it.
//
//	Store (objects, log of changes)
//	  ▲ Put, Delete            │ list, watch
//	  │                        ▼
//	tests, package cluster   Server (path → verb → fault → response) ──► Start (127.0.0.1)
//
// It does not validate objects and has neither admission nor authentication. Only
// Leases can be written over HTTP, so that clients can elect a leader; all other
// objects change through Store. It knows no metrics and no synthetic cluster.
package apiserver
