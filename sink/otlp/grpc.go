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

// A unary call of gRPC is one POST over HTTP/2: a frame there, a frame back, and
// the status in the trailers. That is all that is needed here; why it is written by
// hand is decision 0005.
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md

// frameHeader is how many bytes go before a message: whether it is compressed, and
// its length.
const frameHeader = 5

// setFrameHeader fills in the header of the frame that body is.
func setFrameHeader(body []byte, compressed bool) {
	if compressed {
		body[0] = 1
	}
	binary.BigEndian.PutUint32(body[1:], uint32(len(body)-frameHeader))
}

// code is a status of gRPC.
type code int

// The codes that are of interest here.
const (
	codeOK                code = 0
	codeResourceExhausted code = 8
	codeUnauthenticated   code = 16
)

// codes has the names of the codes, and whether OTLP lets a client try again after
// them. After RESOURCE_EXHAUSTED it may if the receiver says when; after
// UNAUTHENTICATED we do if the secret may change.
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

// readGRPC reads the answer to a call. Its result is zero if it is a success.
func (r *receiver) readGRPC(response *http.Response) (partialSuccess, push.Result) {
	if response.StatusCode != http.StatusOK {
		return partialSuccess{}, readFailure(response) // something before the receiver, which knows HTTP alone
	}
	host := response.Request.URL.Host
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer)) // at its end come the trailers
	if err != nil {
		return partialSuccess{}, push.Result{Err: fmt.Errorf("post to %s: read the answer: %w", host, err), Retry: true}
	}
	header := response.Trailer
	if header.Get(statusHeader) == "" {
		header = response.Header // where there is no message
	}
	number, err := strconv.Atoi(header.Get(statusHeader))
	if err != nil {
		return partialSuccess{}, push.Result{Rejected: push.All, Err: fmt.Errorf("post to %s: the answer has no status of gRPC", host)}
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

// readError says what a status that is not OK means.
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
		details = nil // a hint that cannot be read is none
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

// decodeBinary decodes the value of a header whose name ends with -bin.
func decodeBinary(value string) ([]byte, error) {
	return base64.RawStdEncoding.DecodeString(strings.TrimRight(value, "="))
}

// message returns the message of the first frame; nothing where it is compressed,
// which was not asked for, or cut short.
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
