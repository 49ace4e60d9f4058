package serve

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/http/pprof"
	"time"
)

// protected returns h behind Protect.
func (c *Config) protected(h http.Handler) http.Handler {
	if c.Protect == nil {
		return h
	}
	return c.Protect(h)
}

func mainMux(c *Config) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/metrics", c.protected(c.Metrics))
	mux.Handle("/sd", c.protected(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The list of half a cluster would be too short and soon change. Prometheus keeps
		// the one it has.
		if err := c.Health.Ready(); err != nil {
			answer(w, err)
			return
		}
		c.Discovery.ServeHTTP(w, r)
	})))
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, nil) })
	mux.HandleFunc("/livez", probe(c.Health.Live))
	mux.HandleFunc("/readyz", c.Health.readyz)
	mux.HandleFunc("/{$}", landing(c.Page, []link{
		{"/metrics", "metrics of the cluster"}, {"/sd", "slices of /metrics for HTTP service discovery"}, {"/healthz", "startup: the port is open"},
		{"/livez", "liveness: the process is making progress"}, {"/readyz", "readiness: the initial lists are complete"},
	}))
	return mux
}

func telemetryMux(c *Config) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/metrics", c.protected(c.Telemetry))
	mux.HandleFunc("/readyz", c.Health.readyz)
	links := []link{{"/metrics", "metrics of kubestate itself"}, {"/readyz", "readiness: the initial lists are complete"}}
	if !c.DisableProfiling {
		mux.Handle("/debug/pprof/", c.protected(profiles()))
		links = append(links, link{"/debug/pprof/", "profiles"})
	}
	if c.Metrics == nil { // it is the only port
		mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, nil) })
		mux.HandleFunc("/livez", probe(c.Health.Live))
		links = append(links, link{"/healthz", "startup: the port is open"}, link{"/livez", "liveness: the process is making progress"})
	}
	mux.HandleFunc("/{$}", landing(c.Page, links))
	return mux
}

func profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", boundProfile(pprof.Index))
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", boundProfile(pprof.Profile))
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", boundProfile(pprof.Trace))
	return mux
}

// probe answers 200 OK, or 503 and the error.
func probe(check func() error) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { answer(w, check()) }
}

// readyz answers whether the program is ready, and names what it does not serve.
func (h *Health) readyz(w http.ResponseWriter, _ *http.Request) {
	err := h.Ready()
	answer(w, err)
	if h.NotServed == nil {
		return
	}
	separator := "\n"
	if err != nil {
		separator = "" // answer has ended its line
	}
	for _, name := range h.NotServed() {
		_, _ = fmt.Fprintf(w, "%snot served: %s", separator, name)
		separator = "\n"
	}
}

func answer(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = fmt.Fprintln(w, err)
		return
	}
	_, _ = io.WriteString(w, "OK")
}

// Page is what the landing page shows.
type Page struct {
	Version string
	Rows    []Row
	Sinks   []SinkRow // empty: nothing is pushed
}

// SinkRow is one sink of the agent on the landing page.
type SinkRow struct {
	Name         string
	Series       int    // in the last run
	Runs, Failed uint64 // since the start
	Dropped      uint64 // series
	LastSent     time.Time
}

// Row is one watch on the landing page.
type Row struct {
	Resource, Namespace    string // an empty namespace stands for all
	State                  string
	Error                  string
	Objects, Series, Bytes int
	LastEvent              time.Time
}

type link struct{ Path, Text string }

//go:embed landing.html
var landingHTML string

func landing(page func() Page, links []link) http.HandlerFunc {
	t := template.Must(template.New("landing").Funcs(template.FuncMap{"ago": ago, "size": size}).Parse(landingHTML))
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
		_ = t.Execute(w, struct { // an error means that the client is gone
			Page
			Links []link
		}{page(), links})
	}
}

// ago returns how long ago t was, for people.
func ago(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return time.Since(t).Round(time.Second).String() + " ago"
}

// size returns a number of bytes for people.
func size(n int) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	default:
		return fmt.Sprintf("%d B", n)
	}
}
