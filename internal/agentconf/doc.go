// Package agentconf is the configuration of the agent: what a file can say, and
// what it comes to. It turns what the user wrote into values for others to use,
// and says all that is wrong with it at once, with lines. It knows the settings of
// every sink. It refuses to know clusters and how runs are made: it opens no
// connection.
//
// config.go is the file, sink.go and sinks.go the settings of sinks, names.go
// which naming tables there are, check.go and checksink.go what is right,
// settings.go what it comes to; sinkflag.go is the short form of a sink, schema.go
// the JSON schema.
package agentconf
