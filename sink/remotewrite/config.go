package remotewrite

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/sink/internal/client"
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
	URL     string // of the receiver, with its path, for example http://prometheus:9090/api/v1/write
	Version Version

	// Tags are labels for every series that has none of their name. What a series
	// says of itself comes first, then Block.Tags, Block.Resource and the host.
	Tags      []sink.Tag
	HostLabel string // the label for Block.Host; default host
	UTF8Names bool   // leave all characters in names, which Prometheus takes since 3.0

	MaxSeries        int           // of a request; default 2,000
	MaxBytes         int           // of a request before compression; default 1 MiB
	MetadataInterval time.Duration // between metadata, which version 1.0 sends apart; default one minute

	Buffer   int           // bytes of compressed requests that may wait; default 32 MiB
	Timeout  time.Duration // of one attempt; default 30 s
	Attempts int           // to send a request; default: no limit but that of Buffer

	// Client sends. Default: one of its own, which finds proxies in the environment.
	// Redirects are followed only if it has a CheckRedirect.
	Client *http.Client
	CAFile string // certificates that the receiver's must come from; default: those of the system
	// Headers are more headers, for example X-Scope-OrgID.
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
	c.HostLabel = cmp.Or(c.HostLabel, "host")
	c.MaxSeries = cmp.Or(c.MaxSeries, 2000)
	c.MaxBytes = cmp.Or(c.MaxBytes, 1<<20)
	c.MetadataInterval = cmp.Or(c.MetadataInterval, time.Minute)
	c.Logger = cmp.Or(c.Logger, slog.Default())
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

// client returns the client to send with.
func (c *Config) client() (*client.Client, error) {
	return client.New(client.Config{
		URL: c.URL, Client: c.Client, CAFile: c.CAFile, Headers: c.Headers, HeaderFiles: c.HeaderFiles,
		TokenFile: c.TokenFile, Username: c.Username, UserAgent: c.UserAgent,
	})
}
