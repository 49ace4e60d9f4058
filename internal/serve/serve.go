// Package serve is the HTTP face of the program: the main port with the metrics
// of the cluster, the telemetry port with those of the program itself, probes and
// a page that says what runs. It refuses to know how metrics are made.
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
)

// drainTimeout is how long open requests may take once shutdown has begun. Kubernetes
// kills after 30 s.
const drainTimeout = 20 * time.Second

// Timeouts bound a request; zero is no limit. Whatever they are, a client that takes
// nothing of a response for a minute is cut.
type Timeouts struct{ Read, ReadHeader, Write, Idle time.Duration }

// Config says what to serve and where.
type Config struct {
	Address          string // host:port of the main port; port 0 takes any that is free
	TelemetryAddress string
	Timeouts         Timeouts
	Metrics          http.Handler // answers /metrics of the main port; nil: there is no such port
	Discovery        http.Handler // answers /sd, once everything has been read
	Telemetry        http.Handler // answers /metrics of the telemetry port
	Health           Health
	Page             func() Page // what the landing page shows
	Logger           *slog.Logger
}

// Health answers the probes.
type Health struct {
	// Live is nil while the program's own loops turn.
	Live func() error
	// Ready returns nil once everything that can be listed has been listed.
	Ready func() error
	// NotServed lists what the API server refuses, for /readyz; nil: not known.
	NotServed func() []string
}

// Servers are the ports, listening.
type Servers struct {
	main, telemetry *server // main is nil where nothing is served there
	draining        *atomic.Bool
	logger          *slog.Logger
}

type server struct {
	http.Server
	name     string
	mux      http.Handler
	logger   *slog.Logger
	listener net.Listener
	open     atomic.Int64 // requests that are being answered
	slow     recurrent    // clients that were cut
}

// Listen opens all ports, or none. The error names every port that cannot be
// had.
func Listen(ctx context.Context, c Config) (*Servers, error) {
	s := &Servers{draining: &atomic.Bool{}, logger: c.Logger}
	ready := c.Health.Ready
	c.Health.Ready = func() error {
		if s.draining.Load() {
			return errors.New("shutting down")
		}
		return ready()
	}
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

// all returns the servers that there are.
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

// Address returns host:port of the main port, which there must be.
func (s *Servers) Address() string { return s.main.listener.Addr().String() }

// TelemetryAddress returns host:port of the telemetry port.
func (s *Servers) TelemetryAddress() string { return s.telemetry.listener.Addr().String() }

// Run answers requests until ctx ends, then lets open requests finish, and cuts
// those that take too long. It returns nil after such an end, and otherwise why it
// could not go on.
func (s *Servers) Run(ctx context.Context) error {
	failed := make(chan error, 2)
	for _, x := range s.all() {
		go func() { failed <- x.Serve(x.listener) }()
	}
	var err error
	select {
	case err = <-failed:
		err = fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	s.draining.Store(true)
	s.logger.Info("letting open requests finish", "limit", drainTimeout)
	return errors.Join(err, s.drain(context.WithoutCancel(ctx)))
}

// drain closes all ports at once, so that none waits for another.
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
	logger.Warn("cut requests that took too long", "port", x.name, "requests", x.open.Load())
	return x.Close()
}

// Address joins a host and a port as Config wants them. The host :: is every
// address of the machine, also where it has no IPv6.
func Address(host string, port int) string {
	if host == "::" {
		host = ""
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}
