package datadog

import (
	"cmp"
	"errors"
	"strings"

	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/sink/internal/push"
)

// Config configures a Sink. A zero field means its default.
type Config struct {
	// Connection has the URL of the intake of your site, such as
	// https://api.datadoghq.eu. Default: https://api.datadoghq.com.
	sink.Connection
	// KeyFile is the file with the API key. It is required, and read for every request,
	// so the key may change.
	KeyFile string
	// Tags are added to all series and service checks.
	Tags []sink.Tag

	// Limits of one request. The defaults are the limits of the intake; higher values
	// only make sense for other receivers.
	MaxSeries     int // series or service checks; default 10,000
	MaxBytes      int // bytes before compression; default 5,242,879
	MaxCompressed int // bytes on the wire; default 512,000
}

const defaultURL = "https://api.datadoghq.com"

func (c *Config) fillDefaults() {
	c.URL = cmp.Or(c.URL, defaultURL)
	c.MaxSeries = cmp.Or(c.MaxSeries, 10_000)
	c.MaxBytes = cmp.Or(c.MaxBytes, 5<<20-1)
	c.MaxCompressed = cmp.Or(c.MaxCompressed, 512_000)
}

func (c *Config) check() error {
	errs := []error{
		push.NotNegative("MaxSeries", c.MaxSeries), push.NotNegative("MaxBytes", c.MaxBytes), push.NotNegative("MaxCompressed", c.MaxCompressed),
	}
	if strings.ContainsAny(c.URL, "?#") {
		errs = append(errs, errors.New("URL: must not have a query or fragment"))
	}
	if c.KeyFile == "" {
		errs = append(errs, errors.New("KeyFile: must be the path of a file with the API key"))
	}
	return errors.Join(errs...)
}
