// Package sim is a simulated Kubernetes API server with a synthetic cluster
// behind it. It answers list, paged list, watch and streaming list as
// kube-apiserver does, in protobuf and JSON, whole objects or metadata only,
// changes the cluster at a chosen rate or by a chosen share, and fails in chosen
// ways. The demo, the benchmarks and the fault tests run against it.
//
// The parts are used in this order: NewStore, Generate, NewServer, Start, and
// where wanted NewChurn and Server.Inject.
//
// The package refuses to know metrics, and it is no replacement for a real API
// server: it does not validate objects, has no admission and no authentication.
// Over HTTP only Leases can be written, so that clients can elect a leader; all
// other objects change through Store only.
package sim
