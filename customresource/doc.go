// Package customresource makes tables of kind from a custom-resource-state
// configuration, the language in which kube-state-metrics describes metrics of
// custom resources.
//
//	configuration ─Parse─► Config ─Compile, for a resource that is served─► kind.Table
//
// A Config is text that was understood. Compile binds one of its entries to one
// resource of the API; the table that it returns is like those of the catalog: the
// same stores, filters and scrapes work with it. [Object] holds the fields of a
// custom resource that the table reads, and no others.
//
// It does not know how objects are read, and where samples go.
package customresource
