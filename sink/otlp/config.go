package otlp

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"

	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/sink/internal/push"
)

// Protocol is the transport of OTLP.
type Protocol uint8

// Transports of OTLP.
const (
	HTTP Protocol = iota // POST of protobuf
	GRPC
)

// Config configures a Sink. A zero field means its default.
type Config struct {
	// Connection has the URL: http:// without TLS or https:// with TLS, also for GRPC.
	// With HTTP, the path defaults to /v1/metrics; Prometheus uses
	// http://prometheus:9090/api/v1/otlp/v1/metrics. With GRPC there is no path:
	// http://collector:4317.
	sink.Connection
	Protocol Protocol

	// Resource are additional attributes of every resource, unless it has the key.
	Resource []sink.Tag
	// Tags are additional attributes of every data point, unless it has the key.
	Tags []sink.Tag
	// Version is the version of the program, sent in the scope.
	Version string

	MaxSeries     int  // data points per request; default 10,000
	MaxBytes      int  // per request before compression; default 4 MiB, the default limit of gRPC servers
	NoCompression bool // for receivers nearby; otherwise requests are compressed with gzip
}

func (c *Config) fillDefaults() {
	c.MaxSeries = cmp.Or(c.MaxSeries, 10_000)
	c.Logger = cmp.Or(c.Logger, slog.Default())
	c.MaxBytes = cmp.Or(c.MaxBytes, 4<<20)
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

// target returns the URL to post to.
func (c *Config) target() string {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil: // reported by check
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
