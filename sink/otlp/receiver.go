package otlp

import (
	"bytes"
	"context"
	"errors"
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
	client  *http.Client
	warning string // the last that came with a success
}

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 1 << 20

const protobufType = "application/x-protobuf"

// send is one attempt to send a request.
func (r *receiver) send(ctx context.Context, p push.Payload) push.Result {
	request, err := r.request(ctx, p.Body)
	if err != nil {
		return push.Result{Err: err, Retry: true}
	}
	response, err := client.Do(r.client, request)
	if err != nil {
		return push.Result{Err: err, Retry: true}
	}
	defer response.Body.Close()
	defer client.Drain(response.Body)
	var success partialSuccess
	var result push.Result
	if r.config.Protocol == GRPC {
		success, result = readGRPC(response, request)
	} else {
		success, result = readHTTP(response)
	}
	if result.Err != nil {
		return result
	}
	return r.settle(request, success)
}

// settle says what a success means of which the receiver may have taken back some.
func (r *receiver) settle(request *http.Request, success partialSuccess) push.Result {
	text := push.Text([]byte(success.message), request)
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

// request returns a request with a body. Its errors may be gone the next time.
func (r *receiver) request(ctx context.Context, body []byte) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the URL is not valid")
	}
	for name, value := range r.config.Headers {
		request.Header.Set(name, value)
	}
	for name, file := range r.config.HeaderFiles {
		value, err := client.Secret(file)
		if err != nil {
			return nil, fmt.Errorf("read the header %s: %w", name, err)
		}
		request.Header.Set(name, value)
	}
	request.Header.Set("User-Agent", r.config.UserAgent)
	encoding := "Content-Encoding"
	if r.config.Protocol == GRPC {
		encoding = "Grpc-Encoding"
		request.Header.Set("Content-Type", "application/grpc")
		request.Header.Set("Te", "trailers")
	} else {
		request.Header.Set("Content-Type", protobufType)
	}
	if !r.config.NoCompression {
		request.Header.Set(encoding, "gzip")
	}
	return request, nil
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

// readFailure is push.Status, but that the protocol names the statuses after which
// one may try again; no other is one.
func readFailure(response *http.Response) push.Result {
	result := push.Status(response)
	switch response.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
	default:
		result.Retry, result.Rejected = false, push.All
	}
	return result
}
