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

// receiver is the other side. It is for one sending goroutine; version is for any.
type receiver struct {
	config     Config
	client     *client.Client
	only1Until atomic.Int64 // it is taken for one of version 1 alone, nanoseconds since 1970
	noMetadata bool         // it was logged that the receiver refuses metadata
}

// askAgain is after how long a receiver that did not take version 2.0 is asked again:
// it may have been updated, or there was something else before it.
const askAgain = time.Hour

// version returns the version to encode new requests in.
func (r *receiver) version() Version {
	if r.config.Version == V1 || r.config.Version == Auto && time.Now().UnixNano() < r.only1Until.Load() {
		return V1
	}
	return V2
}

// send is one attempt to send what Sink.put has put into the queue.
func (r *receiver) send(ctx context.Context, p push.Payload) push.Result {
	version, body := Version(p.Kind), p.Body
	if version == V2 && r.version() == V2 {
		result, unsupported := r.post(ctx, V2, body, p.Series)
		if !unsupported || r.config.Version == V2 {
			return result
		}
		r.config.Logger.Info("remote write: the receiver does not take version 2.0, going on with 1.0", "reason", result.Err)
		r.only1Until.Store(time.Now().Add(askAgain).UnixNano())
	}
	if version == V2 {
		var err error
		if body, err = recode(body); err != nil {
			return push.Result{Rejected: p.Series, Err: fmt.Errorf("turn a request of version 2.0 into one of 1.0: %w", err)}
		}
	}
	result, _ := r.post(ctx, V1, body, p.Series)
	if p.Series == 0 && result.Err != nil && !result.Retry {
		return r.withoutMetadata(result.Err)
	}
	return result
}

// withoutMetadata is the result where a receiver refuses metadata, which fails no
// run: no series is lost.
func (r *receiver) withoutMetadata(why error) push.Result {
	if !r.noMetadata {
		r.noMetadata = true
		r.config.Logger.Warn("remote write: the receiver refuses metadata", "reason", why)
	}
	return push.Result{}
}

// recode turns a compressed request of version 2 into one of version 1.
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

// post sends a request and says what the receiver has made of it; unsupported
// means that it does not know the version.
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

// read says what an answer means.
func read(response *http.Response, version Version, series int) (result push.Result, unsupported bool) {
	result = client.Status(response)
	// Both versions forbid to try again after 4xx but 429.
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
		result.Err = fmt.Errorf("post to %s: it wrote %d of %d series", response.Request.URL.Host, accepted, series)
	}
	return result, false
}

const versionHeader = "X-Prometheus-Remote-Write-Version"

// writtenHeader says how many samples of a request were written. Receivers of
// version 2.0 always send it.
const writtenHeader = "X-Prometheus-Remote-Write-Samples-Written"

// errNoHeader is how 2.0 tells a receiver of 1.0 that does not look at the content
// type: it takes the request for an empty one and says that all is well.
var errNoHeader = errors.New("the answer has no header " + writtenHeader + ", which version 2.0 demands")

// written returns how many samples the receiver says that it has written.
func written(response *http.Response) (n int, said bool) {
	n, err := strconv.Atoi(response.Header.Get(writtenHeader))
	return n, err == nil
}
