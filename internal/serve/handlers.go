package serve

import (
	"fmt"
	"io"
	"net/http"
	"net/http/pprof"
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
	mux.HandleFunc("/{$}", landing(c.Page, c.telemetry, []link{
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
	mux.HandleFunc("/{$}", landing(c.Page, nil, links))
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
