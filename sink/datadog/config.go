package datadog

import (
	"cmp"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/sink/internal/push"
)

// Config says where and how to send. The zero value of a field takes the default.
type Config struct {
	// URL is the intake of your site, for example https://api.datadoghq.eu. Default:
	// https://api.datadoghq.com.
	URL string
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

	Buffer   int           // bytes of compressed requests that may wait; default 32 MiB
	Timeout  time.Duration // of one attempt; default 30 s
	Attempts int           // to send a request; default: no limit but that of Buffer

	// Client sends. Default: one of its own, which finds proxies in the environment.
	// Redirects are followed only if it has a CheckRedirect.
	Client    *http.Client
	CAFile    string // certificates that the receiver's must come from; default: those of the system
	UserAgent string // default kubestate

	Logger *slog.Logger // default slog.Default()
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
