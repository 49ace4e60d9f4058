package client

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/kubestate/kubestate/internal/bounded"
	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/sink"
)

// Config says how to reach a receiver.
type Config struct {
	sink.Connection
	// HTTP2 allows only HTTP/2, also for http:// URLs. Those do not use proxies, which
	// do not support HTTP/2 without TLS.
	HTTP2 bool
}

const (
	handshakeTimeout = 10 * time.Second
	idleTimeout      = 90 * time.Second
	// A dead connection is detected after both of these. Only HTTP/2 needs that: an
	// HTTP/1 connection is closed when a request on it times out.
	silence    = 15 * time.Second
	pingAnswer = 10 * time.Second
)

func (c *Config) check() error {
	errs := []error{checkURL(c.URL)}
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.Client != nil && c.CAFile != "" {
		wrong("CAFile %q: has no effect with a custom Client", c.CAFile)
	}
	if c.Username != "" && c.TokenFile == "" {
		wrong("Username %q: has no password; set TokenFile", c.Username)
	}
	checkName := func(name string) {
		if n := invalidAt(name); n > 0 || name == "" {
			wrong("header %q: must be made of letters, digits and !#$%%&'*+-.^_`|~", problem.Cut(name[:n]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		checkName(name)
		if strings.ContainsFunc(c.Headers[name], unicode.IsControl) {
			wrong("header %q: value must not contain control characters", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.HeaderFiles)) {
		checkName(name)
		if hasHeader(c.Headers, name) {
			wrong("header %q: has both a value and a file", name)
		}
	}
	if c.TokenFile != "" && (hasHeader(c.Headers, authorization) || hasHeader(c.HeaderFiles, authorization)) {
		wrong("header %q: already set by TokenFile", authorization)
	}
	return errors.Join(errs...)
}

const authorization = "Authorization"

// invalidAt returns the length of a header name up to and including its first invalid
// character, or 0 if there is none. What follows may be a value, which is secret.
func invalidAt(name string) int {
	for i, r := range name {
		if !strings.ContainsRune("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", r) {
			return i + len(string(r))
		}
	}
	return 0
}

func hasHeader(headers map[string]string, name string) bool {
	for other := range headers {
		if strings.EqualFold(other, name) {
			return true
		}
	}
	return false
}

// checkURL returns what is wrong with a URL, without quoting secrets.
func checkURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return errors.New("invalid URL: cannot be parsed") // the parser's error would quote it
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return fmt.Errorf("URL with scheme %q and host %q: must be http://host or https://host, with or without a path", problem.Cut(u.Scheme), problem.Cut(u.Host))
	case u.User != nil:
		return fmt.Errorf("URL of host %q: must not contain a user; secrets are read from files", problem.Cut(u.Host))
	}
	return nil
}

// transport returns a transport that uses the proxies of the environment.
func (c *Config) transport() (*http.Transport, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CAFile != "" {
		pem, err := bounded.ReadFile(c.CAFile, bounded.Config)
		if err != nil {
			return nil, fmt.Errorf("read CAFile: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("CAFile %s: contains no PEM certificate", c.CAFile)
		}
	}
	protocols := &http.Protocols{}
	protocols.SetHTTP2(true)
	protocols.SetHTTP1(!c.HTTP2)
	protocols.SetUnencryptedHTTP2(c.HTTP2)
	return &http.Transport{
		Proxy: proxy(c.HTTP2), TLSClientConfig: config, TLSHandshakeTimeout: handshakeTimeout, IdleConnTimeout: idleTimeout,
		Protocols: protocols, HTTP2: &http.HTTP2Config{SendPingTimeout: silence, PingTimeout: pingAnswer},
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

// setHeaders sets the headers of the Config, then others, which take precedence. Its
// errors may be temporary.
func (c *Config) setHeaders(r *http.Request, others map[string]string) error {
	for name, value := range c.Headers {
		r.Header.Set(name, value)
	}
	for name, file := range c.HeaderFiles {
		value, err := Secret(file)
		if err != nil {
			return fmt.Errorf("read header %s: %w", name, err)
		}
		r.Header.Set(name, value)
	}
	r.Header.Set("User-Agent", c.UserAgent)
	for name, value := range others {
		r.Header.Set(name, value)
	}
	if c.TokenFile == "" {
		return nil
	}
	token, err := Secret(c.TokenFile)
	if err != nil {
		return fmt.Errorf("read token: %w", err)
	}
	if c.Username != "" {
		r.SetBasicAuth(c.Username, token)
	} else {
		r.Header.Set(authorization, "Bearer "+token)
	}
	return nil
}

// Secret returns the content of a file without surrounding white space. The file may
// change: read it for every request.
func Secret(file string) (string, error) {
	content, err := bounded.ReadFile(file, bounded.Secret)
	if err != nil {
		return "", err
	}
	secret := strings.TrimSpace(string(content))
	if secret == "" {
		return "", fmt.Errorf("%s: file is empty", file)
	}
	for i := range len(secret) {
		if secret[i] < ' ' || secret[i] == 0x7f {
			return "", fmt.Errorf("%s: must not contain more than one line or control characters", file)
		}
	}
	return secret, nil
}
