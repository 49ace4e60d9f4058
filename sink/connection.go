package sink

import (
	"log/slog"
	"net/http"
	"time"
)

// Connection says how a sink reaches its receiver over HTTP, and how it buffers and
// retries while the receiver is down. A zero field means its default.
type Connection struct {
	// URL of the receiver: http:// or https://, without user info, since secrets are
	// read from files. The Config of each sink documents the path.
	URL string

	// Client sends requests. The default client uses the proxies of the environment,
	// except for HTTP/2 without TLS. Redirects are followed only if it sets
	// CheckRedirect.
	Client *http.Client
	CAFile string // PEM certificates to verify the receiver; default: the system's
	// Headers are additional headers, such as X-Scope-OrgID. gRPC sends them as
	// metadata.
	Headers map[string]string
	// HeaderFiles maps headers with secret values to files that contain the value.
	// Files are read for every request.
	HeaderFiles map[string]string
	TokenFile   string // file with a bearer token, or the password if Username is set; read for every request
	Username    string // for basic authentication
	UserAgent   string // default "kubestate"

	Buffer   int           // maximum bytes of queued requests, as sent; default 32 MiB
	Timeout  time.Duration // per attempt; default 30 s
	Attempts int           // maximum per request; default: limited only by Buffer

	Logger *slog.Logger // default slog.Default()
}
