// Package agent maintains the series of a cluster for backends that take pushed metrics.
// Objects enter through Feeds; a Reader returns runs, which a sink.Sink sends. In between,
// the agent joins labels across objects, renames families by a naming scheme, and maintains
// aggregations.
//
// All work is done when an object changes, and only for what that change affects. A flush
// only iterates over resolved series.
//
//	          naming scheme, Config, catalog
//	                       │ compile
//	                       ▼
//	                    program
//	                       │
//	Feed ── object ─► resolver ── draft ─► state: objects ─► blocks of tags ◄─ joins
//	(one per                                  │     │                            ▲
//	source)                                   │     └─ labels for others ────────┘
//	                                          └─► aggregations
//	Reader ◄───────────────────────────────── snapshot
//	  │
//	  └─► sink.Run: all series, or the changed ones, and the stale ones
//
// Naming schemes are data (package naming): the built-in ksm, datadog and otel, and those
// of users. This package does not know where objects come from, what any backend calls
// them, or how series are sent; package flush sends them.
//
// Each of these packages imports only earlier ones: naming, internal/compile (compiles the
// configuration per resource), internal/resolve (resolves one object), internal/series (the
// state, with a diagram), and this one, the API.
package agent
