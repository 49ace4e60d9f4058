package kubewatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Config says which API server to read and as whom.
type Config struct {
	Kubeconfig string // path of a kubeconfig file; empty: none
	APIServer  string // URL of the server, in place of the kubeconfig's; empty: the kubeconfig's
	Version    string // of this program, for the user agent
}

// Client is a connection to one API server. It is safe for concurrent use.
type Client struct{ to atomic.Pointer[connection] }

// connection is the way to one API server. Its credentials can change.
type connection struct {
	base *url.URL
	http atomic.Pointer[http.Client]
}

func newClient(base *url.URL, h *http.Client) *Client {
	to := &connection{base: base}
	to.http.Store(h)
	c := &Client{}
	c.to.Store(to)
	return c
}

// Become makes c a client of the server of other, with its credentials, for all requests
// that begin after it. If the server is another one, a Group of c changes to it with the next
// Apply: every watch starts over, and the one before serves until then.
func (c *Client) Become(other *Client) {
	from, to := c.to.Load(), other.to.Load()
	if from.base.String() != to.base.String() {
		c.to.Store(to)
		return
	}
	from.http.Swap(to.http.Load()).CloseIdleConnections()
}

// fixed returns a client that stays with the server that c has now.
func (c *Client) fixed() *Client {
	fixed := &Client{}
	fixed.to.Store(c.to.Load())
	return fixed
}

// reaches reports whether a member watches the server of a client.
func (m *member) reaches(c *Client) bool { return m.client.to.Load() == c.to.Load() }

// Connect makes a client without yet talking to the server. Without Kubeconfig
// and APIServer it is the client of the pod's service account. The error names
// what was tried.
func Connect(c Config) (*Client, error) {
	config, err := c.load()
	if err != nil {
		return nil, err
	}
	config.UserAgent = fmt.Sprintf("kubestate/%s (%s/%s)", c.Version, runtime.GOOS, runtime.GOARCH)
	return NewClient(config)
}

// NewClient makes a client, as Connect does, of what a program that uses client-go
// has already. config is not changed. Its limits of requests per time do not hold:
// a Client asks once per watch and waits between attempts.
func NewClient(config *rest.Config) (*Client, error) {
	config = rest.CopyConfig(config)
	// An own dialer notices dead HTTP/1.1 connections in about a minute; for
	// HTTP/2, client-go's transport pings after 30 idle seconds. That transport
	// also bounds the TLS handshake by 10 seconds.
	if config.Dial == nil {
		config.Dial = (&net.Dialer{
			Timeout:         10 * time.Second,
			KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 15 * time.Second, Count: 3},
		}).DialContext
	}
	// Inflating costs more CPU than decoding protobuf, and the network within a
	// cluster is rarely the limit. It also keeps clear of streaming lists that
	// are compressed as one gzip member per flush.
	config.DisableCompression = true
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("connect to API server: %w", err)
	}
	direct := *httpClient // copied because it may be http.DefaultClient
	direct.CheckRedirect = refuseRedirect
	base, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return nil, fmt.Errorf("connect to API server: %w", err)
	}
	return newClient(base, &direct), nil
}

// refuseRedirect makes a redirect the response to a request, because the token is for the
// API server and not for wherever that points to.
func refuseRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func (c Config) load() (*rest.Config, error) {
	if c.Kubeconfig == "" && c.APIServer == "" {
		config, err := rest.InClusterConfig()
		if err != nil {
			return nil, fmt.Errorf("connect with the service account of the pod, as neither a kubeconfig nor an API server is given: %w", err)
		}
		return config, nil
	}
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
		&clientcmd.ClientConfigLoadingRules{ExplicitPath: c.Kubeconfig},
		&clientcmd.ConfigOverrides{ClusterInfo: clientcmdapi.Cluster{Server: c.APIServer}}).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("connect with kubeconfig %q and API server %q: %w", c.Kubeconfig, c.APIServer, err)
	}
	return config, nil
}

// Files returns the files that a client is made of, which may change: the kubeconfig and the
// credentials that it names, or those of the service account.
func (c Config) Files() []string {
	if c.Kubeconfig == "" && c.APIServer == "" {
		return []string{"/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"} // the token is read when it is needed
	}
	if c.Kubeconfig == "" {
		return nil
	}
	files := []string{c.Kubeconfig}
	config, err := clientcmd.LoadFromFile(c.Kubeconfig)
	if err != nil {
		return files
	}
	if err := clientcmd.ResolveLocalPaths(config); err != nil {
		return files
	}
	for _, cluster := range config.Clusters {
		files = append(files, cluster.CertificateAuthority)
	}
	for _, user := range config.AuthInfos {
		files = append(files, user.ClientCertificate, user.ClientKey, user.TokenFile)
	}
	slices.Sort(files)
	return slices.DeleteFunc(slices.Compact(files), func(f string) bool { return f == "" })
}

// Server returns the URL of the API server, without a password.
func (c *Client) Server() string { return c.to.Load().base.Redacted() }

// Version asks the server for its version ("v1.37.2"). It does not retry.
func (c *Client) Version(ctx context.Context) (string, error) {
	a, err := c.get(ctx, "/version", nil, mediaJSON)
	if err != nil {
		return "", fmt.Errorf("get version of API server %s: %w", c.Server(), err)
	}
	defer a.close()
	var info version.Info
	err = json.NewDecoder(io.LimitReader(a, maxShortBody)).Decode(&info)
	if err == nil && info.GitVersion == "" {
		err = errors.New("the answer holds no gitVersion")
	}
	if err != nil {
		return "", fmt.Errorf("get version of API server %s: %w", c.Server(), err)
	}
	return info.GitVersion, nil
}
