// Package series keeps the series of a cluster: objects, the blocks of tags that their
// series share, the labels that objects provide to others, and aggregations. All of it
// is updated when an object changes, and only where that has an effect; a Snapshot
// copies references.
//
//	  Objects (a set for each source)                groups (a set for each grouping)
//	┌───────────────────────────────┐             ┌────────────────────────────────┐
//	│ entry   labels, parts ────────┼── adds to ─►│ group   labels, cells          │
//	└──┬─────────────┬──────────────┘             └──┬─────────────┬───────────────┘
//	   │ slot        │ depends on a leaf             │ slot        │ depends on a leaf
//	   ▼             ▼                               ▼             ▼
//	 object     joins: one index for each set of labels by which joins match
//	   │          key ─► leaf: labels provided under the key, dependents
//	   │                   ▲
//	   │                   └── entries provide labels
//	   ├─ shape     metric, tags and block number of each series (interned)
//	   ├─ values    one for each series
//	   └─ blocks    built from labels and leaves; several series share one
//
// A change of what a leaf provides marks its dependents dirty; before a snapshot, their
// blocks are rebuilt. An object in a slot never changes: whoever changes it replaces
// it, so snapshots need no copies of series.
//
// The files, from low to high: object.go has resolved objects, slots.go where they are
// kept; joins.go and blocks.go make blocks; accumulator.go and ranking.go compute
// aggregations; upkeep.go has what groups.go and objects.go share; state.go puts it
// together; snapshot.go and ended.go read it.
package series
