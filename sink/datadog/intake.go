package datadog

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/klauspost/compress/zstd"

	"github.com/kubestate/kubestate/sink/internal/client"
	"github.com/kubestate/kubestate/sink/internal/push"
)

// Values of push.Payload.Kind.
const (
	kindSeries uint8 = iota // a MetricPayload compressed with zstd
	kindChecks              // service checks as JSON
)

// intake sends to Datadog. Except for compressor, it is used only by the sending
// goroutine.
type intake struct {
	url        string // without a trailing slash
	keyFile    string
	client     *client.Client
	compressor *zstd.Encoder
}

// send makes one attempt to send a payload.
func (i *intake) send(ctx context.Context, p push.Payload) push.Result {
	result, tooLarge := i.post(ctx, p)
	if tooLarge && p.Series > 1 {
		return i.sendHalves(ctx, p)
	}
	return result
}

// sendHalves sends a payload that was too large, for the receiver or a proxy, in two
// halves. If one half has to be retried, so is the other.
func (i *intake) sendHalves(ctx context.Context, p push.Payload) push.Result {
	halves, err := i.split(p)
	if err != nil {
		return push.Result{Rejected: push.All, Err: fmt.Errorf("split oversized request: %w", err)}
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
	half := p.Series / 2
	first, second, err := i.splitBody(p, half)
	halves[0] = push.Payload{Body: first, Series: half, Kind: p.Kind}
	halves[1] = push.Payload{Body: second, Series: p.Series - half, Kind: p.Kind}
	return halves, err
}

// splitBody splits after half series.
func (i *intake) splitBody(p push.Payload, half int) (first, second []byte, err error) {
	if p.Kind == kindChecks {
		var checks []json.RawMessage
		if err := json.Unmarshal(p.Body, &checks); err != nil {
			return nil, nil, err
		}
		first, err1 := json.Marshal(checks[:half])
		second, err2 := json.Marshal(checks[half:])
		return first, second, errors.Join(err1, err2)
	}
	decompressor, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, nil, err
	}
	defer decompressor.Close()
	series, err := decompressor.DecodeAll(p.Body, nil)
	if err != nil {
		return nil, nil, err
	}
	middle := offset(series, half)
	return i.compressor.EncodeAll(series[:middle], nil), i.compressor.EncodeAll(series[middle:], nil), nil
}

// offset returns where series n starts in a MetricPayload.
func offset(payload []byte, n int) int {
	at := 0
	for range n {
		length, size := binary.Uvarint(payload[at+1:]) // encoded by us, so there is no error
		at += 1 + size + int(length)
	}
	return at
}

// post sends a payload and returns the Result.
func (i *intake) post(ctx context.Context, p push.Payload) (result push.Result, tooLarge bool) {
	path, header := "/api/v2/series", map[string]string{"Content-Type": "application/x-protobuf", "Content-Encoding": "zstd"}
	if p.Kind == kindChecks {
		path, header = "/api/v1/check_run", map[string]string{"Content-Type": "application/json"}
	}
	result = i.client.Post(ctx, i.url+path, p.Body, header, func(response *http.Response) push.Result {
		tooLarge = response.StatusCode == http.StatusRequestEntityTooLarge
		result := client.Status(response)
		if response.StatusCode == http.StatusForbidden {
			result.Err = fmt.Errorf("%w (check that the API key in %s is valid for this site)", result.Err, i.keyFile)
		}
		return result
	})
	return result, tooLarge
}
