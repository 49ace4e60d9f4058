// Package client is what sinks that speak HTTP have in common: clients that keep
// what is secret to the receiver that it is meant for. It refuses to know what is
// sent.
package client

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// Config says how to connect.
type Config struct {
	// CAFile has the certificates, in PEM, that the receiver's must come from.
	// Empty: those of the system.
	CAFile string
	// HTTP2 is the only version to speak, with http:// URLs too, where no proxy is
	// asked, because those do not know it without TLS.
	HTTP2 bool
}

const (
	handshakeTimeout = 10 * time.Second
	idleTimeout      = 90 * time.Second
	// A connection that is dead without a word is noticed after both of these. Only
	// HTTP/2 needs that: one of HTTP/1 is closed when a request on it times out.
	silence    = 15 * time.Second
	pingAnswer = 10 * time.Second
)

// New returns a client, which finds proxies in the environment. It does not follow
// redirects: it would take the secrets in headers along to wherever it is sent.
func New(c Config) (*http.Client, error) {
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
	protocols := &http.Protocols{}
	protocols.SetHTTP2(true)
	protocols.SetHTTP1(!c.HTTP2)
	protocols.SetUnencryptedHTTP2(c.HTTP2)
	return &http.Client{
		Transport: &http.Transport{
			Proxy: proxy(c.HTTP2), TLSClientConfig: config, TLSHandshakeTimeout: handshakeTimeout, IdleConnTimeout: idleTimeout,
			Protocols: protocols, HTTP2: &http.HTTP2Config{SendPingTimeout: silence, PingTimeout: pingAnswer},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

func proxy(http2 bool) func(*http.Request) (*url.URL, error) {
	return func(r *http.Request) (*url.URL, error) {
		if http2 && r.URL.Scheme == "http" {
			return nil, nil
		}
		return http.ProxyFromEnvironment(r)
	}
}

// Do sends a request. Errors name the host alone, because the rest of a URL may
// hold secrets.
func Do(c *http.Client, r *http.Request) (*http.Response, error) {
	response, err := c.Do(r)
	if err == nil {
		return response, nil
	}
	if whole := (*url.Error)(nil); errors.As(err, &whole) {
		err = whole.Err
	}
	return nil, fmt.Errorf("post to %s: %w", r.URL.Host, err)
}

// drainLimit is how many bytes of an answer are read for the sake of its connection.
const drainLimit = 64 << 10

// Drain reads what little is left of an answer before it is closed, so that its
// connection can be used again.
func Drain(body io.Reader) {
	_, _ = io.CopyN(io.Discard, body, drainLimit) // it usually ends before
}

// CheckURL returns what is wrong with the URL of a receiver, without the secrets
// that it may have.
func CheckURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return errors.New("URL: it cannot be parsed") // the error would repeat it
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return fmt.Errorf("URL with scheme %q and host %q: must be http://host or https://host, maybe with a path", u.Scheme, u.Host)
	case u.User != nil:
		return fmt.Errorf("URL of host %q: must not hold a user; secrets are read from files", u.Host)
	}
	return nil
}

// Secret returns the value of a header from a file, without the space around it.
// Read it for each request, and it may change.
func Secret(file string) (string, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	secret := strings.TrimSpace(string(content))
	if secret == "" {
		return "", fmt.Errorf("%s is empty", file)
	}
	for i := range len(secret) {
		if secret[i] < ' ' || secret[i] == 0x7f {
			return "", fmt.Errorf("%s holds more than one line, or control characters", file)
		}
	}
	return secret, nil
}
