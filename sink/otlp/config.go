package otlp

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/sink/internal/client"
	"github.com/kubestate/kubestate/sink/internal/push"
)

// Protocol is how requests travel.
type Protocol uint8

// The protocols there are.
const (
	HTTP Protocol = iota // POST of protobuf
	GRPC
)

// Config says where and how to send. The zero value of a field takes the default.
type Config struct {
	// URL is that of the receiver: http:// without TLS, https:// with it, for GRPC
	// too. For HTTP it has the path, for example
	// http://prometheus:9090/api/v1/otlp/v1/metrics; where there is none it is
	// /v1/metrics. For GRPC it has none: http://collector:4317.
	URL      string
	Protocol Protocol

	// Resource are attributes for every resource that has none of their key.
	Resource []sink.Tag
	// Tags are attributes for every point that has none of their key.
	Tags []sink.Tag
	// Version is that of the program, for the scope.
	Version string

	MaxSeries     int  // of a request, each one point; default 10,000
	MaxBytes      int  // of a request before compression; default 4 MiB, more than which gRPC does not take unasked
	NoCompression bool // for a receiver nearby; else requests are compressed with gzip

	Buffer   int           // bytes of requests that may wait; default 32 MiB
	Timeout  time.Duration // of one attempt; default 30 s
	Attempts int           // to send a request; default: no limit but that of Buffer

	// Client sends. Default: one of its own, which finds proxies in the environment, but
	// not for GRPC without TLS. Redirects are followed only if it has a CheckRedirect.
	Client *http.Client
	CAFile string // certificates that the receiver's must come from; default: those of the system
	// Headers are more headers; gRPC calls them metadata.
	Headers map[string]string
	// HeaderFiles are headers whose values are secret: the path of a file for each,
	// which is read for each request.
	HeaderFiles map[string]string
	TokenFile   string // a bearer token, read for each request; or the password, if there is a Username
	Username    string // for basic authentication
	UserAgent   string // default kubestate

	Logger *slog.Logger // default slog.Default()
}

func (c *Config) fillDefaults() {
	c.MaxSeries = cmp.Or(c.MaxSeries, 10_000)
	c.MaxBytes = cmp.Or(c.MaxBytes, 4<<20)
	c.Logger = cmp.Or(c.Logger, slog.Default())
}

func (c *Config) check() error {
	errs := []error{push.NotNegative("MaxSeries", c.MaxSeries), push.NotNegative("MaxBytes", c.MaxBytes)}
	if c.Protocol > GRPC {
		errs = append(errs, fmt.Errorf("Protocol %d: must be HTTP or GRPC", c.Protocol))
	}
	if u, err := url.Parse(c.URL); err == nil && c.Protocol == GRPC && (strings.Trim(u.Path, "/") != "" || u.RawQuery != "") {
		errs = append(errs, fmt.Errorf("URL of host %q: must have no path for GRPC", u.Host))
	}
	return errors.Join(errs...)
}

// client returns the client to send with.
func (c *Config) client() (*client.Client, error) {
	return client.New(client.Config{
		URL: c.URL, Client: c.Client, CAFile: c.CAFile, HTTP2: c.Protocol == GRPC, Headers: c.Headers, HeaderFiles: c.HeaderFiles,
		TokenFile: c.TokenFile, Username: c.Username, UserAgent: c.UserAgent,
	})
}

// target returns the URL to post to.
func (c *Config) target() string {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil: // check has said so
	case c.Protocol == GRPC:
		u.Path = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
		return u.String()
	case u.Path == "" || u.Path == "/":
		u.Path = "/v1/metrics"
		return u.String()
	}
	return c.URL
}

// sorted returns tags in the order of sink.Block.Tags.
func sorted(tags []sink.Tag) []sink.Tag {
	return slices.SortedFunc(slices.Values(tags), sink.Tag.Compare)
}
