// Package agentconf is the configuration of the agent: the section agent of the
// configuration file, naming schemes and sinks. It turns them into values for other
// packages, and reports all problems at once, with lines. It knows the settings of
// every sink. It does not know clusters and flushes: it opens no connection.
//
// config.go is the file, sink.go and sinks.go the settings of sinks, names.go the
// built-in naming schemes, check.go and checksink.go the checks, settings.go the
// result; sinkflag.go is the short form of a sink, schema.go the JSON schema.
package agentconf
