package kind

import "slices"

// This file is about which fields of an object are read, so that no others need
// to be decoded.

const (
	labelsField      = "metadata.labels"
	annotationsField = "metadata.annotations"
)

// metadataFields are fields that every reader of objects needs: what an object is
// called, of which version it is, and since when it is there.
var metadataFields = []string{
	"metadata.name", "metadata.namespace", "metadata.uid", "metadata.resourceVersion", "metadata.generation",
	"metadata.creationTimestamp", "metadata.deletionTimestamp",
}

// Reading returns the row as one that reads further fields beside those of
// Kind.Reads, named in the same way; none at all is a promise, too. Of a map the
// entry of one key can be left out, "metadata.annotations[!key]", or all others,
// "metadata.labels[key]".
func (r Row[T]) Reading(fields ...string) Row[T] {
	r.reads = append([]string{}, fields...)
	return r
}

// Reads returns the fields that rows of any of the tables read, ascending, each as
// in Kind.Reads. Nil means that some table does not say, so that objects have to be
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

// reads returns the fields that Begin and Rows read, nil if the kind does not say.
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

// Printed returns the column of `kubectl get` that shows a field, as in Kind.Printed;
// empty: none.
func (t *Table) Printed(field string) string { return t.printed[field] }
