package kubewatch

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kubestate/kubestate/kind"
)

// Consumer wants the objects of one resource, for a Store per watch. Consumers are
// compared by address: a plan that has the same ones as another keeps their watches.
type Consumer struct {
	// Owner says whose the objects become, such as "exporter". A plan has one Consumer
	// for each owner and resource; where a changed plan has another, its Store takes the
	// place of the one before.
	Owner string
	Table *kind.Table // says which fields are read
	// FieldSelector selects all objects that are wanted ("spec.nodeName="); empty: all.
	// It saves reading the others where all consumers of the resource have the same; a
	// Store must still ignore what it does not want.
	FieldSelector string
	// Whole says that the Store receives the objects of all shards, as a source of joins
	// does.
	Whole bool
	// Frozen says that the objects of a Store outlast its watch: where others take over, or
	// the resource is removed, the Store is left as it is rather than emptied.
	Frozen   bool
	NewStore func() (Store, error)
}

// Consumers returns a Consumer for each table, such as those of an Exporter or Agent
// with its method NewFeed.
func Consumers[S Store](owner string, tables []*kind.Table, newFeed func(kind.Resource) (S, error)) []*Consumer {
	consumers := make([]*Consumer, len(tables))
	for i, t := range tables {
		consumers[i] = &Consumer{Owner: owner, Table: t, NewStore: func() (Store, error) {
			store, err := newFeed(t.Resource)
			if err != nil {
				return nil, err
			}
			return store, nil
		}}
	}
	return consumers
}

// Scope limits the namespaced objects that are read.
type Scope struct {
	Namespaces    []string // empty: all
	FieldSelector string   // as in Watch
	// FieldSelectors are further field selectors of single resources, by name.
	FieldSelectors map[string]string
	// Shard selects the objects that consumers receive, except those that are Whole; zero:
	// all. From a plan to another that differs in this alone, watches and stores are
	// kept, and objects are listed again.
	Shard Shard
	Lists Lists // as in Watch, of all resources
}

// Plan says what to read and who receives it. It is a value: it can be compared with
// another, and a Group can change from one to the next while it runs.
type Plan struct {
	Entries []Entry // sorted by resource and namespace
}

// Entry is one watch of a Plan. Whatever decides which objects a watch hands on is here and
// in Equal.
type Entry struct {
	Consumers     []*Consumer // of one resource, in the order given to NewPlan; not empty
	Namespace     string      // as in Watch
	FieldSelector string      // as in Watch
	Fields        []string    // as in Watch: those that any Consumer reads
	Shard         Shard       // as in Watch; zero if all consumers are Whole
	OtherFields   []string    // as in Watch: those that any Whole Consumer reads
	Lists         Lists       // as in Watch
}

// NewPlan returns the plan with a watch for each resource that any consumer wants, and
// for each namespace of scope.
func NewPlan(scope Scope, consumers ...*Consumer) Plan {
	byResource := map[entryKey][]*Consumer{}
	for _, c := range consumers {
		key := Entry{Consumers: []*Consumer{c}}.key()
		byResource[key] = append(byResource[key], c)
	}
	var plan Plan
	for _, sharing := range byResource {
		whole := slices.DeleteFunc(slices.Clone(sharing), func(c *Consumer) bool { return !c.Whole })
		selector := both(scope.FieldSelectors[sharing[0].Table.Name], commonSelector(sharing))
		entry := Entry{Consumers: sharing, FieldSelector: selector, Fields: reads(sharing), OtherFields: reads(whole), Lists: scope.Lists}
		if len(whole) < len(sharing) {
			entry.Shard = scope.Shard
		}
		if !sharing[0].Table.Namespaced {
			plan.Entries = append(plan.Entries, entry)
			continue
		}
		entry.FieldSelector = both(scope.FieldSelector, selector)
		for _, namespace := range namespacesOf(scope) {
			entry.Namespace = namespace
			plan.Entries = append(plan.Entries, entry)
		}
	}
	slices.SortFunc(plan.Entries, func(a, b Entry) int { return a.key().compare(b.key()) })
	return plan
}

// reads returns the fields that any of consumers reads.
func reads(consumers []*Consumer) []string {
	tables := make([]*kind.Table, len(consumers))
	for i, c := range consumers {
		tables[i] = c.Table
	}
	return kind.Reads(tables...)
}

