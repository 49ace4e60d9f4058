package agent

import (
	"github.com/kubestate/kubestate/sink"
)

// state is the series of a cluster. It is safe for concurrent use.
type state struct {
	upkeep
	groups  []*groups    // as program.groupings
	objects [][]*objects // by resource, as program.resources
}

// newState returns a state without objects. Fixed are the tags of everything; suffix is
// appended to the names of hosts.
func newState(p *program, fixed []sink.Tag, suffix string) *state {
	s := &state{objects: make([][]*objects, len(p.resources))}
	s.joins, s.interner = newJoins(p), newInterner()
	s.sources = ambiguity{first: map[*sink.Metric]origin{}, found: map[*sink.Metric]bool{}}
	s.maker = blockMaker{joins: &s.joins, suffix: suffix, hosts: newCache[string, string](cachedWords)}
	s.maker.fixed.Store(&fixed)
	for _, g := range p.groupings {
		s.groups = append(s.groups, newGroups(g, &s.upkeep))
	}
	return s
}

// newObjects returns an empty set of objects of a resource.
func (s *state) newObjects(r *resource) *objects {
	x := newObjects(r, &s.upkeep, s.groups)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects[r.number] = append(s.objects[r.number], x)
	return x
}

// fixed returns the tags of everything. The caller must not change them.
func (s *state) fixed() []sink.Tag { return *s.maker.fixed.Load() }

// setFixed replaces the tags of everything.
func (s *state) setFixed(tags []sink.Tag) {
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

// synced reports whether there are objects, and every set of them had a complete list.
func (s *state) synced() bool {
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

// stats is the size of a state.
type stats struct {
	objects, series, groups, joinKeys int
	blocks                            uint64 // that were built
}

func (s *state) stats() stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := stats{series: s.series, blocks: s.maker.made}
	for _, sets := range s.objects {
		for _, x := range sets {
			n.objects += len(x.entries)
		}
	}
	for _, x := range s.groups {
		n.groups += len(x.byKey)
	}
	for i := range s.joins.indexes {
		n.joinKeys += s.joins.indexes[i].index.Len()
	}
	return n
}
