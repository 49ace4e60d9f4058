package otlp

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/kubestate/kubestate/sink/internal/client"
	"github.com/kubestate/kubestate/sink/internal/push"
)

// receiver is the other side. It is for one sending goroutine.
type receiver struct {
	config  Config
	url     string
	client  *client.Client
	warning string // the last that came with a success
}

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 1 << 20

const protobufType = "application/x-protobuf"

// send is one attempt to send a request.
func (r *receiver) send(ctx context.Context, p push.Payload) push.Result {
	header, encoding := map[string]string{"Content-Type": protobufType}, "Content-Encoding"
	if r.config.Protocol == GRPC {
		header, encoding = map[string]string{"Content-Type": "application/grpc", "Te": "trailers"}, "Grpc-Encoding"
	}
	if !r.config.NoCompression {
		header[encoding] = "gzip"
	}
	return r.client.Post(ctx, r.url, p.Body, header, r.read)
}

// read says what an answer means.
func (r *receiver) read(response *http.Response) push.Result {
	read := readHTTP
	if r.config.Protocol == GRPC {
		read = r.readGRPC
	}
	success, result := read(response)
	if result.Err != nil {
		return result
	}
	return r.settle(response.Request, success)
}

// settle says what a success means of which the receiver may have taken back some.
func (r *receiver) settle(request *http.Request, success partialSuccess) push.Result {
	text := client.Text([]byte(success.message), request)
	if success.rejected > 0 {
		return push.Result{
			Rejected: success.rejected, Err: fmt.Errorf("post to %s: it rejected %d points: %s", request.URL.Host, success.rejected, text),
		}
	}
	if text != "" && text != r.warning {
		r.config.Logger.Warn("otlp: the receiver has taken everything and warns", "message", text)
		r.warning = text
	}
	return push.Result{}
}

// readHTTP reads an answer. Its result is zero if it is a success.
func readHTTP(response *http.Response) (partialSuccess, push.Result) {
	isProtobuf := func() bool {
		kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
		return err == nil && kind == protobufType
	}()
	if response.StatusCode/100 == 2 {
		if !isProtobuf {
			return partialSuccess{}, push.Result{}
		}
		// It was taken, even if the answer is cut short.
		body, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
		return readSuccess(body), push.Result{}
	}
	if isProtobuf {
		body, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer)) // what came before an error is better than nothing
		response.Body = io.NopCloser(strings.NewReader(readStatus(body).message))
	}
	return partialSuccess{}, readFailure(response)
}

// readFailure is client.Status, but that the protocol names the statuses after which
// one may try again; no other is one.
func readFailure(response *http.Response) push.Result {
	result := client.Status(response)
	switch response.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
	default:
		result.Retry, result.Rejected = false, push.All
	}
	return result
}
