package kubewatch

import "sync"

// changes wakes who waits for a status to change. The zero value is ready for use, and
// its methods are safe for concurrent use.
type changes struct {
	mu   sync.Mutex
	next chan struct{} // closed at the next change; nil: nobody waits
}

func (c *changes) wait() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next == nil {
		c.next = make(chan struct{})
	}
	return c.next
}

func (c *changes) signal() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next != nil {
		close(c.next)
		c.next = nil
	}
}

// Changed returns a channel that is closed when next the state of a watch changes, or a
// list completes or fails. Get it before the Statuses that depend on it:
//
//	for changed := g.Changed(); Ready(g.Statuses(), 1) != nil; changed = g.Changed() {
//		<-changed
//	}
func (g *Group) Changed() <-chan struct{} { return g.changes.wait() }
