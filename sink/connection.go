package sink

import (
	"log/slog"
	"net/http"
	"time"
)

// Connection is how a sink that posts requests reaches its receiver, and what it does
// while the receiver is unavailable. The zero value of a field takes the default.
type Connection struct {
	// URL of the receiver, http:// or https://, without a user: secrets are read from
	// files. The Config of the sink says which path it has.
	URL string

	// Client sends requests. Default: a client of the sink's own that uses the proxies
	// of the environment, except for HTTP/2 without TLS. Redirects are followed only if
	// it has a CheckRedirect.
	Client *http.Client
	CAFile string // PEM certificates to verify the receiver with; default: those of the system
	// Headers are further headers, for example X-Scope-OrgID; gRPC calls them metadata.
	Headers map[string]string
	// HeaderFiles are headers with secret values: the path of a file for each, read for
	// each request.
	HeaderFiles map[string]string
	TokenFile   string // a bearer token, or the password of Username; read for each request
	Username    string // for basic authentication
	UserAgent   string // default kubestate

	Buffer   int           // bytes of requests that may wait, as they are sent; default 32 MiB
	Timeout  time.Duration // of one attempt; default 30 s
	Attempts int           // to send a request; default: no limit except Buffer

	Logger *slog.Logger // default slog.Default()
}
