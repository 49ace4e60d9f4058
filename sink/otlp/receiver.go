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

// receiver sends to the remote end. It is used only by the sending goroutine.
type receiver struct {
	config  Config
	url     string
	client  *client.Client
	warning string // last warning that came with a success
}

// maxAnswer is the maximum number of bytes read of a response.
const maxAnswer = 1 << 20

const protobufType = "application/x-protobuf"

// send makes one attempt to send a request.
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

// read interprets a response.
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

// settle interprets a success, of which the receiver may have rejected a part.
func (r *receiver) settle(request *http.Request, success partialSuccess) push.Result {
	text := client.Text([]byte(success.message), request)
	if success.rejected > 0 {
		return push.Result{
			Rejected: success.rejected, Err: fmt.Errorf("post to %s: partial success, %d rejected: %s", request.URL.Host, success.rejected, text),
		}
	}
	if text != "" && text != r.warning {
		r.config.Logger.Warn("otlp: warning from the receiver", "message", text)
		r.warning = text
	}
	return push.Result{}
}

// readHTTP interprets a response. The Result is zero on success.
func readHTTP(response *http.Response) (partialSuccess, push.Result) {
	isProtobuf := func() bool {
		kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
		return err == nil && kind == protobufType
	}()
	if response.StatusCode/100 == 2 {
		if !isProtobuf {
			return partialSuccess{}, push.Result{}
		}
		// Everything was accepted, even if the response is truncated.
		body, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
		return readSuccess(body), push.Result{}
	}
	if isProtobuf {
		body, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer)) // text before a read error is better than none
		response.Body = io.NopCloser(strings.NewReader(readStatus(body).message))
	}
	return partialSuccess{}, readFailure(response)
}

// readFailure is client.Status, except that OTLP lists the retryable statuses; all
// others are permanent.
func readFailure(response *http.Response) push.Result {
	result := client.Status(response)
	switch response.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
	default:
		result.Retry, result.Rejected = false, push.All
	}
	return result
}
