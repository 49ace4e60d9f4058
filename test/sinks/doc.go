// Package sinks tests every sink against a real receiver: what it receives must be what
// was sent. README.md lists the programs that are built for that and how long it takes.
package sinks
