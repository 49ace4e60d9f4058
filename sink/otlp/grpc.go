package otlp

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/kubestate/kubestate/sink/internal/client"
	"github.com/kubestate/kubestate/sink/internal/push"
)

// A unary gRPC call is one POST over HTTP/2: one frame in each direction, and the
// status in the trailers. Nothing else is needed; decision 0005 compares this with
// libraries.
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md

// frameHeader is the length of the header of a message: a compression flag and the
// length.
const frameHeader = 5

// setFrameHeader fills in the frame header at the start of body.
func setFrameHeader(body []byte, compressed bool) {
	if compressed {
		body[0] = 1
	}
	binary.BigEndian.PutUint32(body[1:], uint32(len(body)-frameHeader))
}

// code is a gRPC status code.
type code int

// Status codes with special handling.
const (
	codeOK                code = 0
	codeResourceExhausted code = 8
	codeUnauthenticated   code = 16
)

// codes lists the names of the codes, and whether OTLP allows clients to retry. After
// RESOURCE_EXHAUSTED they may retry if the receiver says when; after UNAUTHENTICATED we
// retry if the secret may change.
var codes = [...]struct {
	name  string
	retry bool
}{
	{"OK", false},
	{"CANCELLED", true},
	{"UNKNOWN", false},
	{"INVALID_ARGUMENT", false},
	{"DEADLINE_EXCEEDED", true},
	{"NOT_FOUND", false},
	{"ALREADY_EXISTS", false},
	{"PERMISSION_DENIED", false},
	{"RESOURCE_EXHAUSTED", false},
	{"FAILED_PRECONDITION", false},
	{"ABORTED", true},
	{"OUT_OF_RANGE", true},
	{"UNIMPLEMENTED", false},
	{"INTERNAL", false},
	{"UNAVAILABLE", true},
	{"DATA_LOSS", true},
	{"UNAUTHENTICATED", false},
}

func (c code) String() string {
	if c < 0 || int(c) >= len(codes) {
		return fmt.Sprintf("code %d", int(c))
	}
	return codes[c].name
}

func (c code) retry() bool { return c >= 0 && int(c) < len(codes) && codes[c].retry }

// readGRPC interprets the response to a call. The Result is zero on success.
func (r *receiver) readGRPC(response *http.Response) (partialSuccess, push.Result) {
	if response.StatusCode != http.StatusOK {
		return partialSuccess{}, readFailure(response) // from a proxy that only speaks HTTP
	}
	host := response.Request.URL.Host
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer)) // reads up to the trailers
	if err != nil {
		return partialSuccess{}, push.Result{Err: fmt.Errorf("post to %s: read response: %w", host, err), Retry: true}
	}
	header := response.Trailer
	if header.Get(statusHeader) == "" {
		header = response.Header // a response without a message
	}
	number, err := strconv.Atoi(header.Get(statusHeader))
	if err != nil {
		return partialSuccess{}, push.Result{Rejected: push.All, Err: fmt.Errorf("post to %s: response without a gRPC status", host)}
	}
	if code(number) == codeOK {
		return readSuccess(message(body)), push.Result{}
	}
	return partialSuccess{}, r.readError(code(number), header, response.Request)
}

const (
	statusHeader  = "Grpc-Status"
	messageHeader = "Grpc-Message"
	detailsHeader = "Grpc-Status-Details-Bin"
)

// readError interprets a status other than OK.
func (r *receiver) readError(c code, header http.Header, request *http.Request) push.Result {
	text, err := url.PathUnescape(header.Get(messageHeader))
	if err != nil {
		text = header.Get(messageHeader)
	}
	text = client.Text([]byte(text), request)
	if text != "" {
		text = ": " + text
	}
	result := push.Result{Err: fmt.Errorf("post to %s: gRPC status %s%s", request.URL.Host, c, text)}
	details, err := decodeBinary(header.Get(detailsHeader))
	if err != nil {
		details = nil // malformed details are ignored
	}
	status := readStatus(details)
	switch {
	case c.retry(), c == codeResourceExhausted && status.retry, c == codeUnauthenticated && r.client.SecretMayChange():
		result.Retry, result.RetryAfter = true, status.retryAfter
	case c == codeResourceExhausted:
		result.Rejected = push.All
		result.Err = fmt.Errorf("%w (if the request was too large, lower MaxBytes)", result.Err)
	default:
		result.Rejected = push.All
	}
	return result
}

// decodeBinary decodes the value of a header whose name ends in -bin.
func decodeBinary(value string) ([]byte, error) {
	return base64.RawStdEncoding.DecodeString(strings.TrimRight(value, "="))
}

// message returns the message of the first frame, or nothing if it is truncated or
// compressed, which was not requested.
func message(frames []byte) []byte {
	if len(frames) < frameHeader || frames[0] != 0 {
		return nil
	}
	length := binary.BigEndian.Uint32(frames[1:])
	frames = frames[frameHeader:]
	if uint64(length) > uint64(len(frames)) {
		return nil
	}
	return frames[:length]
}
