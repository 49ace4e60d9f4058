// Package agent keeps the series of a cluster for backends that metrics are pushed to.
// Objects enter through Feeds; a Reader returns runs, which a sink.Sink sends. In
// between, labels are joined across objects, families are renamed by a naming scheme,
// and aggregations are kept.
//
// All work is done when an object changes, and only for what that affects. A run then
// only walks what is resolved.
//
//	          naming scheme, Config, catalog
//	                       │ compile
//	                       ▼
//	                    program
//	                       │
//	Feed ── object ─► resolver ── draft ─► state: objects ─► blocks of tags ◄─ joins
//	(one for each                             │     │                            ▲
//	source)                                   │     └─ labels for others ────────┘
//	                                          └─► aggregations
//	Reader ◄───────────────────────────────── snapshot
//	  │
//	  └─► sink.Run: all series, or those that changed, and those that ended
//
// Naming schemes are data (package naming): ksm, datadog and otel below it, and those
// of users. The package does not know where objects come from, the names of any
// backend, or how series are sent; package flush sends them.
//
// The packages import one way: naming, internal/compile (what becomes of the objects of
// each resource), internal/resolve (what becomes of one object), internal/series (the
// state, with a drawing), and this one, the API.
package agent
