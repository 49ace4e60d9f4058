package kubestate

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/internal/joined"
	"github.com/kubestate/kubestate/internal/piece"
	"github.com/kubestate/kubestate/internal/store"
	"github.com/kubestate/kubestate/internal/workload"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// AllResources is the key of Config.Labels and Config.Annotations for every resource that
// is served.
const AllResources = "*"

// Config configures an Exporter. The zero value serves the default kinds with all families
// that are not opt-in, and no labels or annotations of objects.
type Config struct {
	// Kinds are the tables to serve; nil serves kind.Defaults.
	Kinds []*kind.Table
	// Keep decides which families are served; nil keeps all except opt-in families.
	Keep func(*metric.Desc) bool
	// Labels and Annotations select the labels and annotations of objects that become
	// labels of the families kube_*_labels and kube_*_annotations: patterns of keys (see
	// kind.Options) by resource name. Patterns of AllResources apply to every resource and
	// override all others.
	Labels, Annotations map[string][]string
	// Joins add labels of related objects to the samples of families. Nodes, Namespaces,
	// ReplicaSets and Jobs that they need must be fed, too: if Kinds lacks them, Tables
	// returns tables of them without families.
	Joins []Join
	// Sharded means that Feeds receive only the objects of a shard. All objects that joins
	// and kube_pod_workload need must then be fed to feeds of NewSourceFeed.
	Sharded bool
	// Scope identifies which objects of a resource its Feeds receive, such as the namespaces
	// that are read, in any form. Replace changes a resource whose Scope changes. nil: all.
	Scope func(kind.Resource) string
	// DisableCompression answers every scrape with an uncompressed body.
	DisableCompression bool
	// Logger receives errors about objects with families that cannot be computed; nil is
	// slog.Default.
	Logger *slog.Logger
}

// Join adds labels of related objects to samples; see Config.Joins. A label that a family
// already has is not added, nor one whose value is unknown.
type Join struct {
	// Families is the name of a family. It may contain one *, which matches any text.
	Families string
	// Labels and Annotations are patterns of keys (see kind.Options) of the object's own
	// labels and annotations. They become labels label_* and annotation_*.
	Labels, Annotations []string
	// Node adds the name of the object's Node as the label node.
	Node bool
	// NodeLabels and NodeAnnotations are patterns of keys of that Node. They become labels
	// node_label_* and node_annotation_*.
	NodeLabels, NodeAnnotations []string
	// NamespaceLabels and NamespaceAnnotations are patterns of keys of the object's
	// namespace. They become labels namespace_label_* and namespace_annotation_*.
	NamespaceLabels, NamespaceAnnotations []string
	// Workload adds the workload that the object belongs to, as kube_pod_workload reports
	// it, as labels workload and workload_type.
	Workload bool
}

// Exporter turns objects into metrics: sources feed it through Feeds, and it serves the
// metrics in the formats that Prometheus scrapes. It is an http.Handler; see ServeHTTP. It
// is safe for concurrent use.
type Exporter struct {
	packer    *piece.Packer
	converter *store.Converter
	owners    *workload.Index
	joins     *joined.Index
	cuts      cuts

	changing sync.Mutex // serializes Replace, Feed.Close and what follows a first Commit
	made     uint32     // number of parts made so far

	// mu is locked briefly: a scrape holds it while it takes snapshots.
	mu        sync.RWMutex
	parts     []*part         // of the configuration, sorted by resource
	serving   []*part         // what scrapes see of them, in the same order
	shared    map[string]bool // the families that several of these have; never changed
	plainOnly atomic.Bool
}

// New returns an Exporter without objects. The error lists everything that is invalid in
// the configuration.
func New(c Config) (*Exporter, error) {
	x := &Exporter{packer: piece.NewPacker(), owners: workload.NewIndex()}
	x.joins = joined.NewIndex(x.owners)
	x.converter = store.NewConverter(x.packer)
	if _, err := x.Replace(c); err != nil {
		return nil, err
	}
	return x, nil
}

