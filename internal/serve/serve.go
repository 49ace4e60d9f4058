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

// Limits of every request beside the timeouts that users set.
const (
	maxHeaderBytes = 64 << 10
	// drainTimeout is how long open requests may go on after the end was asked
	// for. Kubernetes waits 30 s before it kills.
	drainTimeout = 20 * time.Second
)

// Timeouts bound a request; zero is no limit.
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
	// Ready is nil once everything enabled has been read.
	Ready func() error
}

// Servers are the ports, listening.
type Servers struct {
	main, telemetry *server // main is nil where nothing is served there
	draining        *atomic.Bool
	logger          *slog.Logger
}

type server struct {
	http.Server
	listener net.Listener
}

// Listen opens all ports, or none. The error names every port that cannot be
// had.
func Listen(ctx context.Context, c Config) (*Servers, error) {
	s := &Servers{draining: &atomic.Bool{}, logger: c.Logger}
	ready := func() error {
		if s.draining.Load() {
			return errors.New("shutting down")
		}
		return c.Health.Ready()
	}
	var err1, err2 error
	if c.Metrics != nil {
		s.main, err1 = listen(ctx, "main", c.Address, mainMux(&c, ready), &c)
	}
	s.telemetry, err2 = listen(ctx, "telemetry", c.TelemetryAddress, telemetryMux(&c, ready), &c)
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
	return &server{listener: l, Server: http.Server{
		Handler:           h,
		ReadTimeout:       c.Timeouts.Read,
		ReadHeaderTimeout: c.Timeouts.ReadHeader,
		WriteTimeout:      c.Timeouts.Write,
		IdleTimeout:       c.Timeouts.Idle,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(c.Logger.Handler(), slog.LevelDebug),
	}}, nil
}

// Address returns host:port of the main port, which there must be.
func (s *Servers) Address() string { return s.main.listener.Addr().String() }

// TelemetryAddress returns host:port of the telemetry port.
func (s *Servers) TelemetryAddress() string { return s.telemetry.listener.Addr().String() }

// Run answers requests until ctx ends, then lets open requests finish. It returns
// nil after an orderly end.
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
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	for _, x := range s.all() {
		err = errors.Join(err, x.Shutdown(drain))
	}
	return err
}

// Address joins a host and a port as Config wants them. The host :: is every
// address of the machine, also where it has no IPv6.
func Address(host string, port int) string {
	if host == "::" {
		host = ""
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}
