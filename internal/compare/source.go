package compare

import (
	"context"
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

	"github.com/kubestate/kubestate/internal/bounded"
)

// Access configures access to a URL. It is used for that URL only: redirects are not
// followed.
type Access struct {
	TokenFile string // bearer token
	CAFile    string // PEM certificates to trust instead of the system's
	Insecure  bool   // do not verify the certificate
}

const (
	headerTimeout = time.Minute // kube-state-metrics takes half of that for a large cluster
)

// Open returns the source at a location: an http or https URL, or the path of a file.
func Open(location string, access Access) (source Source, static bool, err error) {
	if !strings.Contains(location, "://") {
		if access != (Access{}) {
			return Source{}, false, fmt.Errorf("invalid options for %s: token, CA and insecure apply to URLs only", location)
		}
		return Source{Name: location, Open: func(context.Context) (io.ReadCloser, error) { return os.Open(location) }}, true, nil
	}
	u, err := url.Parse(location)
	switch {
	case err != nil || u.Host == "":
		return Source{}, false, errors.New("invalid URL: must be like http://localhost:8080/metrics")
	case u.Scheme != "http" && u.Scheme != "https":
		return Source{}, false, fmt.Errorf("invalid URL %s: scheme must be http or https", u.Redacted())
	case access.TokenFile != "" && u.Scheme == "http" && !loopback(u.Hostname()):
		return Source{}, false, fmt.Errorf("invalid URL %s: a token is sent over https or to localhost only", u.Redacted())
	}
	client, err := access.client()
	if err != nil {
		return Source{}, false, fmt.Errorf("read %s: %w", u.Redacted(), err)
	}
	return Source{Name: u.Redacted(), Open: func(ctx context.Context) (io.ReadCloser, error) { return access.get(ctx, client, u) }}, false, nil
}

func loopback(host string) bool { return host == "localhost" || host == "127.0.0.1" || host == "::1" }

func (a Access) client() (*http.Client, error) {
	config := &tls.Config{InsecureSkipVerify: a.Insecure} //nolint:gosec // the user asks for it
	if a.CAFile != "" {
		text, err := bounded.ReadFile(a.CAFile, bounded.Config)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("no PEM certificate in %s", a.CAFile)
		}
	}
	return &http.Client{
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: config, ResponseHeaderTimeout: headerTimeout, ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

func (a Access) get(ctx context.Context, client *http.Client, u *url.URL) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "text/plain;version=0.0.4")
	if a.TokenFile != "" {
		token, err := bounded.ReadFile(a.TokenFile, bounded.Secret)
		if err != nil {
			return nil, err
		}
		request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		_ = response.Body.Close()
		return nil, fmt.Errorf("status %s", response.Status)
	}
	return response.Body, nil
}
