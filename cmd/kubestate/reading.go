package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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
	custom   *customKinds // nil: nothing is exported
	log      *slog.Logger
	files    *serve.ConfigFiles

	options *conf.Options // of the command line
	// settings are those in effect. Once the reading runs, they are changed by followFiles
	// alone, within shards.change, and are read by others within it.
	settings  conf.Settings
	consumers []*kubewatch.Consumer // of the exporter and of custom; used within shards.change
	wasReady  atomic.Bool
	// attempts is how often the API server must refuse a kind until that is its answer.
	attempts uint64
}

// begin is what a reading begins with.
type begin struct {
	options  *conf.Options // of the command line
	settings conf.Settings // that follow from them
	export   bool
	pusher   *pusher   // nil: nothing is pushed
	out      io.Writer // standard output, for the pusher's sinks
	log      *slog.Logger
}

// newReading prepares to read what the settings say, for an exporter or a pusher or both.
func newReading(b begin) (*reading, error) {
	r := &reading{options: b.options, settings: b.settings, pusher: b.pusher, files: &serve.ConfigFiles{}, log: b.log}
	var err error
	if r.client, err = kubewatch.Connect(clientConfig(b.settings.Options)); err != nil {
		return nil, err
	}
	if b.export {
		if r.exporter, err = kubestate.New(exporterConfig(b.settings, r.client.Server(), b.log)); err != nil {
			return nil, err
		}
		if r.custom, err = newCustomKinds(b.log); err != nil {
			return nil, err
		}
		if err := r.export(b.settings, r.client.Server()); err != nil {
			return nil, err
		}
	}
	if r.group, err = kubewatch.NewGroup(r.client, nil, b.log); err != nil {
		return nil, err
	}
	r.shards, err = newSharding(&b.settings.Options.Shards, r.client, r.group, r.planAs, b.log)
	if err != nil {
		return nil, err
	}
	logSelection(b.settings, b.log)
	if r.elector, err = newElector(r.client, election(b.settings), b.log); err != nil {
		return nil, err
	}
	r.files.Loaded(nil, r.configFiles(b.settings.Options)...)
	return r, b.pusher.connect(r.elector, b.out, r.awaitPush)
}

// planAs returns what to read as one shard. It is called by the sharding alone, one call at a
// time.
func (r *reading) planAs(of shard.Shard) kubewatch.Plan {
	consumers := r.consumers
	if of.Index == 0 {
		consumers = r.pusher.consumers(consumers...)
	}
	return planOf(r.settings, of, consumers...)
}

// export makes the exporter serve settings, with those custom resources that the cluster
// serves. It is for set of shards.change.
func (r *reading) export(next conf.Settings, server string) error {
	if r.exporter == nil {
		return nil
	}
	custom := r.custom.serve(next)
	config := exporterConfig(next, server, r.log)
	config.Kinds = append(slices.Clip(config.Kinds), custom.kinds...)
	changes, err := r.exporter.Replace(config)
	if err != nil {
		return err
	}
	consumers := append(exporterConsumers(r.exporter), r.custom.consumers(next)...)
	keepConsumers(consumers, r.consumers)
	r.consumers = consumers
	r.custom.serves(custom, changes)
	return nil
}

// followCustomResources changes what is exported when the cluster starts or stops serving custom
// resources, until ctx ends.
func (r *reading) followCustomResources(ctx context.Context) {
	if r.custom == nil {
		return
	}
	r.custom.follow(ctx, r.client, r.group, func(set func()) {
		err := r.shards.change(func() error {
			set()
			return r.export(r.settings, r.client.Server())
		})
		if err != nil {
			r.log.Error("failed to change which custom resources are served", "err", err)
		}
	}, r.shards.hold)
}

// exporterConfig returns the configuration of an exporter of objects of a server.
func exporterConfig(s conf.Settings, server string, log *slog.Logger) kubestate.Config {
	c := s.Exporter
	c.Logger, c.Scope, c.Sharded = log, scopeOf(s, server), sharded(&s.Options.Shards)
	return c
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

// ready returns nil once everything is listed. From then on, what a reload adds does not make
// the program unready: it serves what it has.
func (r *reading) ready() error {
	if err := r.shards.ready(); err != nil {
		return err
	}
	var discovering error
	r.shards.hold(func() { discovering = r.custom.ready() }) // known only with watches of what is served
	err := errors.Join(discovering, kubewatch.Ready(r.group.Statuses(), r.attempts))
	if err == nil {
		r.wasReady.Store(true)
	} else if r.wasReady.Load() && !errors.Is(err, kubewatch.ErrNothingServed) {
		return nil
	}
	return err
}

// ports returns what to serve on the telemetry port, and the metrics that are shown
// there.
func (r *reading) ports(o *conf.Options) (serve.Config, *serve.Telemetry) {
	sources := serve.Sources{Build: buildInfo(), Watches: r.group.Statuses, Exporter: r.exporter, Agent: r.pusher.telemetry(), Files: r.files}
	sources.Shard = r.shards.ordinal
	if r.custom != nil && r.settings.CustomResources != nil {
		sources.Definitions = r.custom.definitions.Counts
	}
	if r.elector != nil {
		sources.Election = r.elector.Status
	}
	telemetry := serve.NewTelemetry(sources)
	var protect func(http.Handler) http.Handler
	if o.AuthFilter {
		protect = auth.NewFilter(auth.Config{Post: post(r.client), Logger: r.log}).Wrap
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
		Page:   sources.Page,
		Logger: r.log,
	}, telemetry
}

// run reads, serves and pushes until ctx ends or a port fails. What is pushed last
// and what is answered last end at the same time.
func (r *reading) run(ctx context.Context, servers *serve.Servers) error {
	ctx, cancel := context.WithCancel(ctx)
	signals, ignore := hangups()
	defer ignore()
	var running sync.WaitGroup
	running.Go(func() { r.read(ctx) })
	running.Go(func() { r.logVersion(ctx) })
	running.Go(func() { r.followCustomResources(ctx) })
	running.Go(func() { campaign(ctx, r.elector, r.awaitAll, r.pusher.run) })
	go settle(ctx, r.awaitReady)
	running.Go(func() { r.announce(ctx) })
	var unsharded error
	running.Go(func() {
		if unsharded = r.shards.run(ctx); unsharded != nil {
			cancel()
		}
	})
	running.Go(func() { r.followFiles(ctx, signals) })
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
