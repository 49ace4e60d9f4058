package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/internal/request"
)

// Limits of every request besides the timeouts that users set.
const (
	maxHeaderBytes = 64 << 10 // also bounds the query
	// maxRequests bounds the requests that a port answers at the same time. Probes
	// do not count.
	maxRequests = 1000
	// stallTimeout is how long a client may take for one write of a response, some
	// 64 KiB, where the write timeout allows more.
	stallTimeout = time.Minute
	// maxProfile bounds how long a profile or trace may run.
	maxProfile = time.Minute
)

// probes are the paths that are answered whatever the load.
var probes = map[string]bool{"/healthz": true, "/livez": true, "/readyz": true}

// ServeHTTP checks a request against the limits and passes it on.
func (x *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	open := x.open.Add(1)
	defer x.open.Add(-1)
	if !probes[r.URL.Path] {
		switch {
		case onReserve(r.Context()):
			w.Header().Set("Connection", "close")
			http.Error(w, "out of file descriptors or connections", http.StatusServiceUnavailable)
			return
		case open > maxRequests:
			w.Header().Set("Retry-After", "1")
			http.Error(w, fmt.Sprintf("more than %d concurrent requests", maxRequests), http.StatusServiceUnavailable)
			return
		}
	}
	if _, ok := request.Check(w, r); !ok {
		return
	}
	paced := &pacedWriter{ResponseWriter: w, control: http.NewResponseController(w)}
	if x.WriteTimeout > 0 {
		paced.end = time.Now().Add(x.WriteTimeout)
	}
	begun := time.Now()
	x.mux.ServeHTTP(paced, r)
	if r.URL.Path == "/metrics" && x.logger.Enabled(r.Context(), slog.LevelDebug) {
		x.logger.Debug("answered scrape", "port", x.name, "client", r.RemoteAddr, "query", problem.Cut(r.URL.RawQuery),
			"encoding", w.Header().Get("Content-Encoding"), "bytes", paced.bytes, "duration", time.Since(begun))
	}
	if paced.timedOut {
		x.slow.log(x.logger, slog.LevelWarn, "cut clients that read too slowly", "port", x.name, "path", r.URL.Path, "last_client", r.RemoteAddr)
	}
}

// pacedWriter bounds how long each write may take, so that a client that stops reading is
// cut also where responses may take any time.
type pacedWriter struct {
	http.ResponseWriter
	control  *http.ResponseController
	end      time.Time // of the response; zero: no limit
	bytes    int       // written of the body
	timedOut bool
}

func (p *pacedWriter) Unwrap() http.ResponseWriter { return p.ResponseWriter }

func (p *pacedWriter) Write(b []byte) (int, error) {
	deadline := time.Now().Add(stallTimeout)
	if !p.end.IsZero() && p.end.Before(deadline) {
		deadline = p.end
	}
	_ = p.control.SetWriteDeadline(deadline) // a connection that has none is that of a test
	n, err := p.ResponseWriter.Write(b)
	p.bytes += n
	p.timedOut = p.timedOut || errors.Is(err, os.ErrDeadlineExceeded)
	return n, err
}

// boundProfile answers 400 where a profile would take longer than maxProfile.
func boundProfile(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for _, value := range r.URL.Query()["seconds"] {
			s, err := strconv.ParseFloat(value, 64)
			if err != nil || !(s > 0 && s <= maxProfile.Seconds()) {
				http.Error(w, fmt.Sprintf("invalid seconds %s: must be a number above 0, at most %v",
					request.Quote(value), maxProfile.Seconds()), http.StatusBadRequest)
				return
			}
		}
		h(w, r)
	}
}

// logInterval is how often a condition that recurs is logged.
const logInterval = time.Minute

// recurrent logs a condition that may recur often: at once, and then at most once in a
// logInterval. It is safe for concurrent use.
type recurrent struct {
	mu    sync.Mutex
	last  time.Time
	count int // since the last line
}

func (c *recurrent) log(to *slog.Logger, level slog.Level, message string, attrs ...any) {
	c.mu.Lock()
	c.count++
	count := c.count
	due := c.last.IsZero() || time.Since(c.last) >= logInterval
	if due {
		c.last, c.count = time.Now(), 0
	}
	c.mu.Unlock()
	if due {
		to.Log(context.Background(), level, message, append(attrs, "count", count)...)
	}
}
