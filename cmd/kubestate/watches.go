package main

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/internal/conf"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/kubewatch"
)

// consumer is somebody who wants objects: the exporter or the agent.
type consumer struct {
	tables []*kind.Table
	// feed returns a Store for one source of objects of a resource.
	feed func(resource string) (kubewatch.Store, error)
	// unassigned wants only those Pods that have no Node.
	unassigned bool
}

func exporterConsumer(x *kubestate.Exporter) consumer {
	return consumer{tables: x.Tables(), feed: func(resource string) (kubewatch.Store, error) { return x.NewFeed(resource) }}
}

func agentConsumer(a *agent.Agent, mode agent.PodMode) consumer {
	return consumer{
		tables: a.Tables(), unassigned: mode == agent.ClusterUnassigned,
		feed: func(resource string) (kubewatch.Store, error) { return a.NewFeed(resource) },
	}
}

// table returns the table of a resource; nil if nothing of it is wanted.
func (c *consumer) table(resource string) *kind.Table {
	for _, t := range c.tables {
		if t.Name == resource {
			return t
		}
	}
	return nil
}

// watchesFor returns a watch for each resource that any of the consumers wants,
// and each namespace to read. Several consumers share it.
func watchesFor(s conf.Settings, consumers ...consumer) ([]kubewatch.Watch, error) {
	var tables []*kind.Table
	for _, c := range consumers {
		tables = append(tables, c.tables...)
	}
	slices.SortStableFunc(tables, func(a, b *kind.Table) int { return cmp.Compare(a.Name, b.Name) })
	tables = slices.CompactFunc(tables, func(a, b *kind.Table) bool { return a.Name == b.Name })
	var watches []kubewatch.Watch
	var errs []error
	for _, t := range tables {
		for _, w := range watchesOf(t, s) {
			errs = append(errs, share(&w, consumers))
			watches = append(watches, w)
		}
	}
	return watches, errors.Join(errs...)
}

func watchesOf(t *kind.Table, s conf.Settings) []kubewatch.Watch {
	all := kubewatch.Watch{Table: t}
	if !t.Namespaced {
		return []kubewatch.Watch{all}
	}
	all.FieldSelector = s.FieldSelector
	if len(s.Namespaces) == 0 {
		return []kubewatch.Watch{all}
	}
	watches := make([]kubewatch.Watch, len(s.Namespaces))
	for i, n := range s.Namespaces {
		watches[i] = all
		watches[i].Namespace = n
	}
	return watches
}

// share gives a watch the stores of all who want its objects, and the fields that
// they read.
func share(w *kubewatch.Watch, consumers []consumer) error {
	var stores []kubewatch.Store
	var tables []*kind.Table
	var errs []error
	pods := w.Table.Name == kind.Pods.Name
	unassigned := false
	for _, c := range consumers {
		t := c.table(w.Table.Name)
		if t == nil {
			continue
		}
		store, err := c.feed(t.Name)
		errs = append(errs, err)
		unassigned = c.unassigned && pods
		if unassigned {
			store = &unassignedPods{Store: store}
		}
		stores, tables = append(stores, store), append(tables, t)
	}
	w.Fields = kind.Reads(tables...)
	w.Store = stores[0]
	switch {
	case len(stores) > 1:
		w.Store = kubewatch.Tee(stores...)
	case unassigned:
		// Then the others need not be sent at all.
		w.FieldSelector = strings.TrimPrefix(w.FieldSelector+",spec.nodeName=", ",")
	}
	return errors.Join(errs...)
}

// unassignedPods hands on Pods until they have a Node.
type unassignedPods struct {
	kubewatch.Store

	mu sync.Mutex
	// read are the Pods handed on in the full read under way; nil: there is none.
	read map[types.NamespacedName]struct{}
}

func (u *unassignedPods) Begin() {
	u.mu.Lock()
	u.read = map[types.NamespacedName]struct{}{}
	u.mu.Unlock()
	u.Store.Begin()
}

func (u *unassignedPods) Put(o kind.Object) {
	name := types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}
	switch p, ok := o.(*corev1.Pod); {
	case !ok || p.Spec.NodeName == "":
		u.note(name)
		u.Store.Put(o)
	case u.mayHold(name):
		u.Delete(name.Namespace, name.Name)
	}
}

func (u *unassignedPods) note(name types.NamespacedName) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.read != nil {
		u.read[name] = struct{}{}
	}
}

// mayHold tells whether the store has to be told that a Pod is gone. What a full
// read does not have the end of the read takes away; and while others are stored
// at the same time nothing may be deleted. A Pod that comes a second time in one
// read, as one that changed meanwhile, comes alone.
func (u *unassignedPods) mayHold(name types.NamespacedName) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	_, read := u.read[name]
	return read || u.read == nil
}

func (u *unassignedPods) Commit() {
	u.Store.Commit()
	u.mu.Lock()
	u.read = nil
	u.mu.Unlock()
}
