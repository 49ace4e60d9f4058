package kubewatch

import (
	"errors"
)

// Apply changes the group to a plan, whether it runs or not. Entries equal to those of the
// plan before keep their watch and stores; so do those of which only the Shard differs, which
// list their objects again. Others get new stores: what is added starts, and
// what is changed starts next to the watch before, which serves until the new one has its
// first list. The stores of what ends are closed if they have a method Close(), else emptied. The error names everything that is wrong
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
		case m != nil && m.entry.Equal(e):
		case m != nil && m.entry.equalExceptShard(e):
			resharded[m] = e
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
	for _, m := range started {
		old := current[m.entry.key()]
		if old == nil {
			continue
		}
		if g.ctx != nil {
			m.before = old.serving()
		}
		if m.before != old { // it never got its first list
			old.gone = true
			ended = append(ended, old)
		}
	}
	for _, m := range members {
		if len(m.entry.Consumers) > 0 {
			delete(current, m.entry.key())
		}
	}
	for _, m := range current {
		m.gone = true
		ended = append(ended, m)
		if m.before != nil {
			ended = append(ended, m.before)
		}
	}
	g.members = members
	for _, m := range started {
		g.start(m)
	}
	g.changes.signal()
	return ended, nil
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

// Commit ends a full list. With the first, the member takes the place of the one before.
func (s planStore) Commit() {
	m := s.member
	s.group.mu.Lock()
	gone, before := m.gone, m.before
	m.before = nil
	s.group.mu.Unlock()
	if gone {
		return
	}
	if before != nil {
		before.end()
	}
	s.Store.Commit()
	if before != nil {
		s.group.changes.signal()
		before.empty()
	}
}

// empty closes the stores of a member that has ended, or removes all objects from them.
func (m *member) empty() {
	for _, s := range m.stores {
		if c, ok := s.(interface{ Close() }); ok {
			c.Close()
			continue
		}
		s.Begin()
		s.Commit()
	}
}
