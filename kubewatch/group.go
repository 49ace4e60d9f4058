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
	client  *Client
	workers *workers
	outage  *outage
	log     *slog.Logger
	changes changes

	mu      sync.Mutex
	ctx     context.Context // of Run; nil: not running
	members []*member       // those of NewGroup, then those of the plan in its order
	running sync.WaitGroup
}

// member is a watch of a Group.
type member struct {
	*watcher
	entry  Entry   // of the plan; zero for a Watch given to NewGroup
	stores []Store // one per consumer of entry
	stop   context.CancelFunc
	done   chan struct{} // closed when the watch has ended; nil: not started

	// handover is what this member takes part in until it serves; nil: it serves. It is
	// guarded by the mutex of the Group, as is gone.
	handover *handover
	gone     bool // replaced or removed: its stores are no longer to be filled
}

// NewGroup returns a group that is not running yet. The error names every watch
// that is invalid. A nil logger discards.
func NewGroup(c *Client, watches []Watch, log *slog.Logger) (*Group, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	g := &Group{client: c, workers: newWorkers(), outage: newOutage(log), log: log}
	var problems []error
	for _, w := range watches {
		watcher, err := g.newWatcher(w)
		problems = append(problems, err)
		g.members = append(g.members, &member{watcher: watcher})
	}
	return g, errors.Join(problems...)
}

func (g *Group) newWatcher(w Watch) (*watcher, error) {
	watcher, err := newWatcher(g.client.fixed(), w, g.workers, g.outage, g.log)
	if err == nil {
		watcher.tracker.changes = &g.changes
	}
	return watcher, err
}

// Run watches until ctx is cancelled and all watches have ended. It is called once.
func (g *Group) Run(ctx context.Context) {
	g.mu.Lock()
	g.ctx = ctx
	for _, m := range g.members {
		g.start(m)
	}
	g.mu.Unlock()
	<-ctx.Done()
	g.mu.Lock()
	g.ctx = nil // nothing starts any more
	g.mu.Unlock()
	g.running.Wait()
	g.outage.close()
}

// start runs a member if the group runs. It is called with the mutex locked.
func (g *Group) start(m *member) {
	if g.ctx == nil {
		return
	}
	var ctx context.Context
	ctx, m.stop = context.WithCancel(g.ctx)
	m.done = make(chan struct{})
	g.running.Go(func() {
		defer close(m.done)
		m.run(ctx)
	})
}

// end stops a member that is not one of the group any more, and waits for it. The
// outage that it may be part of goes on without it.
func (m *member) end() {
	if m.done != nil {
		m.stop()
		<-m.done
	}
	m.outage.remove(m.tracker)
}

// snapshot returns the members that serve.
func (g *Group) snapshot() []*member {
	g.mu.Lock()
	defer g.mu.Unlock()
	members := make([]*member, 0, len(g.members))
	reported := map[*handover]bool{}
	for _, m := range g.members {
		switch h := m.handover; {
		case h == nil:
			members = append(members, m)
		case !reported[h]:
			reported[h] = true
			members = append(members, h.old...)
		}
	}
	return members
}

// Pending returns the number of watches that are to take the place of others, and have not
// had their first list yet.
func (g *Group) Pending() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := 0
	for _, m := range g.members {
		if m.handover != nil && m.handover.waits[m] {
			n++
		}
	}
	return n
}

// Synced reports whether the store of every watch has been complete once.
func (g *Group) Synced() bool {
	for _, m := range g.snapshot() {
		if !m.tracker.snapshot().Synced {
			return false
		}
	}
	return true
}

// Statuses returns the status of each watch: of those given to NewGroup in their order,
// then of those of the plan. While a watch is replaced it is that of the old one.
func (g *Group) Statuses() []Status {
	members := g.snapshot()
	statuses := make([]Status, len(members))
	for i, m := range members {
		statuses[i] = m.tracker.snapshot()
	}
	return statuses
}
