package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/internal/agentconf"
	"github.com/kubestate/kubestate/internal/auth"
	"github.com/kubestate/kubestate/internal/conf"
	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/internal/serve"
	"github.com/kubestate/kubestate/internal/shard"
	"github.com/kubestate/kubestate/kubewatch"
	"github.com/kubestate/kubestate/kubewatch/lease"
)

// reading is a cluster while it is read, for whoever wants its objects.
type reading struct {
	client *kubewatch.Client
	group  *kubewatch.Group
	shards *sharding
	pusher *pusher // nil: nothing is pushed
	// elector says which of several replicas shows series and pushes; nil: each does.
	elector *lease.Elector
	// exporter is nil where nothing is exported.
	exporter *kubestate.Exporter
	custom   *customKinds // nil: no custom resources
	log      *slog.Logger
	// attempts is how often the API server must refuse a kind until that is its answer.
	attempts uint64
}

// newReading prepares to read what settings say of the cluster that options name,
// for a pusher, which may be nil, and others. out is standard output, for the
// pusher's sinks.
func newReading(o *conf.Options, s conf.Settings, p *pusher, out io.Writer, log *slog.Logger, others func() []*kubewatch.Consumer) (*reading, error) {
	client, err := kubewatch.Connect(kubewatch.Config{Kubeconfig: o.Kubeconfig, APIServer: o.APIServer, Version: version})
	if err != nil {
		return nil, err
	}
	group, err := kubewatch.NewGroup(client, nil, log)
	if err != nil {
		return nil, err
	}
	agents := p.consumers()
	shards, err := newSharding(&o.Shards, client, group, func(of shard.Shard) kubewatch.Plan {
		if of.Index != 0 {
			return planOf(s, of, others()...)
		}
		return planOf(s, of, append(others(), agents...)...)
	}, log)
	if err != nil {
		return nil, err
	}
	logSelection(s, log)
	r := &reading{client: client, group: group, shards: shards, pusher: p, log: log}
	if r.elector, err = newElector(client, election(s), log); err != nil {
		return nil, err
	}
	return r, p.connect(r.elector, out, r.awaitPush)
}

// election returns the election that settings ask for: that of all, or of the pusher.
func election(s conf.Settings) agentconf.LeaderElection {
	if s.Push != nil && !s.Election.Enabled {
		return s.Push.LeaderElection
	}
	return s.Election
}

// logSelection logs at debug level how many metrics the options select and exclude, and
// which namespaces are read.
func logSelection(s conf.Settings, log *slog.Logger) {
	if !log.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	var selected, excluded, optIn int
	for _, t := range s.Exporter.Kinds {
		for i := range t.Schema().Families {
			switch d := &t.Schema().Families[i]; {
			case s.Exporter.Keep(d):
				selected++
			case d.OptIn:
				optIn++
			default:
				excluded++
			}
		}
	}
	log.Debug("selected metrics", "resources", len(s.Exporter.Kinds), "metrics", selected, "excluded", excluded, "opt_in_excluded", optIn,
		"namespaces", strings.Join(s.Namespaces, ","), "namespaces_excluded", strings.Join(s.NotNamespaces, ","))
}

func (r *reading) ready() error {
	if err := errors.Join(r.shards.ready(), r.custom.ready()); err != nil {
		return err
	}
	return kubewatch.Ready(r.group.Statuses(), r.attempts)
}

// ports returns what to serve on the telemetry port, and the metrics that are shown
// there. exporter is nil where nothing is exported.
func (r *reading) ports(o *conf.Options, exporter *kubestate.Exporter) (serve.Config, *serve.Telemetry) {
	r.exporter = exporter
	sources := serve.Sources{Build: buildInfo(), Watches: r.group.Statuses, Exporter: exporter, Agent: r.pusher.telemetry()}
	sources.Shard = r.shards.ordinal
	if r.elector != nil {
		sources.Election = r.elector.Status
	}
	telemetry := serve.NewTelemetry(sources)
	var protect func(http.Handler) http.Handler
	if o.AuthFilter {
		create := func(ctx context.Context, path string, body []byte) ([]byte, error) {
			return r.client.Send(ctx, http.MethodPost, path, body)
		}
		protect = auth.NewFilter(auth.Config{Post: create, Logger: r.log}).Wrap
	}
	return serve.Config{
		TelemetryAddress: serve.Address(o.TelemetryHost, o.TelemetryPort),
		Timeouts: serve.Timeouts{
			Read: o.ServerReadTimeout, ReadHeader: o.ServerReadHeaderTimeout,
			Write: o.ServerWriteTimeout, Idle: o.ServerIdleTimeout,
		},
		Telemetry: telemetry.Handler(),
		Protect:   protect, WebConfig: o.TLSConfig, DisableProfiling: !o.EnablePprof,
		Health: serve.Health{
			Live: r.group.Alive, Ready: r.ready,
			NotServed: func() []string { return kubewatch.NotServed(r.group.Statuses()) },
		},
		Page: func() serve.Page {
			return serve.Page{Version: version, Rows: sources.Rows(), Sinks: sources.Agent.Rows()}
		},
		Logger: r.log,
	}, telemetry
}

