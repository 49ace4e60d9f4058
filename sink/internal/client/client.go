// Package client is the HTTP client of sinks: it posts requests, interprets response
// statuses, and keeps secrets out of errors and away from other hosts. It does not know
// what is sent.
package client

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/kubestate/kubestate/sink/internal/push"
)

// Client posts requests. It is safe for concurrent use.
type Client struct {
	config Config
	http   *http.Client
}

// New returns a Client. The error lists everything that is wrong with the Config.
func New(c Config) (*Client, error) {
	h, err := c.client()
	if err := errors.Join(c.check(), err); err != nil {
		return nil, err
	}
	c.UserAgent = cmp.Or(c.UserAgent, "kubestate")
	return &Client{config: c, http: h}, nil
}

// client returns the http.Client to use.
func (c *Config) client() (*http.Client, error) {
	h := &http.Client{}
	if c.Client != nil {
		*h = *c.Client
	} else {
		transport, err := c.transport()
		if err != nil {
			return nil, err
		}
		h.Transport = transport
	}
	if h.CheckRedirect == nil {
		h.CheckRedirect = stay
	}
	return h, nil
}

// stay returns a redirect as the response: following it would send the secrets in the
// headers to another place.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Post sends a body with the headers of the Config and these, and returns the Result
// that read derives from the response. read need not read the body completely nor close
// it, and response.Request is set. Without a response, nothing was accepted and a retry
// may succeed; the same goes for 401 and 403 if SecretMayChange, whatever read returns.
func (c *Client) Post(ctx context.Context, target string, body []byte, header map[string]string, read func(*http.Response) push.Result) push.Result {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return push.Result{Err: errors.New("invalid URL"), Retry: true}
	}
	if err := c.config.setHeaders(request, header); err != nil {
		return push.Result{Err: err, Retry: true}
	}
	response, err := c.http.Do(request)
	if err != nil {
		// The rest of the URL may contain secrets; url.Error would quote all of it.
		if whole := (*url.Error)(nil); errors.As(err, &whole) {
			err = whole.Err
		}
		return push.Result{Err: fmt.Errorf("post to %s: %w", request.URL.Host, quoted{err, request}), Retry: true}
	}
	defer response.Body.Close()
	defer drain(response.Body)
	if response.Request == nil { // a custom Client may leave it unset
		response.Request = request
	}
	result := read(response)
	if code := response.StatusCode; (code == http.StatusUnauthorized || code == http.StatusForbidden) && c.SecretMayChange() {
		result.Retry = true
	}
	return result
}

// quoted is an error of net/http, which quotes responses that are not HTTP: a receiver
// that echoes the request would leak its secrets into the log.
type quoted struct {
	error
	request *http.Request
}

func (q quoted) Unwrap() error { return q.error }

func (q quoted) Error() string {
	var network net.Error
	var certificate *tls.CertificateVerificationError
	if errors.As(q.error, &network) || errors.As(q.error, &certificate) {
		return q.error.Error()
	}
	return Text([]byte(q.error.Error()), q.request)
}

// SecretMayChange reports whether credentials are read from files for every request: a
// receiver that rejects one request may then accept the next.
func (c *Client) SecretMayChange() bool {
	return len(c.config.HeaderFiles) > 0 || c.config.TokenFile != ""
}

// drainLimit is how many bytes of a response are read to keep its connection reusable.
const drainLimit = 64 << 10

// drain reads the short rest of a response body before it is closed, so that the
// connection can be reused.
func drain(body io.Reader) {
	_, _ = io.CopyN(io.Discard, body, drainLimit) // usually ends earlier
}

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }
