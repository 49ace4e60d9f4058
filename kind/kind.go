// Package kind is the catalog: it declares, resource by resource, which families
// an object has and how each is computed. One file per resource; each file is
// one table. It does not know where objects come from and where samples go.
//
// kind.go says what a table is, rows.go what a row can be, labels.go which
// labels there are, reads.go which fields are read, all.go which tables there are;
// read replicaset.go first.
// define.go is for tables and rows that are declared elsewhere.
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

// Object is what every type of the Kubernetes API is: it has metadata and can be
// read from its protobuf form.
type Object interface {
	metav1.Object
	runtime.Object
	Unmarshal(data []byte) error
}

// Resource says where the Kubernetes API keeps objects of a kind.
type Resource struct {
	Group, Version string
	Name           string // plural, as in the path of the API ("pods")
	Kind           string // as in manifests ("Pod")
	Namespaced     bool
	NotDefault     bool // served only when --resources names it
	// Older are earlier versions, the newest first, with the same JSON and protobuf
	// form as far as rows read it. They are read where the server lacks Version.
	Older []string
}

// GroupVersionKind returns what manifests of the resource say in apiVersion and kind.
func (r Resource) GroupVersionKind() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: r.Group, Version: r.Version, Kind: r.Kind}
}

// GroupVersionKinds returns the same for each version, the newest first.
func (r Resource) GroupVersionKinds() []schema.GroupVersionKind {
	kinds := []schema.GroupVersionKind{r.GroupVersionKind()}
	for _, version := range r.Older {
		kinds = append(kinds, schema.GroupVersionKind{Group: r.Group, Version: version, Kind: r.Kind})
	}
	return kinds
}

// Kind declares a table of families over T, a type of the Kubernetes API. Define
// makes the table.
type Kind[T any] struct {
	Resource
	Identity labels // labels that every sample begins with
	// Labeled says that samples have all of their labels of their own (Emitter.Label):
	// then Identity is empty.
	Labeled bool
	// Reads are the fields that Begin and Rows read beside the identity, the version
	// and the times in the metadata of an object. Others are not decoded. A field is
	// named as in manifests, without regard to lists, and stands for all below it;
	// braces hold alternatives: "spec.containers.{name,image}". Nil says nothing:
	// then objects are decoded whole. What only rows that are off by default read is
	// better said with Row.Reading.
	Reads []string
	// Printed maps fields outside the metadata to the columns of `kubectl get` that
	// show them as they are ("type" to "Type"). Objects of which rows read only such
	// fields and metadata are read as a Table: the rest of them, such as the data of
	// Secrets, the API server does not even send. A field is at the top of the object.
	Printed map[string]string
	// Begin calls e.Begin with s and the values of the identity labels, in order.
	Begin func(t *T, e *metric.Emitter, s *metric.Schema)
	Rows  []Row[T]
	// New returns an empty object to decode into; nil: new(T).
	New func() *T

	// empty clears an object but keeps the memory of its lists; nil: keep nothing.
	empty func(*T)
}

// Row is one line of the table: a family and how to emit its samples. NewRow and
// NewMapRow make one outside this package.
type Row[T any] struct {
	metric.Desc
	emit     func(*T, *metric.Emitter)
	from     func(*T) map[string]string              // the map that an allow-list picks labels from
	withheld string                                  // a key of that map that no allow-list admits
	bind     func(Options) func(*T, *metric.Emitter) // what makes emit of the options
	reads    []string                                // fields beside those of the kind; nil: none, or not told
}

// Table is a completed Kind, whatever its object type. It is immutable and safe
// for concurrent use.
type Table struct {
	Resource
	schema  *metric.Schema
	reads   []string // nil: not told
	printed map[string]string
	object  func() Object
	reset   func(Object)
	collect func(o Object, e *metric.Emitter, first, end int) error
	plan    func(Options) (*Table, error)
	kind    any // the Kind[T] that the table was made of, for Extend
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
			if k.Reads != nil { // none is a promise, which nil is not
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

// begin calls Begin, and makes an error of a panic.
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

// Reset empties an object of the kind, so that Unmarshal can use it for another and
// allocates less. Lists of the old object may become those of the new one, so that
// nothing may still refer to them; strings are not touched. For decoding JSON,
// which can bring back what lists held before, it is not enough.
func (t *Table) Reset(o Object) { t.reset(o) }

// Collect emits all samples of an object. A value that cannot be shown, such as a
// quantity out of bounds, is left out; a row that panics loses the rest of its
// samples. All other samples are emitted and the error names the families. Of an
// object that is not of the kind, the Sink sees only a Begin with empty identity
// labels. Without an error Collect allocates nothing. Calls may run at the same
// time with an Emitter each.
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

// emitFrom emits row first and the following ones up to one that fails, and
// returns the row to continue with.
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
