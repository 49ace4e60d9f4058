// Package kubestate turns the objects of a Kubernetes cluster into metrics.
//
// An [Exporter] holds the metrics of some kinds of objects. Sources feed it
// through a [Feed]: a full read (Begin, Put for each object, Commit), then changes
// as they come (Put, Delete). Package kubewatch is the source that reads an API
// server; a program may feed objects by hand as well. The Exporter is an
// http.Handler for /metrics.
//
// Objects are turned into samples once, when they change. A scrape hands out text
// that is already there.
//
// This package and what it imports know no client of the Kubernetes API, so that
// it is light to embed.
package kubestate
