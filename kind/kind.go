// Package kind is the catalog: it declares, resource by resource, which families an object
// has and how each is computed. Each resource has a file with one table. The package does
// not know where objects come from or where samples go.
//
// kind.go defines tables, rows.go the types of rows, labels.go the labels, reads.go which
// fields are read, all.go lists the tables, and define.go is for tables and rows declared
// elsewhere. replicaset.go is a good first example.
package kind

import (
	"errors"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubestate/kubestate/metric"
)

// Object is implemented by every type of the Kubernetes API: it has metadata and can be
// decoded from protobuf.
type Object interface {
	metav1.Object
	runtime.Object
	Unmarshal(data []byte) error
}

// Resource identifies the API resource of a kind.
type Resource struct {
	Group, Version string
	Name           string // plural, as in the path of the API ("pods")
	Kind           string // as in manifests ("Pod")
	Namespaced     bool
	NotDefault     bool // served only when --resources names it
	// Older are earlier versions, newest first, whose JSON and protobuf forms are the same
	// in all fields that rows read. They are used if the server does not serve Version.
	Older []string
}

// GroupVersionKind returns the apiVersion and kind of manifests of the resource.
func (r Resource) GroupVersionKind() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: r.Group, Version: r.Version, Kind: r.Kind}
}

// GroupVersionKinds returns the same for each version, newest first.
func (r Resource) GroupVersionKinds() []schema.GroupVersionKind {
	kinds := []schema.GroupVersionKind{r.GroupVersionKind()}
	for _, version := range r.Older {
		kinds = append(kinds, schema.GroupVersionKind{Group: r.Group, Version: version, Kind: r.Kind})
	}
	return kinds
}

// Kind declares a table of families of T, a type of the Kubernetes API. Define makes the
// table.
type Kind[T any] struct {
	Resource
	Identity labels // labels that every sample begins with
	// Labeled means that rows set all labels of their samples (Emitter.Label); Identity is
	// empty.
	Labeled bool
	// Reads are the fields that Begin and Rows read, in addition to the identity, version
	// and times in the metadata. Other fields are not decoded. A field is named as in
	// manifests, without list indexes, and includes everything below it; braces list
	// alternatives: "spec.containers.{name,image}". If nil, objects are decoded whole. Use
	// Row.Reading for fields that only opt-in rows read.
	Reads []string
	// Printed maps top-level fields to the columns of `kubectl get` that show them
	// unchanged ("type" to "Type"). If rows read only such fields and metadata, objects are
	// requested as a Table, so that the API server does not send the rest, such as the data
	// of Secrets.
	Printed map[string]string
	// Begin calls e.Begin with s and the values of the identity labels, in order.
	Begin func(t *T, e *metric.Emitter, s *metric.Schema)
	Rows  []Row[T]
	// New returns an empty object to decode into; the default is new(T).
	New func() *T

	// empty clears an object but keeps the capacity of its lists; if nil, nothing is kept.
	empty func(*T)
}

// Row is one row of the table: a family and how to emit its samples. Other packages use
// NewRow and NewMapRow.
type Row[T any] struct {
	metric.Desc
	emit     func(*T, *metric.Emitter)
	from     func(*T) map[string]string              // the map from which an allow-list selects labels
	withheld string                                  // a key of that map that no allow-list admits
	bind     func(Options) func(*T, *metric.Emitter) // returns emit for the options
	reads    []string                                // fields in addition to those of the kind; nil: none, or unknown
}

// Table is a completed Kind, whatever its object type. It is immutable and safe
// for concurrent use.
type Table struct {
	Resource
	schema  *metric.Schema
	reads   []string // nil: unknown
	printed map[string]string
	object  func() Object
	reset   func(Object)
	collect func(o Object, e *metric.Emitter, first, end int) error
	plan    func(Options) (*Table, error)
	kind    any // the Kind[T] of the table, for Extend
}

// pointer is the pointer type of an API type: it has the methods.
type pointer[T any] interface {
	*T
	Object
}

