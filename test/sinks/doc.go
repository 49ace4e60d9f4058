// Package sinks holds every sink against a real receiver: what that has read must
// be what was sent. README.md says which programs are built for that and how long
// it takes.
package sinks
