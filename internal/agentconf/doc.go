// Package agentconf is the configuration of the agent: the section agent of the
// configuration file, naming schemes and sinks. It turns them into values for other
// packages, and reports all problems at once, with line numbers. It knows the settings of
// every sink, but not clusters and flushes: it opens no connection.
//
// config.go defines the file, sink.go and sinks.go the settings of sinks, names.go the
// built-in naming schemes, settings.go the result, sinkflag.go the short form of a sink,
// and schema.go the JSON schema; check.go and checksink.go have the checks.
package agentconf
