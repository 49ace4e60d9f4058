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

// AllResources stands for every resource that is served, as a key of
// Config.Labels and Config.Annotations.
const AllResources = "*"

// Config says what an Exporter serves. The zero value serves the default kinds
// with all families that are not opt-in, and no labels or annotations of objects.
type Config struct {
	// Kinds are the tables to serve; nil serves kind.Defaults.
	Kinds []*kind.Table
	// Keep decides which families are served; nil keeps all but opt-in ones.
	Keep func(*metric.Desc) bool
	// Labels and Annotations say which keys of an object's labels and annotations
	// become labels of its kube_*_labels and kube_*_annotations families: key
	// patterns (see kind.Options) by resource name. The key AllResources holds
	// for every resource and overrides all others.
	Labels, Annotations map[string][]string
	// Joins put labels of related objects on the lines of families. Nodes, Namespaces,
	// ReplicaSets and Jobs that they need and that Kinds lack are read all the same:
	// they are among Tables, without families.
	Joins []Join
	// DisableCompression answers every scrape with a body that is not encoded.
	DisableCompression bool
	// Logger is told of objects that cannot be rendered; nil logs to slog.Default.
	Logger *slog.Logger
}

// Join asks for labels of related objects; see Config.Joins.
type Join = joined.Join

// Exporter turns objects into metrics: sources feed it, and it writes what they
// fed in the formats that Prometheus reads. It is safe for concurrent use.
type Exporter struct {
	resources []*store.Resource // ascending by name
	packer    *piece.Packer
	converter *store.Converter
	plainOnly bool
	cuts      cuts
}

// Feed receives the objects of one source; see Exporter.NewFeed.
type Feed = store.Feed

// Stats says how much an Exporter holds of one resource.
type Stats = store.Stats

// New returns an Exporter without objects. The error names everything that is
// wrong with the configuration.
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
	joins, err := joined.New(c.Joins, slices.Concat(kind.All(), c.Kinds))
	owners := newOwnerIndex()
	tables, wrong := c.plan(owners, joins)
	if err := errors.Join(
		unknownResources("labels", c.Labels, known), unknownResources("annotations", c.Annotations, known), err, wrong,
		sharedFamilies(tables), givenTwice(tables),
	); err != nil {
		return nil, err
	}
	x := &Exporter{packer: piece.NewPacker(), plainOnly: c.DisableCompression}
	x.converter = store.NewConverter(x.packer)
	observe := owners.observers(tables)
	for _, t := range tables {
		s := store.Config{Table: t, Packer: x.packer, Logger: c.Logger, Position: len(x.resources)}
		labeler := joins.Labeler(t)
		if labeler != nil {
			s.Labeler = labeler
		}
		s.Observer = both(observe(t), joins.Observer(t, labeler))
		if len(t.Schema().Families) == 0 && s.Observer == nil {
			continue // nobody would see anything of its objects
		}
		x.resources = append(x.resources, store.New(s))
	}
	return x, nil
}

// plan returns the tables of all resources to read, ascending by name: the kinds
// as the user wants them, and behind these what only joins need.
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

// givenTwice returns an error for each resource that several of the tables, which
// are in the order of their names, are of.
func givenTwice(tables []*kind.Table) error {
	var errs []error
	for i := 1; i < len(tables); i++ {
		if name := tables[i].Name; name == tables[i-1].Name {
			errs = append(errs, fmt.Errorf("resource %s is given twice", name))
		}
	}
	return errors.Join(errs...)
}

// patterns returns the key patterns that hold for a resource.
func patterns(lists map[string][]string, resource string) []string {
	if all, ok := lists[AllResources]; ok {
		return all
	}
	return lists[resource]
}

// unknownResources returns an error for each key of lists that is no resource.
// One that exists but is not served is fine.
func unknownResources(what string, lists map[string][]string, known []string) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		if name != AllResources && !slices.Contains(known, name) {
			errs = append(errs, fmt.Errorf("%s allow-list: resource %q does not exist; there are: %s",
				what, name, strings.Join(known, ", ")))
		}
	}
	return errors.Join(errs...)
}

// sharedFamilies returns an error for each family that several resources have:
// its samples would stand at several places of the exposition.
func sharedFamilies(tables []*kind.Table) error {
	var errs []error
	of := map[string]string{}
	for _, t := range tables {
		families := t.Schema().Families
		for i := range families {
			name := families[i].Name
			if other, ok := of[name]; ok && other != t.Name {
				errs = append(errs, fmt.Errorf("family %s is of both %s and %s", name, other, t.Name))
			}
			of[name] = t.Name
		}
	}
	return errors.Join(errs...)
}

// Tables returns the tables that are served, after filters, ascending by name. A
// table of which filters leave no family is not among them.
func (x *Exporter) Tables() []*kind.Table {
	tables := make([]*kind.Table, len(x.resources))
	for i, r := range x.resources {
		tables[i] = r.Table()
	}
	return tables
}

// NewFeed returns a Feed for objects of a resource, one for each source of such
// objects. The error says that the resource is not served.
func (x *Exporter) NewFeed(resource string) (*Feed, error) {
	r := x.resource(resource)
	if r == nil {
		return nil, fmt.Errorf("resource %q is not served; served are: %s", resource, strings.Join(kind.Names(x.Tables()), ", "))
	}
	return r.NewFeed(), nil
}

// Stats returns how much is held of a resource; zero where it is not served.
func (x *Exporter) Stats(resource string) Stats {
	r := x.resource(resource)
	if r == nil {
		return Stats{}
	}
	return r.Stats()
}

func (x *Exporter) resource(name string) *store.Resource {
	for _, r := range x.resources {
		if r.Table().Name == name {
			return r
		}
	}
	return nil
}

// Write writes the metrics of all resources that sel admits, ascending by
// resource name, as they are now. The error is that of w.
func (x *Exporter) Write(w io.Writer, f exposition.Format, sel Selection) error {
	if err := x.body(f, sel).Write(w, exposition.Identity); err != nil {
		return fmt.Errorf("write metrics: %w", err)
	}
	return nil
}

// body takes the present state of the resources that sel admits.
func (x *Exporter) body(f exposition.Format, sel Selection) *store.Body {
	var snapshots []*store.Snapshot
	for _, r := range x.resources {
		if sel.admits(r.Table().Name) {
			snapshots = append(snapshots, r.Snapshot(sel.Slice))
		}
	}
	return store.NewBody(x.converter, f, snapshots)
}
