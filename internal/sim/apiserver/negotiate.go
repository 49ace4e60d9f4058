package apiserver

import (
	"mime"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	jsonType     = "application/json"
	protobufType = "application/vnd.kubernetes.protobuf"
)

// encoding is a wire format of responses.
type encoding int

const (
	encodeJSON encoding = iota
	encodeProtobuf
)

// form is how a response is written.
type form struct {
	encoding encoding
	// as is the kind to which objects are converted: partialObject or
	// partialObjectList, as the request names it, or tableKind. Empty means whole
	// objects.
	as string
	// printer shows the objects where as is tableKind.
	printer printer
	// include says how much of its object a row of a Table contains.
	include metav1.IncludeObjectPolicy
	// started means that the columns of a Table have been sent.
	started bool
}

// contentType returns the Content-Type header of a response.
func (e encoding) contentType(stream bool) string {
	switch {
	case e == encodeProtobuf && stream:
		return protobufType + ";stream=watch"
	case e == encodeProtobuf:
		return protobufType
	}
	return jsonType
}

// negotiate chooses the form that the Accept header prefers. Forms that are not
// offered, such as Table in protobuf, are passed over, so that clients fall back to what
// they list next. ok is false if nothing fits. As on the real server metadata
// comes in protobuf too where whole objects do not.
func negotiate(accept string, offersProtobuf bool) (chosen form, ok bool) {
	if accept == "" {
		return form{}, true
	}
	best := 0.0
	for clause := range strings.SplitSeq(accept, ",") {
		mediaType, params, err := mime.ParseMediaType(clause)
		if err != nil || !offersTransform(params) {
			continue
		}
		as := params["as"]
		candidate, known := encodingOf(mediaType, (offersProtobuf || as != "") && as != tableKind)
		if quality := quality(params["q"]); known && quality > best {
			chosen, best, ok = form{encoding: candidate, as: as}, quality, true
		}
	}
	return chosen, ok
}

// offersTransform reports whether objects can be sent as the parameters of a media type
// require: whole, metadata only, or as the rows of a Table.
func offersTransform(params map[string]string) bool {
	switch params["as"] {
	case "":
		return true
	case partialObject, partialObjectList, tableKind:
		return params["g"] == metav1.GroupName && params["v"] == "v1"
	}
	return false
}

func encodingOf(mediaType string, offersProtobuf bool) (encoding, bool) {
	if mediaType == protobufType && offersProtobuf {
		return encodeProtobuf, true
	}
	return encodeJSON, slices.Contains([]string{jsonType, "application/*", "*/*"}, mediaType)
}

// quality reads a q parameter; a missing or malformed one counts as 1.
func quality(q string) float64 {
	value, err := strconv.ParseFloat(q, 64)
	if err != nil {
		return 1
	}
	return value
}