// commonSelector returns the field selector that all consumers have, if there is one.
func commonSelector(consumers []*Consumer) string {
	common := consumers[0].FieldSelector
	for _, c := range consumers {
		if c.FieldSelector != common {
			return ""
		}
	}
	return common
}

// both returns the field selector that selects what two select, of which either may be
// empty.
func both(a, b string) string { return strings.Trim(a+","+b, ",") }

func namespacesOf(s Scope) []string {
	if len(s.Namespaces) == 0 {
		return []string{""}
	}
	return slices.Compact(slices.Sorted(slices.Values(s.Namespaces)))
}

// Equal reports whether two entries are the same.
func (e Entry) Equal(other Entry) bool { return e.equalExceptShard(other) && e.Shard == other.Shard }

// equalExceptShard reports whether the watch of one entry can serve the other once it has
// listed all objects again.
func (e Entry) equalExceptShard(other Entry) bool {
	return e.key() == other.key() && e.FieldSelector == other.FieldSelector && e.Lists == other.Lists &&
		slices.Equal(e.Fields, other.Fields) && slices.Equal(e.Consumers, other.Consumers)
}

// String returns what the entry reads, such as "pods in namespace shop".
func (e Entry) String() string {
	if e.Namespace == "" {
		return e.Consumers[0].Table.Name
	}
	return e.Consumers[0].Table.Name + " in namespace " + e.Namespace
}

// entryKey identifies an entry within a plan.
type entryKey struct{ resource, group, version, namespace string }

func (e Entry) key() entryKey {
	r := e.Consumers[0].Table.Resource
	return entryKey{r.Name, r.Group, r.Version, e.Namespace}
}

// sameResource reports whether two entries read the same resource, in any namespace.
func (e Entry) sameResource(other Entry) bool {
	a, b := e.key(), other.key()
	return a.resource == b.resource && a.group == b.group && a.version == b.version
}

func (k entryKey) compare(other entryKey) int {
	return cmp.Or(cmp.Compare(k.resource, other.resource), cmp.Compare(k.group, other.group), cmp.Compare(k.version, other.version), cmp.Compare(k.namespace, other.namespace))
}

// Diff is what changes from one plan to the next.
type Diff struct {
	Kept, Added, Removed []Entry
	Changed              []Entry // as the next plan has them
	Resharded            []Entry // those that differ in their Shard alone, as the next plan has them
}

// Diff returns what changes from p to next.
func (p Plan) Diff(next Plan) Diff {
	var d Diff
	before := map[entryKey]Entry{}
	for _, e := range p.Entries {
		before[e.key()] = e
	}
	for _, e := range next.Entries {
		old, known := before[e.key()]
		delete(before, e.key())
		switch {
		case !known:
			d.Added = append(d.Added, e)
		case e.Equal(old):
			d.Kept = append(d.Kept, e)
		case e.equalExceptShard(old):
			d.Resharded = append(d.Resharded, e)
		default:
			d.Changed = append(d.Changed, e)
		}
	}
	for _, e := range p.Entries {
		if _, removed := before[e.key()]; removed {
			d.Removed = append(d.Removed, e)
		}
	}
	return d
}

// watch returns the Watch of an entry and its stores, one per consumer.
func (e Entry) watch() (Watch, []Store, error) {
	w := Watch{
		Table: e.Consumers[0].Table, Namespace: e.Namespace, FieldSelector: e.FieldSelector, Fields: e.Fields,
		Shard: e.Shard, OtherFields: e.OtherFields, Lists: e.Lists,
	}
	stores := make([]Store, len(e.Consumers))
	var whole []Store
	var problems []error
	for i, c := range e.Consumers {
		var err error
		if stores[i], err = c.NewStore(); err != nil {
			problems = append(problems, fmt.Errorf("watch %s for %s: %w", e, c.Owner, err))
		}
		if c.Whole {
			whole = append(whole, stores[i])
		}
	}
	w.Store = together(stores)
	if len(whole) > 0 {
		w.Others = together(whole)
	}
	return w, stores, errors.Join(problems...)
}

// together returns the Store that hands everything on to stores.
func together(stores []Store) Store {
	if len(stores) == 1 {
		return stores[0]
	}
	return Tee(stores...)
}