// run reads, serves and pushes until ctx ends or a port fails. What is pushed last
// and what is answered last end at the same time.
func (r *reading) run(ctx context.Context, servers *serve.Servers) error {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { r.read(ctx) })
	running.Go(func() { r.logVersion(ctx) })
	running.Go(func() { r.custom.run(ctx, r.client, r.group, r.shards.replan) })
	running.Go(func() { campaign(ctx, r.elector, r.awaitAll, r.pusher.run) })
	go settle(ctx, r.awaitReady)
	running.Go(func() { r.announce(ctx) })
	var unsharded error
	running.Go(func() {
		if unsharded = r.shards.run(ctx); unsharded != nil {
			cancel()
		}
	})
	err := servers.Run(ctx)
	cancel()
	running.Wait()
	r.log.Info("ended")
	return errors.Join(err, unsharded)
}

// onceVersionTimeout bounds how long pushOnce waits for the version of the API server.
const onceVersionTimeout = 5 * time.Second

// pushOnce sends one run to each sink, once everything is read. As there is no other
// run, a kind is given up only if it is refused twice: an API server that has just
// started may refuse what it allows a moment later.
func (r *reading) pushOnce(ctx context.Context, timeout time.Duration) error {
	r.attempts = 2
	ctx, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { r.read(ctx) })
	limited, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("not everything was sent within %s", timeout))
	var asked sync.WaitGroup
	asked.Go(func() {
		ctx, cancel := context.WithTimeout(limited, onceVersionTimeout)
		defer cancel()
		r.logVersion(ctx)
	})
	err := r.pusher.sender.Once(limited)
	if errors.Is(limited.Err(), context.DeadlineExceeded) {
		err = errors.Join(err, problem.In("not yet read", r.ready()))
	}
	if names := kubewatch.NotServed(r.group.Statuses()); len(names) > 0 && err == nil {
		r.log.Warn("some resources are not served; deploy/clusterrole.yaml has the rules that they need", "resources", strings.Join(names, ", "))
	}
	asked.Wait()
	cancel()
	stop()
	running.Wait()
	return err
}

// read reads until ctx ends. Meanwhile it finds the ID of the cluster.
func (r *reading) read(ctx context.Context) {
	var others sync.WaitGroup
	others.Go(func() { r.pusher.identify(ctx, r.client) })
	r.group.Run(ctx)
	others.Wait()
}

// logVersion logs the version of the API server, so that a wrong address shows at once.
// That the server cannot be reached is for the watches to report, which keep trying.
func (r *reading) logVersion(ctx context.Context) {
	v, err := r.client.Version(ctx)
	_, unreachable := errors.AsType[net.Error](err)
	switch {
	case ctx.Err() != nil:
	case unreachable || errors.Is(err, io.EOF):
		r.log.Debug("cannot get version of API server", "err", err)
	case err != nil:
		r.log.Warn("cannot get version of API server", "err", err)
	default:
		r.log.Info("reading cluster", "apiserver_version", v)
	}
}

// await waits until done returns true, which may change with the status of a watch, and
// reports whether it did before ctx ended.
func (r *reading) await(ctx context.Context, done func() bool) bool {
	for {
		changed := r.group.Changed()
		if done() {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// awaitAll waits until there is all that is shown or sent.
func (r *reading) awaitAll(ctx context.Context) error {
	if r.pusher != nil {
		return r.pusher.ready(ctx)
	}
	return r.awaitReady(ctx)
}

// awaitPush waits until there is all that is pushed, and this instance pushes.
func (r *reading) awaitPush(ctx context.Context) error {
	if !r.await(ctx, func() bool { return r.ready() == nil && r.shards.pushes() }) {
		return context.Cause(ctx)
	}
	return nil
}

// awaitReady waits until ready returns nil, or returns the cause of the end of ctx.
func (r *reading) awaitReady(ctx context.Context) error {
	if !r.await(ctx, func() bool { return r.ready() == nil }) {
		return context.Cause(ctx)
	}
	return nil
}
