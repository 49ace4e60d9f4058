// Package client is what sinks that speak HTTP have in common: it posts requests,
// says what answers mean, and keeps what is secret to the receiver that it is meant
// for. It does not know what is sent.
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

// Client posts requests. It is for any number of goroutines.
type Client struct {
	config Config
	http   *http.Client
}

// New returns a Client. The error names everything that is wrong with the Config.
func New(c Config) (*Client, error) {
	h, err := c.client()
	if err := errors.Join(c.check(), err); err != nil {
		return nil, err
	}
	c.UserAgent = cmp.Or(c.UserAgent, "kubestate")
	return &Client{config: c, http: h}, nil
}

// client returns the client of package http to use.
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

// stay makes a redirect an answer. To follow it would take the secrets in headers
// along to wherever it leads.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Post sends a body with headers, beside those of the Config, and returns what read
// says that the answer means. read need neither read all of its body nor close it,
// and finds the request in it. Without an answer nothing is taken, and another
// attempt may succeed; so it may after 401 and 403 if SecretMayChange, whatever read
// says.
func (c *Client) Post(ctx context.Context, target string, body []byte, header map[string]string, read func(*http.Response) push.Result) push.Result {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return push.Result{Err: errors.New("the URL is not valid"), Retry: true}
	}
	if err := c.config.setHeaders(request, header); err != nil {
		return push.Result{Err: err, Retry: true}
	}
	response, err := c.http.Do(request)
	if err != nil {
		// The rest of the URL may hold secrets; the error around this one has it whole.
		if whole := (*url.Error)(nil); errors.As(err, &whole) {
			err = whole.Err
		}
		return push.Result{Err: fmt.Errorf("post to %s: %w", request.URL.Host, quoted{err, request}), Retry: true}
	}
	defer response.Body.Close()
	defer drain(response.Body)
	if response.Request == nil { // a Client that is given may leave it out
		response.Request = request
	}
	result := read(response)
	if code := response.StatusCode; (code == http.StatusUnauthorized || code == http.StatusForbidden) && c.SecretMayChange() {
		result.Retry = true
	}
	return result
}

// quoted is an error of package http. Those about a response that is not HTTP quote
// all of it: a receiver that repeats the request would bring its secrets into the log.
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

// SecretMayChange reports whether credentials are read from files for each request: a
// receiver that refuses one may accept the next, or come to know this one.
func (c *Client) SecretMayChange() bool {
	return len(c.config.HeaderFiles) > 0 || c.config.TokenFile != ""
}

// drainLimit is how many bytes of an answer are read for the sake of its connection.
const drainLimit = 64 << 10

// drain reads what little is left of an answer before it is closed, so that its
// connection can be used again.
func drain(body io.Reader) {
	_, _ = io.CopyN(io.Discard, body, drainLimit) // it usually ends before
}

// Close frees what is not in use.
func (c *Client) Close() { c.http.CloseIdleConnections() }
