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

// Version is a protocol version.
type Version uint8

// Protocol versions. Auto tries 2.0. If the receiver rejects that, it uses 1.0 for an
// hour.
const (
	Auto Version = iota
	V1
	V2
)

// NoHost omits hosts, as the value of HostLabel.
const NoHost = "-"

// Config configures a Sink. A zero field means its default.
type Config struct {
	// Connection has the URL with its path, such as
	// http://prometheus:9090/api/v1/write.
	sink.Connection
	Version Version

	// Tags are additional labels of every series, unless it has the label. Precedence:
	// tags of the series, Block.Tags, Block.Resource, the host, Tags.
	Tags      []sink.Tag
	HostLabel string // label for Block.Host; default "host"
	UTF8Names bool   // keep all characters in names, which Prometheus accepts since 3.0

	MaxSeries        int           // per request; default 2,000
	MaxBytes         int           // per request before compression; default 1 MiB
	MetadataInterval time.Duration // between metadata requests of version 1.0; default 1 minute
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
