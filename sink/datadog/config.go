package datadog

import (
	"cmp"
	"errors"
	"strings"

	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/sink/internal/push"
)

// Config says where and how to send. The zero value of a field takes the default.
type Config struct {
	// Connection has the URL of the intake of your site, for example
	// https://api.datadoghq.eu. Default: https://api.datadoghq.com.
	sink.Connection
	// KeyFile holds the API key. It is read for each request, so that the key may
	// change. Without it nothing can be sent.
	KeyFile string
	// Tags are added to everything.
	Tags []sink.Tag

	// What one request may have. The defaults are the limits of the intake, and
	// more is of use for other receivers only.
	MaxSeries     int // in it; default 10,000
	MaxBytes      int // before compression; default 5,242,879
	MaxCompressed int // on the wire; default 512,000
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
		errs = append(errs, errors.New("URL: must have neither a query nor a fragment"))
	}
	if c.KeyFile == "" {
		errs = append(errs, errors.New("KeyFile: must be the path of a file with the API key"))
	}
	return errors.Join(errs...)
}
