// Package crd knows which custom resources a cluster serves: from its
// CustomResourceDefinitions, or from API discovery where those may not be read. It does
// not know what anyone does with them.
package crd

import (
	"cmp"
	"fmt"
	"slices"
	"sync"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/kubestate/kubestate/customresource"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// Table returns the table to read CustomResourceDefinitions with: it has no families, and
// of a definition, whose schemas are large, only what a Definitions keeps is decoded.
func Table() (*kind.Table, error) {
	t, err := kind.CustomResourceDefinitions.Plan(kind.Options{
		Keep:  func(*metric.Desc) bool { return false },
		Reads: []string{"spec.names.plural"},
	})
	if err != nil {
		return nil, fmt.Errorf("read custom resource definitions: %w", err)
	}
	return t, nil
}

// Definitions keeps what CustomResourceDefinitions serve. It is a kubewatch.Store, and
// safe for concurrent use.
type Definitions struct {
	changed chan struct{}

	mu      sync.Mutex
	serve   map[string][]kind.Resource // by the name of the definition
	listed  map[string]bool            // since Begin; nil: no list is under way
	synced  bool
	pending bool // a change since Begin, to be signaled by Commit
	counts  Counts
}

// Counts says how often something happened to definitions, and how many there are.
type Counts struct {
	Added, Updated, Deleted uint64
	Definitions             int
}

// NewDefinitions returns Definitions without any.
func NewDefinitions() *Definitions {
	return &Definitions{changed: make(chan struct{}, 1), serve: map[string][]kind.Resource{}}
}

// Changed receives a value when Available returns something else than before, and after
// the first complete list. Several changes may be one value.
func (d *Definitions) Changed() <-chan struct{} { return d.changed }

// Available returns the resources that the definitions serve, sorted by group, name and
// version, and whether a list of all definitions was complete once.
func (d *Definitions) Available() (all []kind.Resource, synced bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, resources := range d.serve {
		all = append(all, resources...)
	}
	sortResources(all)
	return all, d.synced
}

func sortResources(all []kind.Resource) {
	slices.SortFunc(all, func(a, b kind.Resource) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
	})
}

// Counts returns the current counts.
func (d *Definitions) Counts() Counts {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.counts
	c.Definitions = len(d.serve)
	return c
}

// Begin implements kubewatch.Store.
func (d *Definitions) Begin() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.listed = map[string]bool{}
}

// Put implements kubewatch.Store.
func (d *Definitions) Put(o kind.Object) {
	definition, ok := o.(*apiextensionsv1.CustomResourceDefinition)
	if !ok {
		return
	}
	serves := served(definition)
	d.mu.Lock()
	defer d.mu.Unlock()
	before, known := d.serve[definition.Name]
	if known {
		d.counts.Updated++
	} else {
		d.counts.Added++
	}
	if d.listed != nil {
		d.listed[definition.Name] = true
	}
	d.serve[definition.Name] = serves
	if !slices.EqualFunc(before, serves, same) {
		d.signal()
	}
}

// served returns what a definition serves: nothing until its names are accepted.
func served(d *apiextensionsv1.CustomResourceDefinition) []kind.Resource {
	for i := range d.Status.Conditions {
		c := &d.Status.Conditions[i]
		if c.Type == apiextensionsv1.Established && c.Status != apiextensionsv1.ConditionTrue {
			return nil
		}
	}
	return customresource.Available(d)
}

func same(a, b kind.Resource) bool {
	return a.GroupVersionKind() == b.GroupVersionKind() && a.Name == b.Name && a.Namespaced == b.Namespaced
}

// Delete implements kubewatch.Store.
func (d *Definitions) Delete(_, name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if serves, known := d.serve[name]; known {
		d.remove(name, serves)
	}
}

func (d *Definitions) remove(name string, serves []kind.Resource) {
	delete(d.serve, name)
	d.counts.Deleted++
	if len(serves) > 0 {
		d.signal()
	}
}

// Commit implements kubewatch.Store.
func (d *Definitions) Commit() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for name, serves := range d.serve {
		if !d.listed[name] {
			d.remove(name, serves)
		}
	}
	d.listed = nil
	if d.pending || !d.synced {
		d.synced = true
		d.signal()
	}
}

// signal reports a change, or leaves that to Commit while definitions are listed.
func (d *Definitions) signal() {
	if d.listed != nil {
		d.pending = true
		return
	}
	d.pending = false
	select {
	case d.changed <- struct{}{}:
	default: // one is due anyway
	}
}
