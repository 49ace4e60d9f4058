package series

import (
	"github.com/kubestate/kubestate/agent/internal/cache"
	"github.com/kubestate/kubestate/agent/internal/compile"
	"github.com/kubestate/kubestate/sink"
)

// State is the series of a cluster. It is safe for concurrent use.
type State struct {
	upkeep
	groups  []*groups    // as program.groupings
	objects [][]*Objects // by resource, as program.resources
}

// New returns a state without objects. Fixed are the tags of everything; suffix is
// appended to the names of hosts.
func New(p *compile.Program, fixed []sink.Tag, suffix string) *State {
	s := &State{objects: make([][]*Objects, len(p.Resources))}
	s.joins, s.interner = newJoins(p), newInterner()
	s.maker = blockMaker{joins: &s.joins, suffix: suffix, hosts: cache.New[string, string](cachedWords)}
	s.maker.fixed.Store(&fixed)
	for _, g := range p.Groupings {
		s.groups = append(s.groups, newGroups(g, &s.upkeep))
	}
	return s
}

// NewObjects returns an empty set of objects of a resource.
func (s *State) NewObjects(r *compile.Resource) *Objects {
	x := newObjects(r, &s.upkeep, s.groups)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects[r.Number] = append(s.objects[r.Number], x)
	return x
}

// Fixed returns the tags of all series and checks. The caller must not change them.
func (s *State) Fixed() []sink.Tag { return *s.maker.fixed.Load() }

// SetFixed replaces the tags of all series and checks.
func (s *State) SetFixed(tags []sink.Tag) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.maker.fixed.Store(&tags)
	for _, sets := range s.objects {
		for _, x := range sets {
			for _, e := range x.entries {
				s.markDirty(&e.labeled)
			}
		}
	}
	for _, x := range s.groups {
		for _, g := range x.byKey {
			s.markDirty(&g.labeled)
		}
	}
}

// Synced reports whether there are sets of objects and all had a complete list.
func (s *State) Synced() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, sets := range s.objects {
		for _, x := range sets {
			if !x.synced {
				return false
			}
			n++
		}
	}
	return n > 0
}

// Stats is the size of a State.
type Stats struct {
	Objects, Series, Groups, JoinKeys int
	Blocks                            uint64 // that were built
}

// Stats returns the current size.
func (s *State) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := Stats{Series: s.series, Blocks: s.maker.made}
	for _, sets := range s.objects {
		for _, x := range sets {
			n.Objects += len(x.entries)
		}
	}
	for _, x := range s.groups {
		n.Groups += len(x.byKey)
	}
	for i := range s.joins.indexes {
		n.JoinKeys += s.joins.indexes[i].index.Len()
	}
	return n
}
