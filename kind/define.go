package kind

import (
	"errors"
	"fmt"
	"slices"

	"github.com/kubestate/kubestate/metric"
)

// Define returns the table of a kind declared outside this package, such as a custom
// resource. T is a struct whose pointer implements Object. The error lists everything that
// is invalid in the declaration.
func Define[T any, P interface {
	*T
	Object
}](k Kind[T],
) (*Table, error) {
	if err := k.check(); err != nil {
		return nil, fmt.Errorf("define %s: %w", k.Name, err)
	}
	return define[T, P](k), nil
}

// Extend returns a table with further rows after those of another, to add families to a
// kind of the catalog. If a row does not declare what it reads (Row.Reading), objects are
// decoded whole. The error lists everything that is invalid in the rows, including a T that
// is not the type of the table's objects.
func Extend[T any, P interface {
	*T
	Object
}](t *Table, rows ...Row[T],
) (*Table, error) {
	k, ok := t.kind.(Kind[T])
	if !ok {
		return nil, fmt.Errorf("extend %s: rows are for a %T, objects are a %T", t.Name, new(T), t.New())
	}
	k.Rows = slices.Concat(k.Rows, rows)
	if slices.ContainsFunc(rows, func(r Row[T]) bool { return r.reads == nil }) {
		k.Reads = nil
	}
	if err := k.check(); err != nil {
		return nil, fmt.Errorf("extend %s: %w", t.Name, err)
	}
	return define[T, P](k), nil
}

// NewRow returns a row of a family and the function that emits its samples: emit calls
// e.Add once per sample with the values of d.Labels, or e.Label and e.AddLabeled if samples
// differ in their labels. It is called for every change of an object, from several
// goroutines, and must not modify the object.
func NewRow[T any](d metric.Desc, emit func(t *T, e *metric.Emitter)) Row[T] {
	return Row[T]{Desc: d, emit: emit}
}

// NewMapRow returns a row of a family with one sample of value 1 whose labels are the
// entries of a map, such as the labels of the object. Label names begin with d.Prefix.
// d.AllowList says which patterns of Options select the entries; with metric.NoAllowList
// all are shown.
func NewMapRow[T any](d metric.Desc, from func(*T) map[string]string) Row[T] {
	r := mapped(d.Name, d.Stability, d.Help, d.Prefix, d.AllowList, from)
	r.Desc = d
	return r
}

func (k *Kind[T]) check() error {
	var errs []error
	for _, field := range []struct{ name, value string }{{"Name", k.Name}, {"Version", k.Version}, {"Kind", k.Kind}} {
		if field.value == "" {
			errs = append(errs, fmt.Errorf("%s is empty", field.name))
		}
	}
	if len(k.Identity) == 0 && !k.Labeled {
		errs = append(errs, errors.New("without Identity nothing tells objects apart"))
	}
	if k.Begin == nil {
		errs = append(errs, errors.New("Begin is nil"))
	}
	var families []metric.Desc
	for i := range k.Rows {
		r := &k.Rows[i]
		families = append(families, r.Desc)
		switch {
		case r.emit == nil:
			errs = append(errs, fmt.Errorf("family %s: nothing emits its samples", r.Name))
		case r.Prefix != "" && r.from == nil, r.AllowList != metric.NoAllowList && r.from == nil:
			errs = append(errs, fmt.Errorf("family %s: labels from a map want NewMapRow and the map", r.Name))
		}
	}
	return errors.Join(append(errs, metric.NewSchema(k.Name, k.Identity, families).Check())...)
}
