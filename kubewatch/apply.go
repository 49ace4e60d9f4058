package kubewatch

import (
	"errors"
	"slices"
)

// Apply changes the group to a plan, whether it runs or not. Entries equal to those of the
// plan before keep their watch and stores; so do those of which only the Shard differs, which
// list their objects again. Others get new stores: what is added starts, and what is changed
// starts next to the watch before, which serves until the new one has its first list. Where
// all watches of a resource change, and all their Consumers with them, those before serve
// until every new one has its first list, whatever the namespaces. The stores of what ends are
// closed if they have a method Close(), else emptied. The error names everything that is wrong
// with the plan; then nothing has changed. Watches given to NewGroup are no part of a plan.
//
// Apply returns when watches that were removed have ended.
func (g *Group) Apply(p Plan) error {
	ended, err := g.change(p)
	for _, m := range ended {
		m.end()
		m.empty()
	}
	return err
}

// change sets the members and returns those that are to end.
func (g *Group) change(p Plan) (ended []*member, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var members []*member
	current := map[entryKey]*member{}
	for _, m := range g.members {
		if len(m.entry.Consumers) == 0 {
			members = append(members, m)
		} else {
			current[m.entry.key()] = m
		}
	}
	var started []*member
	resharded := map[*member]Entry{}
	var problems []error
	for _, e := range p.Entries {
		m := current[e.key()]
		switch {
		case m != nil && m.entry.Equal(e) && m.reaches(g.client):
			delete(current, e.key())
		case m != nil && m.entry.equalExceptShard(e) && m.reaches(g.client):
			resharded[m] = e
			delete(current, e.key())
		default:
			var err error
			m, err = g.newMember(e)
			problems = append(problems, err)
			started = append(started, m)
		}
		members = append(members, m)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	for m, e := range resharded {
		m.entry = e
		m.reshard(e.Shard)
	}
	serving, ended := leave(current)
	g.members = members
	ended = append(ended, g.takeOver(p, started, serving)...)
	for _, m := range ended {
		m.gone = true
	}
	for _, m := range started {
		g.start(m)
	}
	g.changes.signal()
	return ended, nil
}

// leave removes members from the handovers that they are part of. It returns the members
// that serve in their place, and those that are to end: they never got to serve, or their
// handover is complete without them.
func leave(leaving map[entryKey]*member) (serving, ended []*member) {
	for _, m := range leaving {
		h := m.handover
		if h == nil {
			serving = append(serving, m)
			continue
		}
		m.handover = nil
		ended = append(ended, m)
		h.members = slices.DeleteFunc(h.members, func(other *member) bool { return other == m })
		delete(h.waits, m)
		if len(h.members) == 0 {
			serving = append(serving, h.old...)
		} else if len(h.waits) == 0 {
			ended = append(ended, h.complete()...)
		}
	}
	return serving, ended
}

// takeOver decides which of the members that started take over from which of those that
// serve and whose time is over. It returns those from which nobody takes over.
func (g *Group) takeOver(p Plan, started, serving []*member) (ended []*member) {
	if g.ctx == nil {
		return serving // none has anything to serve
	}
	for _, old := range serving {
		var next []*member
		whole := g.changesWholly(p, old, started)
		for _, m := range started {
			if whole && m.entry.sameResource(old.entry) || m.entry.key() == old.entry.key() {
				next = append(next, m)
			}
		}
		if len(next) == 0 {
			ended = append(ended, old)
			continue
		}
		h := next[0].handover
		if h == nil {
			h = &handover{members: next, waits: map[*member]bool{}}
			for _, m := range next {
				m.handover, h.waits[m] = h, true
			}
		}
		h.old = append(h.old, old)
	}
	return ended
}

// changesWholly reports whether all watches of a resource are new, and all their consumers.
func (g *Group) changesWholly(p Plan, old *member, started []*member) bool {
	for _, e := range p.Entries {
		if !e.sameResource(old.entry) {
			continue
		}
		if slices.ContainsFunc(e.Consumers, func(c *Consumer) bool { return slices.Contains(old.entry.Consumers, c) }) ||
			!slices.ContainsFunc(started, func(m *member) bool { return m.entry.key() == e.key() }) {
			return false
		}
	}
	return true
}

// handover is the change from members that serve to others, which serve once all of them
// have had their first list. It is guarded by the mutex of the Group.
type handover struct {
	members []*member        // that take over
	waits   map[*member]bool // those without a first list
	old     []*member
}

// complete ends the handover and returns the members that are to end.
func (h *handover) complete() []*member {
	for _, m := range h.members {
		m.handover = nil
	}
	return h.old
}

// arrived notes the first list of a member, and returns the members that it relieves.
func (m *member) arrived() []*member {
	h := m.handover
	if h == nil {
		return nil
	}
	delete(h.waits, m)
	if len(h.waits) > 0 {
		return nil
	}
	return h.complete()
}

func (g *Group) newMember(e Entry) (*member, error) {
	w, stores, err := e.watch()
	if err != nil {
		return nil, err
	}
	m := &member{entry: e, stores: stores}
	w.Store = planStore{Store: w.Store, group: g, member: m}
	m.watcher, err = g.newWatcher(w)
	return m, err
}

// planStore is the store of a member of a plan.
type planStore struct {
	Store

	group  *Group
	member *member
}

// Commit ends a full list. With the first, the member takes the place of those before.
func (s planStore) Commit() {
	s.group.mu.Lock()
	gone := s.member.gone
	var old []*member
	if !gone {
		old = s.member.arrived()
	}
	s.group.mu.Unlock()
	if gone {
		return
	}
	for _, m := range old {
		m.end()
	}
	s.Store.Commit()
	if len(old) > 0 {
		s.group.changes.signal()
	}
	for _, m := range old {
		m.empty()
	}
}

// empty closes the stores of a member that has ended, or removes all objects from them,
// except those whose consumers keep them.
func (m *member) empty() {
	for i, s := range m.stores {
		if m.entry.Consumers[i].Frozen {
			continue
		}
		if c, ok := s.(interface{ Close() }); ok {
			c.Close()
			continue
		}
		s.Begin()
		s.Commit()
	}
}
