// Package kubestate turns the objects of a Kubernetes cluster into Prometheus metrics.
//
// An [Exporter] stores the metrics of the objects of some kinds and is an http.Handler
// that serves them. A source delivers the objects through a [Feed]: a complete list (Begin,
// Put for each object, Commit), then changes as they happen (Put, Delete). Package
// kubewatch is the source that watches an API server. A program may also feed objects
// itself; it needs no cluster then.
//
// Metrics are computed when an object changes. A scrape only writes text that is already
// there, compressed if the client accepts that.
//
// # Customize
//
//   - Kinds: [Config].Kinds, from the tables of package kind. kind.Define makes a table for
//     a type of your own, kind.Extend adds families to a kind of the catalog.
//   - Families: [Config].Keep filters them by descriptor.
//   - Labels and annotations of objects as labels: [Config].Labels and Annotations.
//   - Labels of related objects on samples: [Config].Joins.
//   - Samples instead of text: kind.Table.Collect passes the samples of an object to a
//     metric.Sink.
//   - A store of your own: kubewatch feeds whatever implements kubewatch.Store, as [Feed]
//     does; kubewatch.Tee feeds several stores from one watch.
//   - Push instead of scrape: package agent computes series with the names of
//     agent/datadog, agent/otel or a naming scheme of your own, and the packages below
//     sink send them.
//
// The examples show each of them, the last one in package agent. docs/library.md
// compares them with the hooks of kube-state-metrics.
//
// This package and its imports contain no Kubernetes client, so it is light to embed.
package kubestate
