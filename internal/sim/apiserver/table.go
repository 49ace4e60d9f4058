package apiserver

import (
	"encoding/json"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// tableKind is the kind by which kubectl asks for rows to print (Accept:
// …;as=Table), for single objects, lists and the events of watches.
const tableKind = "Table"

func printerOf(resource string) printer {
	all := printers()
	if p, ok := all[resource]; ok {
		return p
	}
	return all[""]
}

// row returns the object as JSON of a TableRow, with as much of the object as
// include says: its metadata unless the client asks for all or nothing of it.
func (e *Encoded) row(p printer, include metav1.IncludeObjectPolicy) (*Encoded, error) {
	object, err := e.Decode()
	if err != nil {
		return nil, err
	}
	row := metav1.TableRow{Cells: p.cells(object, time.Now())}
	switch include {
	case metav1.IncludeNone:
	case metav1.IncludeObject:
		row.Object.Raw, err = e.json(true)
	default:
		var partial *Encoded
		if partial, err = e.metadataOnly(); err == nil {
			row.Object.Raw, err = partial.json(true)
		}
	}
	if err != nil {
		return nil, err
	}
	return e.encodedAs(row)
}

// tableOf returns a single row as a Table of its own. Of the events of a watch
// only the first Table has columns.
func (e *Encoded) tableOf(p printer, include metav1.IncludeObjectPolicy, columns bool) (*Encoded, error) {
	row, err := e.row(p, include)
	if err != nil {
		return nil, err
	}
	table := struct {
		metav1.TypeMeta
		Metadata metav1.ListMeta                `json:"metadata"`
		Columns  []metav1.TableColumnDefinition `json:"columnDefinitions"`
		Rows     []json.RawMessage              `json:"rows"`
	}{
		TypeMeta: metav1.TypeMeta{Kind: tableKind, APIVersion: metav1.SchemeGroupVersion.String()},
		Metadata: metav1.ListMeta{ResourceVersion: formatVersion(e.Version)},
		Rows:     []json.RawMessage{row.data},
	}
	if columns {
		table.Columns = p.columns
	}
	return e.encodedAs(table)
}

// encodedAs returns the same version of the object in another JSON form.
func (e *Encoded) encodedAs(form any) (*Encoded, error) {
	data, err := json.Marshal(form)
	if err != nil {
		return nil, fmt.Errorf("encode %s %s/%s: %w", e.resource.Name, e.Namespace, e.Name, err)
	}
	return &Encoded{Namespace: e.Namespace, Name: e.Name, Version: e.Version, resource: e.resource, data: data}, nil
}
