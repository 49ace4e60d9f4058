package remotewrite

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/s2"

	"github.com/kubestate/kubestate/sink/internal/push"
)

// receiver is the other side. It is for one sending goroutine; version is for any.
type receiver struct {
	Config
	client *http.Client
	only1  atomic.Bool // it takes no requests of version 2
}

// version returns the version to encode new requests in.
func (r *receiver) version() Version {
	if r.only1.Load() {
		return V1
	}
	return V2
}

// send is one attempt to send what Sink.put has put into the queue.
func (r *receiver) send(ctx context.Context, p push.Payload) push.Result {
	version, body := Version(p.Kind), p.Body
	if version == V2 && !r.only1.Load() {
		result, unsupported := r.post(ctx, V2, body, p.Series)
		if !unsupported || r.Version == V2 {
			return result
		}
		r.Logger.Info("remote write: the receiver does not take version 2.0, going on with 1.0", "reason", result.Err)
		r.only1.Store(true)
	}
	if version == V2 {
		var err error
		if body, err = recode(body); err != nil {
			return push.Result{Rejected: p.Series, Err: fmt.Errorf("turn a request of version 2.0 into one of 1.0: %w", err)}
		}
	}
	result, _ := r.post(ctx, V1, body, p.Series)
	return result
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
	request, err := r.request(ctx, version, body)
	if err != nil {
		return push.Result{Err: err, Retry: true}, false
	}
	response, err := r.client.Do(request)
	if err != nil {
		// The URL may hold secrets; the error around this one has it whole.
		if withURL := (*url.Error)(nil); errors.As(err, &withURL) {
			err = withURL.Err
		}
		return push.Result{Err: fmt.Errorf("post to %s: %w", request.URL.Host, err), Retry: true}, false
	}
	defer response.Body.Close()
	result = push.Status(response)
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
		result.Err = fmt.Errorf("post to %s: it wrote %d of %d series", request.URL.Host, accepted, series)
	}
	return result, false
}

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

// request returns a request with a body. Its errors may be gone the next time.
func (r *receiver) request(ctx context.Context, version Version, body []byte) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL, bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the URL is not valid")
	}
	for name, value := range r.Headers {
		request.Header.Set(name, value)
	}
	request.Header.Set("User-Agent", r.UserAgent)
	request.Header.Set("Content-Encoding", "snappy")
	if version == V1 {
		request.Header.Set("Content-Type", "application/x-protobuf")
		request.Header.Set("X-Prometheus-Remote-Write-Version", "0.1.0")
	} else {
		request.Header.Set("Content-Type", "application/x-protobuf;proto=io.prometheus.write.v2.Request")
		request.Header.Set("X-Prometheus-Remote-Write-Version", "2.0.0")
	}
	if r.TokenFile != "" {
		content, err := os.ReadFile(r.TokenFile)
		if err != nil {
			return nil, fmt.Errorf("read the token: %w", err)
		}
		if secret := strings.TrimSpace(string(content)); r.Username != "" {
			request.SetBasicAuth(r.Username, secret)
		} else {
			request.Header.Set("Authorization", "Bearer "+secret)
		}
	}
	return request, nil
}

// client returns the client to send with.
func (c *Config) client() (*http.Client, error) {
	if c.Client != nil {
		return c.Client, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read CAFile: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("CAFile %s: holds no certificate in PEM", c.CAFile)
		}
	}
	return &http.Client{
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: config, ForceAttemptHTTP2: true,
			TLSHandshakeTimeout: 10 * time.Second, IdleConnTimeout: 90 * time.Second,
		},
		CheckRedirect: stayPost,
	}, nil
}

// stayPost refuses redirects that turn the request into a GET, whose answer would
// look like success.
func stayPost(request *http.Request, _ []*http.Request) error {
	if request.Method != http.MethodPost {
		return http.ErrUseLastResponse
	}
	return nil
}
