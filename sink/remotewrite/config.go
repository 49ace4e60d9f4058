package remotewrite

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/sink/internal/push"
)

// Version is a version of the protocol.
type Version uint8

// The versions there are. Auto tries 2.0 and, once the receiver has refused that,
// stays with 1.0 for an hour.
const (
	Auto Version = iota
	V1
	V2
)

// NoHost as the HostLabel leaves hosts out.
const NoHost = "-"

// Config says where and how to send. The zero value of a field takes the default.
type Config struct {
	// Connection has the URL with its path, for example
	// http://prometheus:9090/api/v1/write.
	sink.Connection
	Version Version

	// Tags are labels for every series that has none of their name. What a series
	// says of itself comes first, then Block.Tags, Block.Resource and the host.
	Tags      []sink.Tag
	HostLabel string // the label for Block.Host; default host
	UTF8Names bool   // leave all characters in names, which Prometheus takes since 3.0

	MaxSeries        int           // of a request; default 2,000
	MaxBytes         int           // of a request before compression; default 1 MiB
	MetadataInterval time.Duration // between metadata, which version 1.0 sends apart; default one minute
}

func (c *Config) fillDefaults() {
	c.HostLabel = cmp.Or(c.HostLabel, "host")
	c.MaxSeries = cmp.Or(c.MaxSeries, 2000)
	c.Logger = cmp.Or(c.Logger, slog.Default())
	c.MaxBytes = cmp.Or(c.MaxBytes, 1<<20)
	c.MetadataInterval = cmp.Or(c.MetadataInterval, time.Minute)
}

func (c *Config) check() error {
	errs := []error{
		push.NotNegative("MaxSeries", c.MaxSeries), push.NotNegative("MaxBytes", c.MaxBytes), push.NotNegative("MetadataInterval", c.MetadataInterval),
	}
	if c.Version > V2 {
		errs = append(errs, fmt.Errorf("Version %d: must be Auto, V1 or V2", c.Version))
	}
	return errors.Join(errs...)
}
