package cluster

import (
	"errors"
	"fmt"
	"math"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
)

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
func (c *Churn) ChangeShare(share float64) (map[string]apiserver.Changes, error) {
	if !(share > 0 && share <= maxShare) { // NaN neither
		return nil, fmt.Errorf("change objects: the share must be above 0 and at most %v, got %v", maxShare, share)
	}
	if c.store.Len("pods") == 0 {
		return nil, errors.New("change objects: the store has no pods")
	}
	start, wanted := c.store.Version(), int(math.Ceil(share*float64(c.store.Total())))
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
