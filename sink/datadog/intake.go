package datadog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/kubestate/kubestate/sink/internal/client"
	"github.com/kubestate/kubestate/sink/internal/push"
)

// What a push.Payload holds.
const (
	kindSeries uint8 = iota // a MetricPayload, compressed with zstd
	kindChecks              // service checks in JSON
)

// intake is the other side. It is for one sending goroutine, but for compressor.
type intake struct {
	config     Config
	url        string // without a slash at its end
	client     *http.Client
	compressor *zstd.Encoder
}

// send is one attempt to send a payload.
func (i *intake) send(ctx context.Context, p push.Payload) push.Result {
	result, tooLarge := i.post(ctx, p)
	if tooLarge && p.Kind == kindSeries && p.Series > 1 {
		return i.sendHalves(ctx, p)
	}
	return result
}

// sendHalves sends a payload that was too large for the receiver, or something
// before it, in two. Should one half have to be tried again, both are.
func (i *intake) sendHalves(ctx context.Context, p push.Payload) push.Result {
	halves, err := i.split(p)
	if err != nil {
		return push.Result{Rejected: push.All, Err: fmt.Errorf("split a request that was too large: %w", err)}
	}
	var whole push.Result
	for _, half := range halves {
		result := i.send(ctx, half)
		if result.Retry {
			return result
		}
		if result.Rejected == push.All {
			result.Rejected = half.Series
		}
		whole.Rejected += result.Rejected
		whole.Err = errors.Join(whole.Err, result.Err)
	}
	return whole
}

func (i *intake) split(p push.Payload) (halves [2]push.Payload, err error) {
	decompressor, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return halves, err
	}
	defer decompressor.Close()
	series, err := decompressor.DecodeAll(p.Body, nil)
	if err != nil {
		return halves, err
	}
	half := p.Series / 2
	middle := offset(series, half)
	halves[0] = push.Payload{Body: i.compressor.EncodeAll(series[:middle], nil), Series: half}
	halves[1] = push.Payload{Body: i.compressor.EncodeAll(series[middle:], nil), Series: p.Series - half}
	return halves, nil
}

// offset returns where in a MetricPayload the series begins that n others precede.
func offset(payload []byte, n int) int {
	at := 0
	for range n {
		length, size := protowire.ConsumeVarint(payload[at+1:]) // of our own making, so that there is no error
		at += 1 + size + int(length)
	}
	return at
}

// post sends a payload and says what the receiver has made of it.
func (i *intake) post(ctx context.Context, p push.Payload) (result push.Result, tooLarge bool) {
	request, err := i.request(ctx, p)
	if err != nil {
		return push.Result{Err: err, Retry: true}, false
	}
	response, err := client.Do(i.client, request)
	if err != nil {
		return push.Result{Err: err, Retry: true}, false
	}
	defer response.Body.Close()
	defer client.Drain(response.Body)
	result = push.Status(response)
	if response.StatusCode == http.StatusForbidden {
		result.Err = fmt.Errorf("%w: is the API key in %s valid, and one of this site?", result.Err, i.config.KeyFile)
	}
	return result, response.StatusCode == http.StatusRequestEntityTooLarge
}

// request returns a request with a body. Its errors may be gone the next time.
func (i *intake) request(ctx context.Context, p push.Payload) (*http.Request, error) {
	path := "/api/v2/series"
	if p.Kind == kindChecks {
		path = "/api/v1/check_run"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, i.url+path, bytes.NewReader(p.Body))
	if err != nil {
		return nil, errors.New("the URL is not valid")
	}
	key, err := client.Secret(i.config.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("read the API key: %w", err)
	}
	request.Header.Set("DD-API-KEY", key)
	request.Header.Set("User-Agent", i.config.UserAgent)
	if p.Kind == kindChecks {
		request.Header.Set("Content-Type", "application/json")
	} else {
		request.Header.Set("Content-Type", "application/x-protobuf")
		request.Header.Set("Content-Encoding", "zstd")
	}
	return request, nil
}
