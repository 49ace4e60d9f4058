package datadog

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"

	"github.com/klauspost/compress/zstd"

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
	url        string // without a slash at its end
	keyFile    string
	client     *client.Client
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
		length, size := binary.Uvarint(payload[at+1:]) // of our own making, so that there is no error
		at += 1 + size + int(length)
	}
	return at
}

// post sends a payload and says what the receiver has made of it.
func (i *intake) post(ctx context.Context, p push.Payload) (result push.Result, tooLarge bool) {
	key, err := client.Secret(i.keyFile)
	if err != nil {
		return push.Result{Err: fmt.Errorf("read the API key: %w", err), Retry: true}, false
	}
	path, header := "/api/v2/series", map[string]string{
		"DD-API-KEY": key, "Content-Type": "application/x-protobuf", "Content-Encoding": "zstd",
	}
	if p.Kind == kindChecks {
		path, header = "/api/v1/check_run", map[string]string{"DD-API-KEY": key, "Content-Type": "application/json"}
	}
	result = i.client.Post(ctx, i.url+path, p.Body, header, func(response *http.Response) push.Result {
		tooLarge = response.StatusCode == http.StatusRequestEntityTooLarge
		result := client.Status(response)
		if response.StatusCode == http.StatusForbidden {
			result.Err = fmt.Errorf("%w: is the API key in %s valid, and one of this site?", result.Err, i.keyFile)
		}
		return result
	})
	return result, tooLarge
}
