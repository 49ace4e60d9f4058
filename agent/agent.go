package agent

import (
	"fmt"
	"strings"

	"github.com/kubestate/kubestate/kind"
)

// Agent keeps the series of a cluster as objects change. It is safe for
// concurrent use.
type Agent struct {
	tables []*kind.Table
}

// New returns an Agent without objects. The error names everything that is wrong
// with the configuration.
func New(c Config) (*Agent, error) {
	return &Agent{}, nil
}

// Tables returns the tables whose objects the Agent wants, planned to what it
// makes use of, ascending by name.
func (a *Agent) Tables() []*kind.Table { return a.tables }

// NewFeed returns a Feed for objects of a resource, one for each source of such
// objects. The error says that the Agent wants none of them.
func (a *Agent) NewFeed(resource string) (*Feed, error) {
	return nil, fmt.Errorf("resource %q is not among what the agent wants: %s", resource, strings.Join(kind.Names(a.tables), ", "))
}

// Synced tells whether every Feed has been read completely once.
func (a *Agent) Synced() bool { return false }

// NewReader returns a Reader, one for each that runs are made for.
func (a *Agent) NewReader() *Reader { return &Reader{} }

// Stats says how much an Agent holds.
type Stats struct {
	Objects    int    // of all kinds
	Series     int    // of objects and totals, without checks
	Failures   uint64 // objects that could not be collected whole, since the start
	Blocks     uint64 // blocks of tags that were made, since the start
	Dependents int    // objects that joins of other objects may change
}

// Stats returns the sums over all resources.
func (a *Agent) Stats() Stats { return Stats{} }
