package kubestate

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/internal/joined"
	"github.com/kubestate/kubestate/internal/piece"
	"github.com/kubestate/kubestate/internal/store"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// AllResources is the key of Config.Labels and Config.Annotations that stands for every
// resource that is served.
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
	// Sharded says that Feeds receive only some of the objects, those of a shard. The objects
	// that others need, of joins and of kube_pod_workload, must all be fed to feeds of
	// NewSourceFeed then.
	Sharded bool
	// DisableCompression answers every scrape with an uncompressed body.
	DisableCompression bool
	// Logger receives errors about objects with families that cannot be computed; nil is
	// slog.Default.
	Logger *slog.Logger
}

// Join adds labels of related objects to samples; see Config.Joins. A label that a family
// already has is not added, nor one whose value is unknown.
type Join struct {
	// Families is the name of a family. It may have one *, which stands for any text.
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
	resources []*store.Resource // ascending by name
	sources   []*store.Resource // with Config.Sharded: without families, ascending by name
	packer    *piece.Packer
	converter *store.Converter
	plainOnly bool
	cuts      cuts
}

// New returns an Exporter without objects. The error lists everything that is invalid in
// the configuration.
func New(c Config) (*Exporter, error) {
	if c.Kinds == nil {
		c.Kinds = kind.Defaults()
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	known := append(kind.Names(kind.All()), kind.Names(c.Kinds)...)
	slices.Sort(known)
	known = slices.Compact(known)
	joins, err := joined.New(c.joins(), slices.Concat(kind.All(), c.Kinds))
	owners := newOwnerIndex()
	tables, wrong := c.plan(owners, joins)
	if err := errors.Join(
		unknownResources("labels", c.Labels, known), unknownResources("annotations", c.Annotations, known), err, wrong,
		sharedFamilies(tables), duplicates(tables),
	); err != nil {
		return nil, err
	}
	x := &Exporter{packer: piece.NewPacker(), plainOnly: c.DisableCompression}
	x.converter = store.NewConverter(x.packer)
	owners.serve(tables)
	for _, t := range tables {
		s := store.Config{Table: t, Packer: x.packer, Logger: c.Logger, Position: len(x.resources)}
		labeler := joins.Labeler(t)
		if labeler != nil {
			s.Labeler = labeler
		}
		s.Observer = both(owners.observer(t), joins.Labeled(labeler))
		if source := both(owners.source(t), joins.Source(t)); source != nil && c.Sharded {
			planned, err := sourceTable(t, joins)
			if err != nil {
				return nil, err
			}
			x.sources = append(x.sources, store.New(store.Config{Table: planned, Packer: x.packer, Logger: c.Logger, Observer: source}))
		} else {
			s.Observer = both(s.Observer, source)
		}
		if len(t.Schema().Families) == 0 && s.Observer == nil {
			continue // nobody would see anything of its objects
		}
		x.resources = append(x.resources, store.New(s))
	}
	return x, nil
}

// sourceTable returns a table without families that reads what others need of its objects.
func sourceTable(t *kind.Table, joins *joined.Index) (*kind.Table, error) {
	o := kind.Options{Keep: func(*metric.Desc) bool { return false }}
	planned, err := t.Plan(o)
	if err == nil {
		o.Reads = slices.Concat(joins.Reads(planned), kind.RelatedReads(t))
		planned, err = t.Plan(o)
	}
	return planned, err
}

func (c *Config) joins() []joined.Join {
	joins := make([]joined.Join, len(c.Joins))
	for i, j := range c.Joins {
		joins[i] = joined.Join(j)
	}
	return joins
}

// plan returns the tables of all resources to read, ascending by name: the configured
// kinds, and what only joins need.
func (c *Config) plan(owners *ownerIndex, joins *joined.Index) ([]*kind.Table, error) {
	var tables []*kind.Table
	var errs []error
	add := func(t *kind.Table, o kind.Options) {
		planned, err := t.Plan(o)
		if err == nil {
			if o.Reads = joins.Reads(planned); o.Reads != nil {
				planned, err = t.Plan(o)
			}
		}
		if err != nil {
			errs = append(errs, err)
			return
		}
		tables = append(tables, planned)
	}
	for _, t := range c.Kinds {
		add(t, kind.Options{
			Keep:        c.Keep,
			Labels:      patterns(c.Labels, t.Name),
			Annotations: patterns(c.Annotations, t.Name),
			Owners:      owners.of,
		})
	}
	for _, t := range joins.Sources(kind.All()) {
		if !slices.Contains(kind.Names(c.Kinds), t.Name) {
			add(t, kind.Options{Keep: func(*metric.Desc) bool { return false }})
		}
	}
	slices.SortFunc(tables, func(a, b *kind.Table) int { return strings.Compare(a.Name, b.Name) })
	return tables, errors.Join(errs...)
}

// duplicates returns an error for each resource that has several tables. The tables are
// sorted by name.
func duplicates(tables []*kind.Table) error {
	var errs []error
	for i := 1; i < len(tables); i++ {
		if name := tables[i].Name; name == tables[i-1].Name {
			errs = append(errs, fmt.Errorf("duplicate resource %s", name))
		}
	}
	return errors.Join(errs...)
}

// patterns returns the key patterns of a resource.
func patterns(lists map[string][]string, resource string) []string {
	if all, ok := lists[AllResources]; ok {
		return all
	}
	return lists[resource]
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

// sharedFamilies returns an error for each family that several resources have: its samples
// would not be contiguous in the exposition.
func sharedFamilies(tables []*kind.Table) error {
	var errs []error
	of := map[string]string{}
	for _, t := range tables {
		families := t.Schema().Families
		for i := range families {
			name := families[i].Name
			if other, ok := of[name]; ok && other != t.Name {
				errs = append(errs, fmt.Errorf("duplicate family %s: of %s and %s", name, other, t.Name))
			}
			of[name] = t.Name
		}
	}
	return errors.Join(errs...)
}

// Tables returns the tables of the resources that must be fed, after filters, ascending by
// name. Tables without families are included only if joins need their objects.
func (x *Exporter) Tables() []*kind.Table { return tablesOf(x.resources) }

// SourceTables returns the tables of the resources of which NewSourceFeed must be fed all
// objects, ascending by name; none unless Config.Sharded is set. They have no families.
func (x *Exporter) SourceTables() []*kind.Table { return tablesOf(x.sources) }

func tablesOf(resources []*store.Resource) []*kind.Table {
	tables := make([]*kind.Table, len(resources))
	for i, r := range resources {
		tables[i] = r.Table()
	}
	return tables
}

// NewFeed returns a new Feed for objects of a resource. Call it once per source: several
// sources of one resource, such as watches of single namespaces, have a Feed each. The
// error says that no table of Tables has the resource.
func (x *Exporter) NewFeed(resource string) (*Feed, error) { return newFeed(x.resources, resource) }

// NewSourceFeed is NewFeed for a table of SourceTables. The objects of the Feed are not
// served; they give labels to others.
func (x *Exporter) NewSourceFeed(resource string) (*Feed, error) { return newFeed(x.sources, resource) }

func newFeed(resources []*store.Resource, resource string) (*Feed, error) {
	r := find(resources, resource)
	if r == nil {
		return nil, fmt.Errorf("unknown resource %q: must be one of %s", resource, strings.Join(kind.Names(tablesOf(resources)), ", "))
	}
	return &Feed{r.NewFeed()}, nil
}

// Stats returns what is stored of a resource, summed over its Feeds; the zero Stats if
// the resource is not served.
func (x *Exporter) Stats(resource string) Stats {
	r := find(x.resources, resource)
	if r == nil {
		return Stats{}
	}
	return Stats(r.Stats())
}

func find(resources []*store.Resource, name string) *store.Resource {
	for _, r := range resources {
		if r.Table().Name == name {
			return r
		}
	}
	return nil
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
	var snapshots []*store.Snapshot
	for _, r := range x.resources {
		if sel.admits(r.Table().Name) {
			snapshots = append(snapshots, r.Snapshot(store.Slice(sel.Slice)))
		}
	}
	return store.NewBody(x.converter, f, snapshots, nil)
}
