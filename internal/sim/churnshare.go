package sim

import (
	"errors"
	"fmt"
	"math"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// Changes says how much of a resource changed.
type Changes struct {
	// Objects are those that are new or changed, each counted once. One that
	// was replaced counts as its successor.
	Objects int
	// Events are what a watch of the resource gets.
	Events int
}

// ChangesSince returns what changed after a version, by resource; resources
// without changes are left out. An error means that events in between are no
// longer kept: StoreConfig.LogSize is too small.
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

// Of the changes that ChangeShare makes, one in five replaces a pod and the
// others change the status of one.
const replacedShare = 0.2

// maxShare bounds ChangeShare: far more than one object in ten are not pods or
// what controls them, and these never change.
const maxShare = 0.1

// ChangeShare changes a share of all objects of the cluster, spread at random,
// and returns when that is in the store: pods get a new status or are replaced,
// and their controllers follow, until so many objects have changed. Share is at
// most 0.1. An error means that share is out of range, that there are no pods, or
// that the store's log is too small to count the changes.
func (c *Churn) ChangeShare(share float64) (map[string]Changes, error) {
	if !(share > 0 && share <= maxShare) { // NaN neither
		return nil, fmt.Errorf("change objects: the share must be above 0 and at most %v, got %v", maxShare, share)
	}
	if c.store.Len("pods") == 0 {
		return nil, errors.New("change objects: the store has no pods")
	}
	total := 0
	for _, t := range c.store.tables {
		total += c.store.Len(t.resource.Name)
	}
	start, wanted := c.store.Version(), int(math.Ceil(share*float64(total)))
	for missing := wanted; ; {
		// A cause changes four objects at most.
		if err := c.causes(max(1, missing/4)); err != nil {
			return nil, fmt.Errorf("change objects: %w", err)
		}
		changes, err := c.store.ChangesSince(start)
		if err != nil {
			return nil, fmt.Errorf("change objects: %w", err)
		}
		missing = wanted
		for _, of := range changes {
			missing -= of.Objects
		}
		if missing <= 0 {
			return changes, nil
		}
	}
}

func (c *Churn) causes(n int) error {
	for range n {
		c.Time = c.Time.Add(stepTime)
		pod, err := c.randomPod()
		if err != nil {
			return err
		}
		if c.chance(replacedShare) {
			err = c.replace(pod)
		} else {
			err = c.advancePod(pod)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
