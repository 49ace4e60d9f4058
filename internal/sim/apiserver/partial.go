package apiserver

import (
	"encoding/binary"
	"fmt"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// The kinds by which a client asks for metadata only (Accept: …;as=Kind), for
// single objects and the events of watches, and for lists.
const (
	partialObject     = "PartialObjectMetadata"
	partialObjectList = "PartialObjectMetadataList"
)

// partialResource describes objects of which only the metadata is sent, whatever
// their kind.
func partialResource() *Resource {
	return &Resource{
		Group: metav1.GroupName, Version: "v1", Name: partialObject, Kind: partialObject,
		New: func() Object { return &metav1.PartialObjectMetadata{} },
	}
}

// checkForm rejects metadata under the wrong name, as the real server does: lists
// and single objects have a kind each.
func (r *request) checkForm() *apierrors.StatusError {
	list := r.verb == VerbList || r.verb == VerbPage
	var message string
	switch {
	case r.form.as == partialObject && list:
		message = "you requested PartialObjectMetadata, but the requested object is a list"
	case r.form.as == partialObjectList && !list:
		message = "you requested PartialObjectMetadataList, but the requested object is not a list"
	default:
		return nil
	}
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusNotAcceptable, Reason: metav1.StatusReasonNotAcceptable, Message: message,
	}}
}

// listKind is the kind of the list that the request is answered with.
func (r *request) listKind() schema.GroupVersionKind {
	switch r.form.as {
	case tableKind:
		return metav1.SchemeGroupVersion.WithKind(tableKind)
	case partialObject, partialObjectList:
		return metav1.SchemeGroupVersion.WithKind(partialObjectList)
	}
	return r.table.resource.groupVersion().WithKind(r.table.resource.Kind + "List")
}

// convert returns the object as the form asks for it: whole, its metadata or a
// Table with one row.
func (f form) convert(e *Encoded) (*Encoded, error) {
	switch f.as {
	case "":
		return e, nil
	case tableKind:
		return e.tableOf(f.printer, f.include, !f.started)
	}
	partial, err := e.metadataOnly()
	if err != nil {
		return nil, fmt.Errorf("metadata of %s %s/%s: %w", e.resource.Name, e.Namespace, e.Name, err)
	}
	return partial, nil
}

// metadataOnly returns the object as a PartialObjectMetadata.
func (e *Encoded) metadataOnly() (*Encoded, error) {
	r := partialResource()
	if e.message == nil {
		object, err := e.Decode()
		if err != nil {
			return nil, err
		}
		return r.encode(meta.AsPartialObjectMetadata(object), e.Version)
	}
	message, err := firstField(e.message)
	if err != nil {
		return nil, err
	}
	data, err := openEnvelope(r.groupVersion().WithKind(r.Kind), len(message))
	if err != nil {
		return nil, err
	}
	start := len(data)
	data = append(append(data, message...), unknownTail...)
	partial := &Encoded{Namespace: e.Namespace, Name: e.Name, Version: e.Version, resource: r}
	partial.hold(data, start)
	return partial, nil
}

// firstField returns field 1 of a message, header included. In every kind that
// is the metadata, and generated code writes it first.
func firstField(message []byte) ([]byte, error) {
	const header = 1<<3 | 2
	if len(message) == 0 || message[0] != header {
		return nil, fmt.Errorf("the message of %d bytes does not begin with field 1", len(message))
	}
	size, n := binary.Uvarint(message[1:])
	end := 1 + n + int(size)
	if n <= 0 || end > len(message) {
		return nil, fmt.Errorf("field 1 ends after the message of %d bytes", len(message))
	}
	return message[:end], nil
}
