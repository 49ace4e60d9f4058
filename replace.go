package kubestate

import (
	"cmp"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubestate/kubestate/internal/joined"
	"github.com/kubestate/kubestate/internal/store"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// This file changes the configuration of an Exporter while it is fed and scraped. An
// Exporter stores one part per resource. A changed resource gets a new part next to the one
// that is served; when all objects are in the new part, scrapes see it.

// Changes are the tables of the resources that Exporter.Replace kept, added, changed and
// removed, as returned by Tables and SourceTables, for removed ones before the change. Each
// list is ascending by name.
type Changes struct {
	// Kept resources keep their objects and Feeds.
	Kept []*kind.Table
	// Added and Changed resources need new Feeds.
	Added, Changed []*kind.Table
	// Removed resources are no longer served.
	Removed []*kind.Table
}

// Replace changes the configuration while the Exporter is fed and scraped. If the new one
// is invalid it returns an error that lists everything that is wrong, and changes nothing.
//
// Resources are compared by group, version and plural. One is kept if its table is the same
// (by address) and the configuration yields the same families, labels and annotations, and
// the same Scope and joined labels for it: scrapes see no difference. A changed one must be fed
// again, through new Feeds: the old one is served, and its Feeds can still be used, until
// the first Commit of every new Feed. Then the new one replaces it atomically, and calls of
// the old Feeds do nothing. An added resource is served as its Feeds are filled; if it has
// a family that another resource loses in the same change, it is served when that one is
// replaced, so that no scrape has a duplicate family. Removed resources are no longer
// served when Replace returns.
//
// Config.Logger is that of added and changed resources.
func (x *Exporter) Replace(c Config) (Changes, error) {
	c.complete()
	parts, err := c.plan(ownerOf(x.owners))
	if err != nil {
		return Changes{}, err
	}
	x.changing.Lock()
	defer x.changing.Unlock()
	changes, removed := x.compareTo(parts)
	asked := slices.ContainsFunc(x.parts, (*part).asks)
	for i, p := range parts {
		if p.store != nil {
			continue
		}
		x.build(p, c.Logger)
		if p.owns && !asked { // otherwise it stays unknown until the list is complete
			x.owners.SetRead(p.table.Kind, true)
		}
		parts[i] = p
	}
	x.mu.Lock()
	x.parts = parts
	x.mu.Unlock()
	x.plainOnly.Store(c.DisableCompression)
	for _, p := range parts {
		if p.before != nil && !p.before.shown {
			p.before.end()
		}
	}
	x.show()
	for _, p := range removed {
		if p.owns {
			x.owners.SetRead(p.table.Kind, false)
		}
		p.remove()
	}
	return changes, nil
}

// compareTo compares the current parts with those of a new configuration, and puts the
// current ones that are kept in place of the new ones. It also returns the parts to remove.
func (x *Exporter) compareTo(parts []*part) (changes Changes, removed []*part) {
	for i, p := range parts {
		old := find(x.parts, p.table.Resource, p.source)
		switch {
		case old == nil:
			changes.Added = append(changes.Added, p.table)
		case old.serves(p):
			changes.Kept = append(changes.Kept, old.table)
			parts[i] = old
		default:
			changes.Changed = append(changes.Changed, p.table)
			p.before, old.outdated = old, true
		}
	}
	for _, old := range x.parts {
		if find(parts, old.table.Resource, old.source) == nil {
			changes.Removed = append(changes.Removed, old.table)
			old.outdated = true
			removed = append(removed, old)
		}
	}
	return changes, removed
}

// advance is called after a Commit. When every Feed of a part has had its first Commit, the
// part replaces the one before.
func (x *Exporter) advance(p *part) {
	if p.complete.Load() {
		return
	}
	x.changing.Lock()
	defer x.changing.Unlock()
	x.settle(p)
}

// settle shows a part if it is complete now.
func (x *Exporter) settle(p *part) {
	if p.complete.Load() || p.outdated || !p.store.Stats().Synced {
		return
	}
	p.complete.Store(true)
	if p.owns {
		x.owners.SetRead(p.table.Kind, true)
	}
	x.show()
}

// show makes parts visible to scrapes: those that replace none, and those that are
// complete. It removes the parts that they replace.
func (x *Exporter) show() {
	visible := map[*part]bool{}
	for _, p := range x.parts {
		visible[p] = p.shown || p.before == nil || p.complete.Load()
	}
	serving := x.serve(visible)
	for clashes := sharing(serving); len(clashes) > 0; clashes = sharing(serving) {
		for _, p := range clashes {
			visible[p] = p.shown // a family must not be served twice
		}
		serving = x.serve(visible)
	}
	x.mu.Lock()
	x.serving, x.shared = serving, sharedNames(serving)
	x.mu.Unlock()
	for _, p := range serving {
		if p.shown {
			continue
		}
		p.shown = true
		if p.before != nil {
			p.before.remove()
			p.before = nil
		}
	}
}

// serve returns the parts that are served: those that are visible, and predecessors of
// those that are not.
func (x *Exporter) serve(visible map[*part]bool) []*part {
	var serving []*part
	for _, p := range x.parts {
		for p != nil && !visible[p] && !p.shown {
			p = p.before
		}
		if p != nil {
			serving = append(serving, p)
		}
	}
	return serving
}

// sharing returns the parts with a family that another part has as well.
func sharing(parts []*part) (found []*part) {
	of := map[string]*part{}
	for _, p := range parts {
		families := p.table.Schema().Families
		for i := range families {
			if other := of[families[i].Name]; other != nil && other != p && !families[i].Shared {
				found = append(found, other, p)
			}
			of[families[i].Name] = p
		}
	}
	return found
}

// sharedNames returns the names of the families that several parts have.
func sharedNames(parts []*part) map[string]bool {
	shared := map[string]bool{}
	seen := map[string]bool{}
	for _, p := range parts {
		families := p.table.Schema().Families
		for i := range families {
			if name := families[i].Name; seen[name] {
				shared[name] = true
			} else {
				seen[name] = true
			}
		}
	}
	return shared
}

// part is what an Exporter stores of one resource in one configuration.
type part struct {
	from                *kind.Table // as configured
	table               *kind.Table // after filters
	relatedOnly         bool        // only joins need it: there are no families
	source              bool        // its objects are only needed by others; see NewSourceFeed
	labels, annotations []string    // patterns
	joins               *joined.Part
	owns                bool // workloads of Pods depend on its objects
	scope               string

	// Set by build.
	store    *store.Resource
	epoch    uint32
	position int

	complete atomic.Bool // every Feed has had a Commit

	// Guarded by Exporter.changing.
	shown    bool  // scrapes have seen it
	outdated bool  // a newer part will replace it or has replaced it, or it was removed
	before   *part // the part that this one replaces, served until this one is shown; nil if none

	feeds []*Feed // guarded by Exporter.mu
}

// plan derives the table.
func (p *part) plan(joins *joined.Plan, owners kind.Owners, keep func(*metric.Desc) bool) (err error) {
	o := kind.Options{Keep: keep, Labels: p.labels, Annotations: p.annotations, Owners: owners}
	if p.relatedOnly {
		o = kind.Options{Keep: func(*metric.Desc) bool { return false }}
	}
	if p.table, err = p.from.Plan(o); err != nil {
		return err
	}
	if o.Reads = joins.Reads(p.table); p.source {
		o.Reads = append(o.Reads, kind.RelatedReads(p.from)...)
	}
	if o.Reads != nil {
		p.table, err = p.from.Plan(o)
	}
	return err
}

// splitSources moves what other objects need from parts into separate parts.
func splitSources(parts []*part, joins *joined.Plan) ([]*part, error) {
	var split []*part
	var errs []error
	for _, p := range parts {
		split = append(split, p)
		labels, provides := p.joins.Split()
		if !p.owns && provides.Empty() {
			continue
		}
		source := &part{from: p.from, relatedOnly: true, source: true, joins: provides, owns: p.owns}
		errs = append(errs, source.plan(joins, nil, nil))
		p.joins, p.owns = labels, false
		split = append(split, source)
	}
	return split, errors.Join(errs...)
}

// build makes the store of a part.
func (x *Exporter) build(p *part, log *slog.Logger) {
	x.made++
	p.epoch, p.position = x.made, int(x.made)-1
	if p.before != nil {
		p.position = p.before.position
	}
	labeler, observer := x.joins.Bind(p.joins, p.epoch)
	switch family := workloadsOf(p.table); {
	case family >= 0:
		observer = both(newPodWorkloads(x.owners, family), observer)
	case p.owns:
		observer = both(ownerObserver{x.owners, p.table.Kind, p.epoch}, observer)
	}
	p.store = store.New(store.Config{
		Table: p.table, Packer: x.packer, Logger: log, Labeler: labeler, Observer: observer, Position: p.position,
	})
}

// useless reports whether the objects of a part would have no effect.
func (p *part) useless() bool {
	return len(p.table.Schema().Families) == 0 && !p.owns && p.joins.Empty()
}

// asks reports whether objects depend on the owners of ReplicaSets and Jobs.
func (p *part) asks() bool { return workloadsOf(p.table) >= 0 || p.joins.Asks() }

// serves reports whether a part can be kept for a configuration for which other was
// planned.
func (p *part) serves(other *part) bool {
	sameName := func(a, b metric.Desc) bool { return a.Name == b.Name }
	return p.from == other.from && p.scope == other.scope && (p.owns || !other.owns) &&
		slices.EqualFunc(p.table.Schema().Families, other.table.Schema().Families, sameName) &&
		slices.Equal(p.labels, other.labels) && slices.Equal(p.annotations, other.annotations) &&
		p.joins.Serves(other.joins) && slices.Equal(kind.Reads(p.table), kind.Reads(p.table, other.table))
}

// end makes further calls of the Feeds of a part do nothing.
func (p *part) end() {
	for _, f := range p.feeds {
		f.end()
	}
}

// remove removes the objects of a part and of its predecessors, which no scrape can see any
// more.
func (p *part) remove() {
	for ; p != nil; p = p.before {
		for _, f := range p.feeds {
			f.remove()
		}
	}
}

// keyOf returns the key that identifies a resource.
func keyOf(r kind.Resource) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: r.Group, Version: r.Version, Resource: r.Name}
}

func compareKeys(a, b schema.GroupVersionResource) int {
	return cmp.Or(strings.Compare(a.Resource, b.Resource), strings.Compare(a.Group, b.Group), strings.Compare(a.Version, b.Version))
}

// find returns the part of a resource; nil if there is none.
func find(parts []*part, r kind.Resource, source bool) *part {
	for _, p := range parts {
		if p.source == source && keyOf(p.table.Resource) == keyOf(r) {
			return p
		}
	}
	return nil
}

// tablesOf returns the tables of the parts that are sources, or of those that are not.
func tablesOf(parts []*part, source bool) []*kind.Table {
	tables := []*kind.Table{}
	for _, p := range parts {
		if p.source == source {
			tables = append(tables, p.table)
		}
	}
	return tables
}
