// Package resolve turns one object into a Draft, by the program of its resource: series
// and service checks with their tags, contributions to aggregations, and labels for
// others. A Draft depends on no other object, so objects are resolved concurrently.
//
//	object ─► samples ─┬─► rules ────────► series, checks ─► variants (one block of tags each)
//	                   ├─► aggregations ─► parts (group, cell, value)
//	                   └─► joins ────────► labels provided to others
package resolve
