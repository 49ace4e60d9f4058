package apiserver

import (
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// Changes says how much of a resource changed.
type Changes struct {
	// Objects is the number of new or changed objects, each counted once. A replaced object
	// counts as its successor.
	Objects int
	// Events is the number of events that a watch of the resource receives.
	Events int
}

// ChangesSince returns what changed after a version, by resource; resources without changes
// are omitted. An error means that the events in between were dropped: StoreConfig.LogSize
// is too small.
func (s *Store) ChangesSince(version uint64) (map[string]Changes, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	changes := map[string]Changes{}
	for _, t := range s.tables {
		events, ok := t.log.all(version)
		if !ok {
			return nil, fmt.Errorf("changes of %s since %d: the last %d events do not reach back so far", t.resource.Name, version, s.logSize)
		}
		if len(events) == 0 {
			continue
		}
		objects := map[types.NamespacedName]bool{}
		for _, e := range events {
			key := types.NamespacedName{Namespace: e.object.Namespace, Name: e.object.Name}
			if e.kind == watch.Deleted {
				delete(objects, key)
			} else {
				objects[key] = true
			}
		}
		changes[t.resource.Name] = Changes{Objects: len(objects), Events: len(events)}
	}
	return changes, nil
}
