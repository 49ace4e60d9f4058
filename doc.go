// Package kubestate turns the objects of a Kubernetes cluster into metrics.
//
// An [Exporter] holds the metrics of some kinds of objects. Sources feed it
// through a [Feed]: a full read (Begin, Put for each object, Commit), then changes
// as they come (Put, Delete). Package kubewatch is the source that reads an API
// server; a program may feed objects by hand as well, and needs no cluster then.
// The Exporter is an http.Handler for /metrics.
//
// Objects are turned into samples once, when they change. A scrape hands out text
// that is already there.
//
// # What to change, and where
//
//   - Which kinds: [Config].Kinds, from the tables of package kind. kind.Define makes
//     tables of one's own, kind.Extend adds families to those of the catalog.
//   - Which families: [Config].Keep, which decides by the descriptor of a family.
//   - Which labels and annotations of objects: [Config].Labels and Annotations.
//   - Samples instead of text: kind.Table.Collect gives the samples of an object to a
//     metric.Sink.
//   - Labels of related objects on lines: [Config].Joins.
//   - Another store: kubewatch feeds whatever satisfies kubewatch.Store, of which
//     [Feed] is one; kubewatch.Tee feeds several from one watch.
//   - Series to push rather than text to scrape: package agent makes them, with the
//     names of agent/datadog, agent/otel or a table of one's own, and the packages
//     below sink send them.
//
// The examples show each of them, for the last in package agent. docs/library.md
// compares them with the hooks of kube-state-metrics.
//
// This package and what it imports know no client of the Kubernetes API, so that
// it is light to embed.
package kubestate
