package main

import (
	"fmt"

	"k8s.io/apimachinery/pkg/types"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
	"github.com/kubestate/kubestate/internal/sim/cluster"
	"github.com/kubestate/kubestate/kind"
)

// feed receives the objects of a resource: that of an Exporter or an Agent.
type feed interface {
	Begin()
	Put(o kind.Object)
	Delete(namespace, name string)
	Commit()
}

// fedCluster is a simulated cluster in this process, whose objects go to feeds
// directly.
type fedCluster struct {
	*simulation
	tables map[string]*kind.Table
	known  map[string]map[types.NamespacedName]uint64 // versions, by resource
}

func newFedCluster(nodes, pods int) (*fedCluster, error) {
	s, err := newSimulation(cluster.Config{Nodes: nodes, Pods: pods, Seed: 1})
	if err != nil {
		return nil, err
	}
	c := &fedCluster{simulation: s, tables: map[string]*kind.Table{}, known: map[string]map[types.NamespacedName]uint64{}}
	for _, t := range kind.Defaults() {
		c.tables[t.Name] = t
	}
	_, err = c.changes() // everything is new
	return c, err
}

// change is an object that is new, changed or deleted.
type change struct {
	resource string
	key      types.NamespacedName
	object   kind.Object // nil: deleted
}

// changes returns what has changed since the last call.
func (c *fedCluster) changes() ([]change, error) {
	var all []change
	for _, r := range apiserver.Resources() {
		before, now := c.known[r.Name], map[types.NamespacedName]uint64{}
		for e := range c.store.All(r.Name) {
			key := types.NamespacedName{Namespace: e.Namespace, Name: e.Name}
			now[key] = e.Version
			if before == nil || before[key] == e.Version {
				continue
			}
			o, err := c.decode(r.Name, e)
			if err != nil {
				return nil, err
			}
			all = append(all, change{r.Name, key, o})
		}
		for key := range before {
			if _, there := now[key]; !there {
				all = append(all, change{r.Name, key, nil})
			}
		}
		c.known[r.Name] = now
	}
	return all, nil
}

// decode decodes an object of the kind of the resource.
func (c *fedCluster) decode(resource string, e *apiserver.Encoded) (kind.Object, error) {
	o := c.tables[resource].New()
	if err := o.Unmarshal(e.Message()); err != nil {
		return nil, fmt.Errorf("decode %s %s/%s: %w", resource, e.Namespace, e.Name, err)
	}
	return o, nil
}

// fill passes all objects to feeds, by resource.
func (c *fedCluster) fill(feeds map[string]feed) error {
	for _, resource := range sortedKeys(feeds) {
		f := feeds[resource]
		f.Begin()
		for e := range c.store.All(resource) {
			o, err := c.decode(resource, e)
			if err != nil {
				return err
			}
			f.Put(o)
		}
		f.Commit()
	}
	return nil
}

// apply passes changes to feeds, which neither keep nor modify the objects.
func apply(feeds map[string]feed, changes []change) {
	for i := range changes {
		f, wanted := feeds[changes[i].resource]
		switch {
		case !wanted:
		case changes[i].object == nil:
			f.Delete(changes[i].key.Namespace, changes[i].key.Name)
		default:
			f.Put(changes[i].object)
		}
	}
}
