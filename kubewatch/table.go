package kubewatch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/kubestate/kubestate/internal/wire"
	"github.com/kubestate/kubestate/kind"
)

// This file reads objects as kubectl does to print them: as rows of a Table, which have
// what is printed and the metadata. What else there is, such as the data of a Secret,
// never leaves the API server.

const (
	kindTable  = "Table"
	mediaTable = mediaJSON + ";as=" + kindTable + ";v=v1;g=meta.k8s.io"
)

// errNotPrinted means that a Table has no column for a field.
var errNotPrinted = errors.New("a Table lacks a column")

// withMetadata returns a query for rows that have the metadata of their objects.
func withMetadata(query url.Values) url.Values {
	query = maps.Clone(query)
	query.Set("includeObject", string(metav1.IncludeMetadata))
	return query
}

// refusesTable reports whether a request may succeed that does not ask for a Table.
func refusesTable(err error) bool {
	return apierrors.IsNotAcceptable(err) || apierrors.IsBadRequest(err) || apierrors.IsInvalid(err) || apierrors.IsUnsupportedMediaType(err)
}

// rowFields says what of a row becomes part of an object. It is immutable.
type rowFields struct {
	columns  map[string]string // names of columns by the fields that they show
	metadata map[string]string // fields of the metadata that are kept, and a key of each that is not; "": none
}

// newRowFields returns what rows have to have for fields, as in Watch, to be read; nil if
// rows lack some, or if the metadata is enough.
func newRowFields(t *kind.Table, fields []string) *rowFields {
	r := &rowFields{columns: map[string]string{}, metadata: map[string]string{}}
	for _, field := range fields {
		paths, entries, err := wire.Paths(field)
		if err != nil {
			return nil // for wire.Compile to complain of
		}
		for _, path := range paths {
			if name, ok := strings.CutPrefix(path, "metadata."); ok {
				name, _, _ = strings.Cut(name, ".")
				if _, kept := r.metadata[name]; !kept || entries.Only == "" {
					r.metadata[name] = entries.Except
				}
			} else if r.columns[path] = t.Printed(path); r.columns[path] == "" {
				return nil
			}
		}
	}
	if len(r.columns) == 0 {
		return nil
	}
	return r
}

// read makes an answer, unless it is nil or comes as protobuf, be read as a Table.
func (r *rowFields) read(a *answer) *answer {
	if a == nil {
		return nil
	}
	if _, ok := a.codec.(jsonCodec); ok {
		a.codec = &tableCodec{fields: r}
	}
	return a
}

// tableCodec reads Tables. It hands on rows as JSON of the objects that they show; where
// the server sends whole objects all the same, it reads them as jsonCodec does. event and
// list are for one goroutine.
type tableCodec struct {
	jsonCodec

	fields *rowFields
	cells  map[string]int // where in a row the fields are; nil: no columns came yet
}

// tableRow is a metav1.TableRow as it comes.
type tableRow struct {
	Cells  []json.RawMessage `json:"cells"`
	Object struct {
		Metadata map[string]json.RawMessage `json:"metadata"`
	} `json:"object"`
}

// event makes the object of an event of the one row of a Table. Only the first Table of a
// watch has columns. The Table of a bookmark may have no row.
func (c *tableCodec) event(frame []byte) (event, error) {
	e, err := c.jsonCodec.event(frame)
	if err != nil {
		return e, err
	}
	var table struct {
		Kind     string                         `json:"kind"`
		Metadata map[string]json.RawMessage     `json:"metadata"`
		Columns  []metav1.TableColumnDefinition `json:"columnDefinitions"`
		Rows     []tableRow                     `json:"rows"`
	}
	if json.Unmarshal(e.Object, &table) != nil || table.Kind != kindTable {
		return e, nil // a Status or a whole object, or for decode to complain of
	}
	clear(e.Object)
	if len(table.Columns) > 0 {
		if err := c.define(table.Columns); err != nil {
			return event{}, err
		}
	}
	switch {
	case e.Type == watch.Bookmark && len(table.Rows) == 0:
		e.Object, err = json.Marshal(map[string]any{"metadata": table.Metadata})
	case len(table.Rows) != 1:
		return event{}, fmt.Errorf("event %s: a Table with %d rows, want 1", e.Type, len(table.Rows))
	case e.Type == watch.Bookmark: // which has no cells, and an annotation that says what it marks
		e.Object, err = json.Marshal(map[string]any{"metadata": table.Rows[0].Object.Metadata})
	default:
		e.Object, err = c.object(&table.Rows[0])
	}
	if err != nil {
		return event{}, fmt.Errorf("event %s: %w", e.Type, err)
	}
	return e, nil
}

// list hands on the rows of a Table or, if it is none, the items of a list. A row that
// makes no object is handed on as it is, which decode complains of.
func (c *tableCodec) list(r io.Reader, item func(object []byte)) (metav1.ListMeta, error) {
	j := newJSONReader(r)
	return j.list(map[string]func() error{
		"items": func() error { return j.items(item) },
		"columnDefinitions": func() error {
			var columns []metav1.TableColumnDefinition
			value, err := j.next()
			if err == nil {
				err = json.Unmarshal(value, &columns)
			}
			if err != nil {
				return fmt.Errorf("columns of a Table: %w", err)
			}
			return c.define(columns)
		},
		"rows": func() error {
			var missing error
			err := j.items(func(value []byte) {
				object, err := c.row(value)
				switch {
				case errors.Is(err, errNotPrinted):
					missing = err
				case err != nil:
					item(value)
				default:
					item(object)
				}
				clear(value)
			})
			return errors.Join(err, missing)
		},
	})
}

// define finds the cells by the names of columns.
func (c *tableCodec) define(columns []metav1.TableColumnDefinition) error {
	at := map[string]int{}
	for i := range columns {
		at[columns[i].Name] = i
	}
	c.cells = map[string]int{}
	for field, column := range c.fields.columns {
		i, ok := at[column]
		if !ok {
			return fmt.Errorf("%w: %q", errNotPrinted, column)
		}
		c.cells[field] = i
	}
	return nil
}

func (c *tableCodec) row(value []byte) ([]byte, error) {
	var row tableRow
	if err := json.Unmarshal(value, &row); err != nil {
		return nil, fmt.Errorf("row of a Table: %w", err)
	}
	return c.object(&row)
}

// object returns JSON of the object that a row shows, with the fields that are read. Of
// the row nothing is kept: an annotation may hold a copy of the data.
func (c *tableCodec) object(row *tableRow) ([]byte, error) {
	if c.cells == nil {
		return nil, fmt.Errorf("%w: there are no columns", errNotPrinted)
	}
	metadata := map[string]any{}
	for name, value := range row.Object.Metadata {
		except, kept := c.fields.metadata[name]
		switch {
		case kept && except == "":
			metadata[name] = value
		case kept:
			var entries map[string]json.RawMessage
			if err := json.Unmarshal(value, &entries); err != nil {
				return nil, fmt.Errorf("metadata.%s of a row: %w", name, err)
			}
			clear(entries[except])
			delete(entries, except)
			metadata[name] = entries
			defer clear(value)
		default:
			clear(value)
		}
	}
	object := map[string]any{"metadata": metadata}
	for field, i := range c.cells {
		if i >= len(row.Cells) {
			return nil, fmt.Errorf("a row with %d cells, want more than %d", len(row.Cells), i)
		}
		object[field] = row.Cells[i]
	}
	return json.Marshal(object)
}
