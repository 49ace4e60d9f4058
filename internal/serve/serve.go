// Package serve has the HTTP ports of the program: the main port with the metrics of the
// cluster, the telemetry port with those of the program itself, probes, profiles and a
// landing page. It does not know how metrics are made.
//
// serve.go opens and drains the ports, listener.go accepts connections, limits.go bounds
// requests, handlers.go has the paths, and telemetry.go and agent.go the metrics about the
// program.
package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/exporter-toolkit/web"
)

// drainTimeout is how long open requests may take once shutdown has begun. Kubernetes
// kills after 30 s.
const drainTimeout = 20 * time.Second

// Timeouts bound a request; zero is no limit. Whatever they are, a client that takes
// nothing of a response for a minute is cut.
type Timeouts struct{ Read, ReadHeader, Write, Idle time.Duration }

// Config configures the ports.
type Config struct {
	Address          string // host:port of the main port; port 0 chooses a free one
	TelemetryAddress string
	Timeouts         Timeouts
	Metrics          http.Handler // serves /metrics of the main port; nil: no main port
	Discovery        http.Handler // serves /sd while the program is ready
	Telemetry        http.Handler // serves /metrics of the telemetry port
	// Protect wraps what only authorized clients may see: metrics, slices and profiles.
	// nil: everything is open to all.
	Protect func(http.Handler) http.Handler
	// WebConfig is the path of a web configuration file of the Prometheus exporter toolkit,
	// with TLS, basic authentication and headers for both ports; empty: plain HTTP. The
	// file, certificates and keys are read for each connection, so they can be replaced.
	WebConfig string
	// DisableProfiling omits /debug/pprof/.
	DisableProfiling bool
	Health           Health
	Page             func() Page // returns what the landing page shows
	Logger           *slog.Logger

	telemetry func() net.Addr // of the telemetry port, once it is open
}

// Health answers the probes.
type Health struct {
	// Live returns nil while the program makes progress.
	Live func() error
	// Ready returns nil once everything that can be listed has been listed.
	Ready func() error
	// NotServed lists what the API server refuses, for /readyz; nil: not known.
	NotServed func() []string
}

// Servers are the open ports.
type Servers struct {
	main, telemetry *server // main is nil if there is no main port
	webConfig       string
	draining        *atomic.Bool
	logger          *slog.Logger
}

type server struct {
	http.Server
	name     string
	mux      http.Handler
	logger   *slog.Logger
	listener net.Listener
	open     atomic.Int64 // requests in flight
	slow     recurrent    // clients that were cut
}

// Listen opens all ports, or none. The error names every port that cannot be opened.
func Listen(ctx context.Context, c Config) (*Servers, error) {
	if err := CheckWebConfig(c.WebConfig); err != nil {
		return nil, err
	}
	s := &Servers{webConfig: c.WebConfig, draining: &atomic.Bool{}, logger: c.Logger}
	ready := c.Health.Ready
	c.Health.Ready = func() error {
		if s.draining.Load() {
			return errors.New("shutting down")
		}
		return ready()
	}
	c.telemetry = func() net.Addr { return s.telemetry.listener.Addr() }
	var err1, err2 error
	if c.Metrics != nil {
		s.main, err1 = listen(ctx, "main", c.Address, mainMux(&c), &c)
	}
	s.telemetry, err2 = listen(ctx, "telemetry", c.TelemetryAddress, telemetryMux(&c), &c)
	if err := errors.Join(err1, err2); err != nil {
		for _, opened := range s.all() {
			err = errors.Join(err, opened.listener.Close())
		}
		return nil, err
	}
	return s, nil
}

// all returns the servers that exist.
func (s *Servers) all() []*server {
	return slices.DeleteFunc([]*server{s.main, s.telemetry}, func(x *server) bool { return x == nil })
}

func listen(ctx context.Context, name, address string, h http.Handler, c *Config) (*server, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s port: %w", name, err)
	}
	limited := newListener(l, name, c.Logger)
	s := &server{name: name, mux: h, logger: c.Logger, listener: limited}
	s.Server = http.Server{
		Handler:                      s,
		ReadTimeout:                  c.Timeouts.Read,
		ReadHeaderTimeout:            c.Timeouts.ReadHeader,
		WriteTimeout:                 c.Timeouts.Write,
		IdleTimeout:                  c.Timeouts.Idle,
		MaxHeaderBytes:               maxHeaderBytes,
		DisableGeneralOptionsHandler: true, // it would answer OPTIONS *
		ConnState:                    limited.state,
		ConnContext:                  connContext,
		ErrorLog:                     slog.NewLogLogger(c.Logger.Handler(), slog.LevelDebug),
	}
	return s, nil
}

// Address returns host:port of the main port, which must exist.
func (s *Servers) Address() string { return s.main.listener.Addr().String() }

// TelemetryAddress returns host:port of the telemetry port.
func (s *Servers) TelemetryAddress() string { return s.telemetry.listener.Addr().String() }

// Run serves until ctx ends. Then it closes the ports, waits for requests in flight, and
// cuts those that take longer than drainTimeout; it returns nil after that, and otherwise
// the error that stopped a port.
func (s *Servers) Run(ctx context.Context) error {
	failed := make(chan error, 2)
	discard := slog.New(slog.DiscardHandler) // it repeats what Listen and its caller report
	for _, x := range s.all() {
		go func() {
			failed <- web.Serve(x.listener, &x.Server, &web.FlagConfig{WebConfigFile: &s.webConfig}, discard)
		}()
	}
	var err error
	select {
	case err = <-failed:
		err = fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	s.draining.Store(true)
	s.logger.Info("waiting for requests in flight", "limit", drainTimeout)
	return errors.Join(err, s.drain(context.WithoutCancel(ctx)))
}

// drain shuts down all ports at the same time.
func (s *Servers) drain(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	servers := s.all()
	closed := make(chan error, len(servers))
	for _, x := range servers {
		go func() { closed <- x.drain(ctx, s.logger) }()
	}
	var err error
	for range servers {
		err = errors.Join(err, <-closed)
	}
	return err
}

func (x *server) drain(ctx context.Context, logger *slog.Logger) error {
	err := x.Shutdown(ctx)
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	logger.Warn("cut requests in flight", "port", x.name, "requests", x.open.Load())
	return x.Close()
}

// Address joins a host and a port for Config. The host :: stands for all addresses of the
// machine, also if it has no IPv6.
func Address(host string, port int) string {
	if host == "::" {
		host = ""
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}
