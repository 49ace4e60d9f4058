// Package agent says what the series of a cluster are, for backends that metrics
// are pushed to: objects enter through Feeds, and a Reader hands out runs for a
// sink.Sink. In between, labels are joined across objects, families are renamed
// after a naming scheme, and totals are kept.
//
// All of it happens when an object changes, and only for what that touches: an
// object is collected once and becomes series that share blocks of tags; a join
// on another object is an entry in an index that knows who depends on it; a total
// is what was added less what was taken away. A run then walks what is there.
//
// A naming scheme is data (package naming): ksm, datadog.Scheme and
// otel.Scheme in packages below, and those of users. The package does not know
// where objects come from, what the names of any backend are, and how series are
// sent.
//
// The files: names.go is what a table can say, problem.go what it must not, and
// config.go what a user can; plan.go, planjoins.go and rule.go bind both to the
// catalog. An object comes in at feed.go; draft.go and resolve.go make of it what
// depends on nothing else, state.go brings what is kept up to date with that,
// block.go makes the tags that series share, joins.go and aggregate.go are what
// crosses objects, and object.go is what is kept in the end. reader.go makes runs,
// ended.go finds what is gone since the one before, and sender.go drives sinks.
package agent
