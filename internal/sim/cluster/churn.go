package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
)

// ChurnConfig describes how a cluster changes.
type ChurnConfig struct {
	Seed uint64
	// Time is when the changes begin; zero means the default time of
	// Config. It moves on with every change.
	Time time.Time
	Mix  Mix
}

// Mix weighs the sorts of change against each other. The zero value is a
// mixture as in a busy cluster.
type Mix struct {
	PodStatus  int // restarts, crash loops, readiness, phases
	PodReplace int // a pod is deleted and its controller makes another
	Rollout    int // a Deployment replaces its pods, one per change
	Node       int // heartbeats and conditions
}

func (m Mix) total() int { return m.PodStatus + m.PodReplace + m.Rollout + m.Node }

// stepTime is how far the time moves on with a change made by Step.
const stepTime = 100 * time.Millisecond

// Churn changes the objects of a generated cluster. The same seed makes the
// same changes, as long as nothing else writes to the store. It is not safe
// for concurrent use; readers and the server of the store may run concurrently.
//
// One change is what one cause brings about: when a pod becomes ready, the
// status of its ReplicaSet and its Deployment change as well. EndpointSlices
// do not follow.
type Churn struct {
	*generator
	mix      Mix
	waiting  []types.NamespacedName // pods that are about to recover or start
	rollouts []rollout
}

// NewChurn prepares to change a cluster made by Generate. An error means that
// the store has no nodes or that the mix has a negative weight.
func NewChurn(store *apiserver.Store, config ChurnConfig) (*Churn, error) {
	mix := config.Mix
	if mix == (Mix{}) {
		mix = Mix{PodStatus: 70, PodReplace: 15, Rollout: 10, Node: 5}
	}
	if min(mix.PodStatus, mix.PodReplace, mix.Rollout, mix.Node) < 0 {
		return nil, fmt.Errorf("churn: weights must be at least 0, got %+v", mix)
	}
	c := &Churn{
		generator: newGenerator(store, Config{Nodes: store.Len("nodes"), Seed: config.Seed, Time: config.Time}),
		mix:       mix,
	}
	for e := range store.All("nodes") {
		c.nodeNames = append(c.nodeNames, e.Name)
	}
	if len(c.nodeNames) == 0 {
		return nil, errors.New("churn: the store has no nodes")
	}
	return c, nil
}

// Step makes n changes and returns when they are in the store.
func (c *Churn) Step(n int) error { return c.steps(n, stepTime) }

// Run makes perSecond changes a second until the context ends, in small
// batches. It returns nil then, or the error of a change.
func (c *Churn) Run(ctx context.Context, perSecond float64) error {
	if perSecond <= 0 {
		<-ctx.Done()
		return nil
	}
	const tick = 20 * time.Millisecond
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	start, made := time.Now(), 0
	each := time.Duration(float64(time.Second) / perSecond)
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-ticker.C:
			due := int(now.Sub(start).Seconds() * perSecond)
			if err := c.steps(due-made, each); err != nil {
				return err
			}
			made = max(made, due)
		}
	}
}

func (c *Churn) steps(n int, each time.Duration) error {
	for range n {
		c.Time = c.Time.Add(each)
		if err := c.step(); err != nil {
			return fmt.Errorf("churn: %w", err)
		}
	}
	return nil
}

func (c *Churn) step() error {
	roll := c.rand.IntN(c.mix.total())
	for _, change := range []struct {
		weight int
		make   func() error
	}{
		{c.mix.PodStatus, c.changePod},
		{c.mix.PodReplace, c.replacePod},
		{c.mix.Rollout, c.roll},
		{c.mix.Node, c.changeNode},
	} {
		if roll < change.weight {
			return change.make()
		}
		roll -= change.weight
	}
	return nil
}

// random picks an object of a resource; there may be none.
func (c *Churn) random(resource string) (apiserver.Object, error) {
	n := c.store.Len(resource)
	if n == 0 {
		return nil, nil
	}
	e, ok := c.store.At(resource, c.rand.IntN(n))
	if !ok {
		return nil, nil
	}
	return e.Decode()
}

// load returns an object of a known type; nil if it was deleted.
func load[T apiserver.Object](store *apiserver.Store, resource, namespace, name string) (T, error) {
	var none T
	e, found := store.Get(resource, namespace, name)
	if !found {
		return none, nil
	}
	object, err := e.Decode()
	if err != nil {
		return none, err
	}
	typed, ok := object.(T)
	if !ok {
		return none, fmt.Errorf("%s %s/%s is a %T", resource, namespace, name, object)
	}
	return typed, nil
}

// changeNode sends a heartbeat. Now and then a kubelet goes silent; a silent
// one speaks up at its next turn.
func (c *Churn) changeNode() error {
	object, err := c.random("nodes")
	if err != nil || object == nil {
		return err
	}
	node, ok := object.(*corev1.Node)
	if !ok {
		return fmt.Errorf("node %s is a %T", object.GetName(), object)
	}
	ready := func() bool {
		for _, condition := range node.Status.Conditions {
			if condition.Type == corev1.NodeReady {
				return condition.Status == corev1.ConditionTrue
			}
		}
		return false
	}
	before := node.Status.Conditions
	node.Status.Conditions = c.nodeConditions(node, !ready() || !c.chance(0.02))
	for i := range node.Status.Conditions {
		now := &node.Status.Conditions[i]
		now.LastHeartbeatTime = c.ago(0)
		now.LastTransitionTime = c.ago(0)
		for _, old := range before {
			if old.Type == now.Type && old.Status == now.Status {
				now.LastTransitionTime = old.LastTransitionTime
			}
		}
	}
	return c.update(node)
}

// update stores a changed object and notes when its status was written.
func (c *Churn) update(object apiserver.Object) error {
	if entries := object.GetManagedFields(); len(entries) > 0 {
		entries[len(entries)-1].Time = new(c.ago(0))
		object.SetManagedFields(entries)
	}
	return c.store.Put(object)
}
