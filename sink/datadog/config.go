package datadog

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/sink/internal/client"
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
	MaxPoints     int // series in it; default 10,000
	MaxBytes      int // before compression; default 5,242,879
	MaxCompressed int // on the wire; default 512,000

	Buffer   int           // bytes of compressed requests that may wait; default 32 MiB
	Timeout  time.Duration // of one attempt; default 30 s
	Attempts int           // to send a request; default: no limit but that of Buffer

	Client    *http.Client // default: one of its own, which finds proxies in the environment
	CAFile    string       // certificates that the receiver's must come from; default: those of the system
	UserAgent string       // default kubestate

	Logger *slog.Logger // default slog.Default()
}

const defaultURL = "https://api.datadoghq.com"

func (c *Config) fillDefaults() {
	c.URL = cmp.Or(c.URL, defaultURL)
	c.MaxPoints = cmp.Or(c.MaxPoints, 10_000)
	c.MaxBytes = cmp.Or(c.MaxBytes, 5<<20-1)
	c.MaxCompressed = cmp.Or(c.MaxCompressed, 512_000)
	c.Buffer = cmp.Or(c.Buffer, 32<<20)
	c.Timeout = cmp.Or(c.Timeout, 30*time.Second)
	c.UserAgent = cmp.Or(c.UserAgent, "kubestate")
	c.Logger = cmp.Or(c.Logger, slog.Default())
}

func (c *Config) check() error {
	errs := []error{client.CheckURL(c.URL)}
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if strings.ContainsAny(c.URL, "?#") {
		wrong("URL: must have neither a query nor a fragment")
	}
	if c.KeyFile == "" {
		wrong("KeyFile: must be the path of a file with the API key")
	}
	for _, number := range []struct {
		name  string
		value int64
	}{
		{"MaxPoints", int64(c.MaxPoints)}, {"MaxBytes", int64(c.MaxBytes)}, {"MaxCompressed", int64(c.MaxCompressed)},
		{"Buffer", int64(c.Buffer)}, {"Timeout", int64(c.Timeout)}, {"Attempts", int64(c.Attempts)},
	} {
		if number.value < 0 {
			wrong("%s %d: must not be negative", number.name, number.value)
		}
	}
	if c.Client != nil && c.CAFile != "" {
		wrong("CAFile %q: has no effect on a Client that is given", c.CAFile)
	}
	return errors.Join(errs...)
}

// client returns the client to send with.
func (c *Config) client() (*http.Client, error) {
	if c.Client != nil {
		return c.Client, nil
	}
	return client.New(client.Config{CAFile: c.CAFile})
}
