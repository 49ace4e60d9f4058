package kind

import "slices"

// This file determines which fields of an object are read, so that no others need to be
// decoded.

const (
	labelsField      = "metadata.labels"
	annotationsField = "metadata.annotations"
)

// metadataFields are the fields that every reader of objects needs: identity, version and
// times.
var metadataFields = []string{
	"metadata.name", "metadata.namespace", "metadata.uid", "metadata.resourceVersion", "metadata.generation",
	"metadata.creationTimestamp", "metadata.deletionTimestamp",
}

// Reading returns the row with the fields that it reads in addition to those of Kind.Reads,
// named in the same way; an empty list declares that there are none. For a map,
// "metadata.labels[key]" is the entry of one key, and "metadata.annotations[!key]" all
// entries except one.
func (r Row[T]) Reading(fields ...string) Row[T] {
	r.reads = append([]string{}, fields...)
	return r
}

// Reads returns the fields that rows of any of the tables read, ascending, each as in
// Kind.Reads. Nil means that the fields of some table are unknown, so objects must be
// decoded whole.
func Reads(tables ...*Table) []string {
	fields := []string{}
	for _, t := range tables {
		if t.reads == nil {
			return nil
		}
		fields = append(fields, t.reads...)
	}
	slices.Sort(fields)
	return slices.Compact(fields)
}

// reads returns the fields that Begin and Rows read, nil if they are unknown.
func (k *Kind[T]) reads() []string {
	if k.Reads == nil {
		return nil
	}
	fields := slices.Concat(metadataFields, k.Reads)
	for i := range k.Rows {
		fields = append(fields, k.Rows[i].reads...)
	}
	return fields
}

// Printed returns the column of `kubectl get` that shows a field, as in Kind.Printed; empty
// if there is none.
func (t *Table) Printed(field string) string { return t.printed[field] }
