package kubewatch

import (
	"context"
	"errors"
	"log/slog"
	"sync"
)

// Group runs several watches of one API server, each on its own: one that fails
// does not hold up the others. Its methods are safe for concurrent use.
type Group struct {
	watchers []*watcher
	changes  changes
}

// NewGroup returns a group that is not running yet. The error names every watch
// that is invalid. A nil logger discards.
func NewGroup(c *Client, watches []Watch, log *slog.Logger) (*Group, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	outage := newOutage(log)
	g, workers := &Group{watchers: make([]*watcher, len(watches))}, newWorkers()
	var problems []error
	for i, w := range watches {
		var err error
		g.watchers[i], err = newWatcher(c, w, workers, outage, log)
		if err == nil {
			g.watchers[i].tracker.changes = &g.changes
		}
		problems = append(problems, err)
	}
	return g, errors.Join(problems...)
}

// Run watches until ctx is cancelled and all watches have ended. It is called once.
func (g *Group) Run(ctx context.Context) {
	var running sync.WaitGroup
	for _, w := range g.watchers {
		running.Go(func() { w.run(ctx) })
	}
	running.Wait()
}

// Synced reports whether the store of every watch has been complete once.
func (g *Group) Synced() bool {
	for _, w := range g.watchers {
		if !w.tracker.snapshot().Synced {
			return false
		}
	}
	return true
}

// Statuses returns the status of each watch, in the order given to NewGroup.
func (g *Group) Statuses() []Status {
	statuses := make([]Status, len(g.watchers))
	for i, w := range g.watchers {
		statuses[i] = w.tracker.snapshot()
	}
	return statuses
}