// complete sets defaults.
func (c *Config) complete() {
	if c.Kinds == nil {
		c.Kinds = kind.Defaults()
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
}

func (c *Config) joins() []joined.Join {
	joins := make([]joined.Join, len(c.Joins))
	for i, j := range c.Joins {
		joins[i] = joined.Join(j)
	}
	return joins
}

// plan returns new parts of all resources to read, sorted: the configured kinds, and what
// only joins need. The error lists everything that is invalid.
func (c *Config) plan(owners kind.Owners) ([]*part, error) {
	known := append(kind.Names(kind.All()), kind.Names(c.Kinds)...)
	slices.Sort(known)
	known = slices.Compact(known)
	joins, err := joined.NewPlan(c.joins(), slices.Concat(kind.All(), c.Kinds))
	errs := []error{unknownResources("labels", c.Labels, known), unknownResources("annotations", c.Annotations, known), err}
	var parts []*part
	add := func(p *part) {
		if err := p.plan(joins, owners, c.Keep); err != nil {
			errs = append(errs, err)
			return
		}
		parts = append(parts, p)
	}
	for _, t := range c.Kinds {
		add(&part{from: t, labels: patterns(c.Labels, t), annotations: patterns(c.Annotations, t)})
	}
	for _, t := range joins.Sources(kind.All()) {
		if !slices.ContainsFunc(c.Kinds, func(k *kind.Table) bool { return keyOf(k.Resource) == keyOf(t.Resource) }) {
			add(&part{from: t, relatedOnly: true})
		}
	}
	slices.SortStableFunc(parts, func(a, b *part) int { return compareKeys(keyOf(a.table.Resource), keyOf(b.table.Resource)) })
	tables := tablesOf(parts, false)
	if err := errors.Join(append(errs, sharedFamilies(tables), duplicates(tables))...); err != nil {
		return nil, err
	}
	for i, p := range joins.Parts(tables) {
		parts[i].joins = p
	}
	workloads := joins.Workloads() || slices.ContainsFunc(tables, func(t *kind.Table) bool { return workloadsOf(t) >= 0 })
	for _, p := range parts {
		p.owns = workloads && ownsPods(p.table)
	}
	if c.Sharded {
		if parts, err = splitSources(parts, joins); err != nil {
			return nil, err
		}
	}
	if c.Scope != nil {
		for _, p := range parts {
			p.scope = c.Scope(p.table.Resource)
		}
	}
	return slices.DeleteFunc(parts, (*part).useless), nil
}

// duplicates returns an error for each resource that has several tables. The tables are
// sorted by name.
func duplicates(tables []*kind.Table) error {
	var errs []error
	for i := 1; i < len(tables); i++ {
		if keyOf(tables[i].Resource) == keyOf(tables[i-1].Resource) {
			errs = append(errs, fmt.Errorf("duplicate resource %s", tables[i].Name))
		}
	}
	return errors.Join(errs...)
}

// patterns returns the key patterns of a resource.
func patterns(lists map[string][]string, t *kind.Table) []string {
	if all, ok := lists[AllResources]; ok {
		return all
	}
	return lists[t.Name]
}

// unknownResources returns an error for each key of an allow-list that is no resource. A
// resource that exists but is not served is allowed.
func unknownResources(what string, lists map[string][]string, known []string) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		if name != AllResources && !slices.Contains(known, name) {
			errs = append(errs, fmt.Errorf("%s allow-list: unknown resource %q: must be one of %s",
				what, name, strings.Join(known, ", ")))
		}
	}
	return errors.Join(errs...)
}

// sharedFamilies returns an error for each family that several resources have, unless one
// of them shares it and their types and units are equal: its samples
// would not be contiguous in the exposition.
func sharedFamilies(tables []*kind.Table) error {
	var errs []error
	type sharer struct {
		*metric.Desc

		of kind.Resource
	}
	of := map[string]sharer{}
	for _, t := range tables {
		families := t.Schema().Families
		for i := range families {
			d := &families[i]
			other, ok := of[d.Name]
			switch {
			case !ok || keyOf(other.of) == keyOf(t.Resource):
			case !d.Shared && !other.Shared:
				errs = append(errs, fmt.Errorf("duplicate family %s: of %s and %s", d.Name, other.of.Name, t.Name))
			case d.Type != other.Type || d.Unit != other.Unit:
				errs = append(errs, fmt.Errorf("duplicate family %s: of type %s and unit %q in %s, of type %s and unit %q in %s",
					d.Name, other.Type, other.Unit, other.of.Name, d.Type, d.Unit, t.Name))
			}
			of[d.Name] = sharer{d, t.Resource}
		}
	}
	return errors.Join(errs...)
}

// Tables returns the tables of the resources that must be fed, after filters, ascending by
// name. Tables without families are included only if joins need their objects.
func (x *Exporter) Tables() []*kind.Table {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return tablesOf(x.parts, false)
}

// SourceTables returns the tables of the resources of which NewSourceFeed must be fed all
// objects, ascending by name; none unless Config.Sharded is set. They have no families.
func (x *Exporter) SourceTables() []*kind.Table {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return tablesOf(x.parts, true)
}

// NewFeed returns a new Feed for objects of a resource, such as kind.Pods.Resource: only its
// group, version and plural count. Call it once per source: several sources of one resource, such
// as watches of single namespaces, have a Feed each, all of which are made before the first
// Commit of any. The error says that no table of Tables has the resource.
func (x *Exporter) NewFeed(r kind.Resource) (*Feed, error) { return x.newFeed(r, false) }

// NewSourceFeed is NewFeed for a table of SourceTables. The objects of the Feed are not
// served; they provide labels to others.
func (x *Exporter) NewSourceFeed(r kind.Resource) (*Feed, error) { return x.newFeed(r, true) }

func (x *Exporter) newFeed(r kind.Resource, source bool) (*Feed, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	p := find(x.parts, r, source)
	if p == nil {
		return nil, fmt.Errorf("unknown resource %q: must be one of %s", r.Name, strings.Join(kind.Names(tablesOf(x.parts, source)), ", "))
	}
	f := &Feed{exporter: x, part: p, store: p.store.NewFeed()}
	p.feeds = append(p.feeds, f)
	return f, nil
}

// Stats returns what is stored of a resource, summed over its Feeds; the zero
// Stats if the resource is not served. While Replace builds a resource it describes the one
// that is served until then.
func (x *Exporter) Stats(r kind.Resource) Stats {
	x.mu.RLock()
	p := find(x.serving, r, false)
	x.mu.RUnlock()
	if p == nil {
		return Stats{}
	}
	return Stats(p.store.Stats())
}

// Write writes the current metrics of all resources that sel selects, ascending by resource
// name, uncompressed. It returns the first error of w, wrapped.
func (x *Exporter) Write(w io.Writer, f exposition.Format, sel Selection) error {
	if err := x.body(f, sel).Write(w, exposition.Identity); err != nil {
		return fmt.Errorf("write metrics: %w", err)
	}
	return nil
}

// body returns the current state of the resources that sel selects.
func (x *Exporter) body(f exposition.Format, sel Selection) *store.Body {
	x.mu.RLock()
	defer x.mu.RUnlock()
	var snapshots []*store.Snapshot
	for _, p := range x.serving {
		if sel.admits(p.table) {
			snapshots = append(snapshots, p.store.Snapshot(store.Slice(sel.Slice)))
		}
	}
	return store.NewBody(x.converter, f, snapshots, x.shared)
}
