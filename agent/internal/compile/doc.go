// Package compile turns a naming scheme, a configuration and the catalog of kinds into
// a Program: for each resource, which of its families are read and what becomes of
// their samples. A Program never changes, and knows no objects.
//
//	naming.Scheme ─┐
//	Config ────────┼─► compiler ─► Program
//	kind.Table ────┘               ├─ Resources ─ Families ─┬─ Rules ────────► Namer, Check, LabelPlan
//	                               │                        ├─ Aggregations ─► Grouping
//	                               │                        └─ Source (a Join)
//	                               ├─ Joins, Matches    what objects provide to others, and by which labels
//	                               └─ Groupings         by which labels aggregations group
package compile
