package apiserver

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// protobufMagic starts every protobuf body of the Kubernetes API, except the
// outer message of a watch frame.
const protobufMagic = "k8s\x00"

// unknownTail is how a runtime.Unknown ends: empty contentEncoding and
// contentType.
const unknownTail = "\x1a\x00\x22\x00"

// protobufObject is what generated k8s.io/api types can do.
type protobufObject interface {
	Size() int
	MarshalToSizedBuffer([]byte) (int, error)
	Unmarshal([]byte) error
}

// Encoded is one version of one object as the server sends it. It is immutable
// and safe for concurrent use.
type Encoded struct {
	Namespace string
	Name      string
	Version   uint64 // metadata.resourceVersion

	resource *Resource
	nodeName string // spec.nodeName of a Pod
	phase    string // status.phase of a Pod
	labels   labels.Set
	data     []byte // protobuf with envelope, or JSON for a custom resource
	message  []byte // the part of data within the protobuf envelope; nil for JSON
}

// Bytes returns what GET answers: the protobuf form with its envelope, or JSON
// for a custom resource. The caller must not change it.
func (e *Encoded) Bytes() []byte { return e.data }

// Message returns the object's own protobuf message without the envelope, or
// nil for a custom resource. The caller must not change it.
func (e *Encoded) Message() []byte { return e.message }

// Decode makes a new typed (or unstructured) object that the caller owns. Like
// objects from typed clients it carries no kind and apiVersion, unless it is
// unstructured.
func (e *Encoded) Decode() (Object, error) {
	if e.message == nil {
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(e.data); err != nil {
			return nil, fmt.Errorf("decode %s %s/%s: %w", e.resource.Name, e.Namespace, e.Name, err)
		}
		return object, nil
	}
	object := e.resource.New()
	if err := object.(protobufObject).Unmarshal(e.message); err != nil {
		return nil, fmt.Errorf("decode %s %s/%s: %w", e.resource.Name, e.Namespace, e.Name, err)
	}
	return object, nil
}

// json returns the JSON form. Items of typed lists come without kind and
// apiVersion, objects on their own with them.
func (e *Encoded) json(withKind bool) ([]byte, error) {
	if e.message == nil {
		return e.data, nil
	}
	object, err := e.Decode()
	if err != nil {
		return nil, err
	}
	if withKind {
		object.GetObjectKind().SetGroupVersionKind(e.resource.groupVersion().WithKind(e.resource.Kind))
	}
	return json.Marshal(object)
}

// encode turns an object with its resourceVersion set into the stored form.
func (r *Resource) encode(object Object, version uint64) (*Encoded, error) {
	e := &Encoded{Namespace: object.GetNamespace(), Name: object.GetName(), Version: version, resource: r}
	e.labels = maps.Clone(object.GetLabels())
	if pod, ok := object.(*corev1.Pod); ok {
		e.nodeName, e.phase = pod.Spec.NodeName, string(pod.Status.Phase)
	}
	if r.New == nil {
		data, err := json.Marshal(object)
		if err != nil {
			return nil, fmt.Errorf("encode %s %s/%s: %w", r.Name, e.Namespace, e.Name, err)
		}
		e.data = data
		return e, nil
	}
	message, ok := object.(protobufObject)
	if !ok {
		return nil, fmt.Errorf("encode %s %s/%s: %T has no protobuf form", r.Name, e.Namespace, e.Name, object)
	}
	data, start, err := envelope(r.groupVersion().WithKind(r.Kind), message)
	if err != nil {
		return nil, fmt.Errorf("encode %s %s/%s: %w", r.Name, e.Namespace, e.Name, err)
	}
	e.hold(data, start)
	return e, nil
}

// hold takes an envelope with the message at start.
func (e *Encoded) hold(data []byte, start int) {
	e.data, e.message = data, data[start:len(data)-len(unknownTail)]
}

// envelope encodes a message as the body of a response; the message itself
// starts at the returned offset and ends before unknownTail.
func envelope(kind schema.GroupVersionKind, message protobufObject) ([]byte, int, error) {
	size := message.Size()
	data, err := openEnvelope(kind, size)
	if err != nil {
		return nil, 0, err
	}
	start := len(data)
	data = data[:start+size]
	if _, err := message.MarshalToSizedBuffer(data[start:]); err != nil {
		return nil, 0, err
	}
	return append(data, unknownTail...), start, nil
}

// openEnvelope returns what precedes a message of size bytes, with room for
// the message and unknownTail.
func openEnvelope(kind schema.GroupVersionKind, size int) ([]byte, error) {
	typeMeta, err := (&runtime.TypeMeta{APIVersion: kind.GroupVersion().String(), Kind: kind.Kind}).Marshal()
	if err != nil {
		return nil, err
	}
	data := make([]byte, 0, len(protobufMagic)+len(typeMeta)+size+len(unknownTail)+2*(1+binary.MaxVarintLen32))
	data = append(data, protobufMagic...)
	data = appendFirstField(data, typeMeta)
	return appendFieldHeader(data, 2, size), nil
}

// appendFieldHeader appends tag and length of a length-delimited field.
func appendFieldHeader(b []byte, field byte, size int) []byte {
	const lengthDelimited = 2
	return binary.AppendUvarint(append(b, field<<3|lengthDelimited), uint64(size))
}

// appendFirstField appends field 1 with a value of bytes or text.
func appendFirstField(b, value []byte) []byte {
	return append(appendFieldHeader(b, 1, len(value)), value...)
}

// fieldSize is the length of a length-delimited field with a value of size
// bytes.
func fieldSize(size int) int {
	n := 2 + size
	for v := size; v >= 1<<7; v >>= 7 {
		n++
	}
	return n
}

// bookmark makes the object of a BOOKMARK event, which carries a
// resourceVersion and, at the end of the initial events, an annotation.
func (r *Resource) bookmark(version uint64, endOfInitialEvents bool) (*Encoded, error) {
	var object Object = &unstructured.Unstructured{Object: map[string]any{}}
	if r.New != nil {
		object = r.New()
	} else {
		object.GetObjectKind().SetGroupVersionKind(r.groupVersion().WithKind(r.Kind))
	}
	object.SetResourceVersion(formatVersion(version))
	if endOfInitialEvents {
		object.SetAnnotations(map[string]string{metav1.InitialEventsAnnotationKey: "true"})
	}
	return r.encode(object, version)
}
