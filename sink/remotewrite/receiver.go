package remotewrite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/s2"

	"github.com/kubestate/kubestate/sink/internal/client"
	"github.com/kubestate/kubestate/sink/internal/push"
)

// receiver sends to the remote end. It is used by the sending goroutine, except
// version, which is safe for concurrent use.
type receiver struct {
	config     Config
	client     *client.Client
	only1Until atomic.Int64 // until then the receiver counts as supporting only 1.0; nanoseconds since 1970
	noMetadata bool         // it was logged that the receiver rejects metadata
}

// askAgain is the time after which a receiver that rejected 2.0 is tried again: it may
// have been updated, or a proxy may have answered.
const askAgain = time.Hour

// version returns the version for new requests.
func (r *receiver) version() Version {
	if r.config.Version == V1 || r.config.Version == Auto && time.Now().UnixNano() < r.only1Until.Load() {
		return V1
	}
	return V2
}

// send makes one attempt to send a payload of Sink.put.
func (r *receiver) send(ctx context.Context, p push.Payload) push.Result {
	version, body := Version(p.Kind), p.Body
	if version == V2 && r.version() == V2 {
		result, unsupported := r.post(ctx, V2, body, p.Series)
		if !unsupported || r.config.Version == V2 {
			return result
		}
		r.config.Logger.Info("remote write: receiver does not support version 2.0; falling back to 1.0", "reason", result.Err)
		r.only1Until.Store(time.Now().Add(askAgain).UnixNano())
	}
	if version == V2 {
		var err error
		if body, err = recode(body); err != nil {
			return push.Result{Rejected: p.Series, Err: fmt.Errorf("convert request from version 2.0 to 1.0: %w", err)}
		}
	}
	result, _ := r.post(ctx, V1, body, p.Series)
	if p.Series == 0 && result.Err != nil && !result.Retry {
		return r.withoutMetadata(result.Err)
	}
	return result
}

// withoutMetadata returns success for rejected metadata, since no series is lost.
func (r *receiver) withoutMetadata(why error) push.Result {
	if !r.noMetadata {
		r.noMetadata = true
		r.config.Logger.Warn("remote write: receiver rejected metadata", "reason", why)
	}
	return push.Result{}
}

// recode converts a compressed request from version 2 to version 1.
func recode(body []byte) ([]byte, error) {
	request, err := s2.Decode(nil, body)
	if err != nil {
		return nil, err
	}
	if request, err = downgrade(request); err != nil {
		return nil, err
	}
	return s2.EncodeSnappy(nil, request), nil
}

// post sends a request and returns its Result; unsupported means that the receiver does
// not support the version.
func (r *receiver) post(ctx context.Context, version Version, body []byte, series int) (result push.Result, unsupported bool) {
	header := map[string]string{
		"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf", versionHeader: "0.1.0",
	}
	if version == V2 {
		header["Content-Type"], header[versionHeader] = "application/x-protobuf;proto=io.prometheus.write.v2.Request", "2.0.0"
	}
	result = r.client.Post(ctx, r.config.URL, body, header, func(response *http.Response) (result push.Result) {
		result, unsupported = read(response, version, series)
		return result
	})
	return result, unsupported
}

// read interprets a response.
func read(response *http.Response, version Version, series int) (result push.Result, unsupported bool) {
	result = client.Status(response)
	// Both versions forbid retries after 4xx other than 429.
	result.Retry = result.Retry && response.StatusCode != http.StatusRequestTimeout
	if result.Retry {
		return result, false
	}
	accepted, said := written(response)
	if version == V2 && (response.StatusCode == http.StatusUnsupportedMediaType || result.Err == nil && !said) {
		return push.Result{Rejected: series, Err: cmp.Or(result.Err, errNoHeader)}, true
	}
	if result.Err == nil && !said {
		accepted = series
	}
	result.Rejected = max(0, series-accepted)
	if result.Err == nil && result.Rejected > 0 {
		result.Err = fmt.Errorf("post to %s: receiver wrote %d of %d series", response.Request.URL.Host, accepted, series)
	}
	return result, false
}

const versionHeader = "X-Prometheus-Remote-Write-Version"

// writtenHeader has the number of samples written. Receivers of version 2.0 always send
// it.
const writtenHeader = "X-Prometheus-Remote-Write-Samples-Written"

// errNoHeader identifies a receiver that supports only 1.0 and ignores the content
// type: it sees an empty request and reports success.
var errNoHeader = errors.New("response without header " + writtenHeader + ", which version 2.0 requires")

// written returns the number of samples that the receiver reports as written.
func written(response *http.Response) (n int, said bool) {
	n, err := strconv.Atoi(response.Header.Get(writtenHeader))
	return n, err == nil
}
