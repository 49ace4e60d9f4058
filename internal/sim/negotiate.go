package sim

import (
	"mime"
	"slices"
	"strconv"
	"strings"
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

// negotiate chooses the encoding that the Accept header prefers. Forms that
// are not offered, such as Table or metadata only, are passed over, so that
// clients fall back to what they list next. ok is false if nothing fits.
func negotiate(accept string, offersProtobuf bool) (chosen encoding, ok bool) {
	if accept == "" {
		return encodeJSON, true
	}
	best := 0.0
	for clause := range strings.SplitSeq(accept, ",") {
		mediaType, params, err := mime.ParseMediaType(clause)
		if err != nil || params["as"] != "" {
			continue
		}
		candidate, known := encodingOf(mediaType, offersProtobuf)
		if quality := quality(params["q"]); known && quality > best {
			chosen, best, ok = candidate, quality, true
		}
	}
	return chosen, ok
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