// define completes a declaration.
func define[T any, P pointer[T]](k Kind[T]) *Table {
	families := make([]metric.Desc, len(k.Rows))
	for i := range k.Rows {
		families[i] = k.Rows[i].Desc
	}
	s := metric.NewSchema(k.Name, k.Identity, families)
	nobody := make([]string, len(k.Identity))
	return &Table{
		Resource: k.Resource,
		schema:   s,
		reads:    k.reads(),
		printed:  k.Printed,
		object:   func() Object { return P(k.object()) },
		reset:    k.reset,
		collect: func(o Object, e *metric.Emitter, first, end int) error {
			p, ok := o.(P)
			if !ok {
				e.Begin(s, nobody...)
				return fmt.Errorf("collect %s: object is a %T", k.Name, o)
			}
			if err := k.begin((*T)(p), e, s); err != nil {
				e.Begin(s, nobody...)
				return err
			}
			return emitRows(k.Rows[:end], first, (*T)(p), e)
		},
		plan: func(o Options) (*Table, error) {
			rows, err := planRows(k.Rows, o)
			if err != nil {
				return nil, err
			}
			planned := k
			planned.Rows = rows
			if k.Reads != nil { // an empty list declares that nothing is read; nil declares nothing
				planned.Reads = append(slices.Clip(k.Reads), o.Reads...)
			}
			return define[T, P](planned), nil
		},
		kind: k,
	}
}

// reset empties an object.
func (k *Kind[T]) reset(o Object) {
	switch t, ok := o.(any).(*T); {
	case !ok:
	case k.empty != nil:
		k.empty(t)
	default:
		*t = *k.object()
	}
}

// object returns an empty object.
func (k *Kind[T]) object() *T {
	if k.New != nil {
		return k.New()
	}
	return new(T)
}

// begin calls Begin and turns a panic into an error.
func (k *Kind[T]) begin(t *T, e *metric.Emitter, s *metric.Schema) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("identity of %s: %v", k.Name, r)
		}
	}()
	k.Begin(t, e, s)
	return nil
}

// Schema returns the table without its functions.
func (t *Table) Schema() *metric.Schema { return t.schema }

// New returns an empty object of the kind, to decode into.
func (t *Table) New() Object { return t.object() }

// Reset clears an object of the kind so that Unmarshal can reuse it with fewer allocations.
// The new object may reuse the lists of the old one, so nothing may refer to them any more;
// strings are not reused. Reset is not sufficient before decoding JSON, which can restore
// old list elements.
func (t *Table) Reset(o Object) { t.reset(o) }

// Collect emits all samples of an object. A value that cannot be shown, such as a quantity
// out of bounds, is omitted, and so are the remaining samples of a row that panics. All
// other samples are emitted, and the error names the families. For an object of another
// kind, the Sink receives only a Begin with empty identity labels. Without an error Collect
// allocates nothing. It is safe for concurrent use if each call has its own Emitter.
func (t *Table) Collect(o Object, e *metric.Emitter) error {
	return t.collect(o, e, 0, len(t.schema.Families))
}

// CollectFamily emits the samples of one family of an object, as Collect does.
func (t *Table) CollectFamily(o Object, family int, e *metric.Emitter) error {
	return t.collect(o, e, family, family+1)
}

// emitRows emits rows[first:].
func emitRows[T any](rows []Row[T], first int, t *T, e *metric.Emitter) (err error) {
	for next := first; next < len(rows); {
		var failed error
		if next, failed = emitFrom(rows, next, t, e); failed != nil {
			err = errors.Join(err, failed)
		}
	}
	return err
}

// emitFrom emits rows from first on, up to one that fails, and returns the row to continue
// with.
func emitFrom[T any](rows []Row[T], first int, t *T, e *metric.Emitter) (next int, err error) {
	next = first
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%s: %v", rows[next].Name, r)
			next++
		}
	}()
	for ; next < len(rows); next++ {
		e.Family(next)
		rows[next].emit(t, e)
		if err := e.Rejected(); err != nil {
			return next + 1, fmt.Errorf("%s: %w", rows[next].Name, err)
		}
	}
	return next, nil
}
