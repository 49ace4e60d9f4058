package apiserver

import (
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// encodeMeta encodes an object of meta/v1 (Status, APIResourceList and so on)
// as the body of a response. Its kind is the same in every group version; the
// API sends it as v1.
func encodeMeta(format encoding, kind string, object runtime.Object) ([]byte, error) {
	gvk := schema.GroupVersionKind{Version: "v1", Kind: kind}
	if format == encodeJSON {
		object.GetObjectKind().SetGroupVersionKind(gvk)
		return json.Marshal(object)
	}
	message, ok := object.(protobufObject)
	if !ok {
		return nil, fmt.Errorf("encode %s: %T has no protobuf form", kind, object)
	}
	body, _, err := envelope(gvk, message)
	return body, err
}

func encodeStatus(format encoding, status metav1.Status) ([]byte, error) {
	return encodeMeta(format, "Status", &status)
}
