// Package manifest reads Kubernetes objects from files as kubectl prints them:
// YAML or JSON, several documents, JSON lines, and lists of objects. It refuses
// to know what becomes of the objects.
package manifest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/json"

	"github.com/kubestate/kubestate/internal/wire"
	"github.com/kubestate/kubestate/kind"
)

// Reader turns manifests into objects of the kinds it knows.
type Reader struct {
	tables map[schema.GroupVersionKind]*kind.Table
	// MaxDocument is the largest YAML document, in bytes, also with its aliases
	// replaced. A document takes many times its size while it is read.
	MaxDocument int64
	// Find returns the table of a kind that NewReader was not given; nil: there is none. It
	// is called once for a kind. A nil Find finds none.
	Find func(schema.GroupVersionKind) *kind.Table
	// Unknown counts the objects of unknown kinds.
	Unknown map[schema.GroupVersionKind]int
	// Objects counts all objects, of known and of unknown kinds.
	Objects int
}

// NewReader returns a Reader of objects of the given kinds.
func NewReader(tables []*kind.Table) *Reader {
	r := &Reader{tables: map[schema.GroupVersionKind]*kind.Table{}, MaxDocument: 128 << 20, Unknown: map[schema.GroupVersionKind]int{}}
	for _, t := range tables {
		for _, gvk := range t.GroupVersionKinds() {
			r.tables[gvk] = t
		}
	}
	return r
}

// typeMeta is what every object and every list says about itself.
type typeMeta struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
}

// Read calls put with every object of a file, in the order of the file. name is the
// name of the file in errors. A malformed document does not keep the others from
// being read: the error joins one for each, with the line of the field that is wrong.
func (r *Reader) Read(name string, data []byte, put func(*kind.Table, kind.Object)) error {
	documents, err := r.split(data)
	errs := []error{inFile(name, err)}
	for _, d := range documents {
		errs = append(errs, inFile(name, r.object(d, typeMeta{}, put)))
	}
	return errors.Join(errs...)
}

// lineError is an error at a line of a file.
type lineError struct {
	line int
	err  error
}

func (e *lineError) Error() string { return fmt.Sprintf("line %d: %v", e.line, e.err) }
func (e *lineError) Unwrap() error { return e.err }

// inFile puts the file's name in front of every error that err joins.
func inFile(name string, err error) error {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		var errs []error
		for _, e := range joined.Unwrap() {
			errs = append(errs, inFile(name, e))
		}
		return errors.Join(errs...)
	}
	var at *lineError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &at):
		return fmt.Errorf("%s:%d: %w", name, at.line, at.err)
	default:
		return fmt.Errorf("%s: %w", name, err)
	}
}

// object reads one object, or each object of a list. Items of a typed list may lack
// apiVersion and kind; item has those that the list implies.
func (r *Reader) object(d document, item typeMeta, put func(*kind.Table, kind.Object)) error {
	meta := item
	if err := json.UnmarshalCaseSensitivePreserveInts(d.json, &meta); err != nil {
		return d.wrong("not a Kubernetes object", problems(d.json, func() any { return new(typeMeta) }, err))
	}
	if of, ok := strings.CutSuffix(meta.Kind, "List"); ok && d.list {
		item = typeMeta{meta.APIVersion, of}
		if of == "" {
			item = typeMeta{} // a List implies nothing of its items
		}
		var errs []error
		for _, e := range d.items {
			errs = append(errs, r.object(e, item, put))
		}
		return errors.Join(errs...)
	}
	if meta.Kind == "" || meta.APIVersion == "" {
		return &lineError{d.line(), errors.New("not a Kubernetes object: apiVersion and kind must both be given")}
	}
	r.Objects++
	gvk := schema.FromAPIVersionAndKind(meta.APIVersion, meta.Kind)
	t := r.table(gvk)
	if t == nil {
		r.Unknown[gvk]++
		return nil
	}
	o := t.New()
	bounded := wire.BoundJSON(o, d.json)
	if err := json.UnmarshalCaseSensitivePreserveInts(bounded, o); err != nil {
		return d.wrong("malformed "+meta.Kind, problems(bounded, func() any { return t.New() }, err))
	}
	if o.GetName() == "" {
		return &lineError{d.line("metadata"), fmt.Errorf("malformed %s: metadata.name must be given", meta.Kind)}
	}
	put(t, o)
	return nil
}

// table returns the table of a kind; nil if it is unknown.
func (r *Reader) table(gvk schema.GroupVersionKind) *kind.Table {
	t, asked := r.tables[gvk]
	if !asked && r.Find != nil {
		t = r.Find(gvk)
		r.tables[gvk] = t
	}
	return t
}

// wrong returns an error for each problem of a document, in the order of lines.
func (d document) wrong(what string, found []wrongField) error {
	var errs []*lineError
	for _, p := range found {
		err := p.err
		if len(p.path) > 0 {
			err = fmt.Errorf("%s: %w", fieldPath(p.path), err)
		}
		errs = append(errs, &lineError{d.line(p.path...), fmt.Errorf("%s: %w", what, err)})
	}
	slices.SortStableFunc(errs, func(a, b *lineError) int { return a.line - b.line })
	var joined error
	for _, err := range errs {
		joined = errors.Join(joined, err)
	}
	return joined
}
