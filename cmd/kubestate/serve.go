package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/internal/conf"
	"github.com/kubestate/kubestate/internal/serve"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/kubewatch"
)

func serveCommand(args []string) *cobra.Command {
	o := conf.New()
	c := &cobra.Command{
		Use:   "kubestate",
		Short: "Serve metrics about the objects of a Kubernetes cluster",
		Long: `kubestate turns the objects of a Kubernetes cluster into metrics for Prometheus.

Without a command it reads a cluster and serves:
  /metrics on --port             metrics about the objects
  /metrics on --telemetry-port   metrics about kubestate itself
Both ports answer /readyz and show at / what is being read.`,
		Example: `  kubestate                                        in a pod, as its service account
  kubestate --kubeconfig ~/.kube/config            from anywhere
  kubestate --resources pods,nodes --metric-labels-allowlist 'pods=[app,team]'
  kubestate demo                                   a simulated cluster, to look around
  kubectl get pods -A -o json | kubestate render - the same metrics from a file`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			log := o.Logger(c.ErrOrStderr())
			return serveCluster(c.Context(), o, log, func(addresses) {})
		},
	}
	takeOptions(c, args, o, conf.Cluster, conf.Scope, conf.Selection, conf.Serving, conf.Logging)
	return c
}

// addresses are where the two ports listen, as host:port.
type addresses struct{ main, telemetry string }

// serveCluster reads a cluster and serves until ctx ends. It wires every part to
// the next: watches feed the exporter, the exporter answers on the main port.
// listening is called once both ports are open.
func serveCluster(ctx context.Context, o *conf.Options, log *slog.Logger, listening func(addresses)) error {
	settings, err := o.Complete()
	if err != nil {
		return err
	}
	for _, w := range settings.Warnings {
		log.Warn(w)
	}
	settings.Exporter.Logger = log
	exporter, err := kubestate.New(settings.Exporter)
	if err != nil {
		return err
	}
	client, err := kubewatch.Connect(kubewatch.Config{Kubeconfig: o.Kubeconfig, APIServer: o.APIServer, Version: version})
	if err != nil {
		return err
	}
	watches, err := watchesFor(exporter, settings)
	if err != nil {
		return err
	}
	group, err := kubewatch.NewGroup(client, watches, log)
	if err != nil {
		return err
	}
	sources := serve.Sources{Build: buildInfo(), Watches: group.Statuses, Exporter: exporter}
	telemetry := serve.NewTelemetry(sources)
	servers, err := serve.Listen(ctx, serve.Config{
		Address:          serve.Address(o.Host, o.Port),
		TelemetryAddress: serve.Address(o.TelemetryHost, o.TelemetryPort),
		Timeouts: serve.Timeouts{
			Read: o.ServerReadTimeout, ReadHeader: o.ServerReadHeaderTimeout,
			Write: o.ServerWriteTimeout, Idle: o.ServerIdleTimeout,
		},
		Metrics:   telemetry.Time(exporter),
		Discovery: http.HandlerFunc(exporter.ServeDiscovery),
		Telemetry: telemetry.Handler(),
		Health:    serve.Health{Live: group.Alive, Ready: func() error { return ready(group.Statuses()) }},
		Page:      func() serve.Page { return serve.Page{Version: version, Rows: sources.Rows()} },
		Logger:    log,
	})
	if err != nil {
		return err
	}
	log.Info("listening", "version", version, "metrics", servers.Address(), "telemetry", servers.TelemetryAddress())
	listening(addresses{servers.Address(), servers.TelemetryAddress()})
	return runAll(ctx, client, group, servers, log)
}

// runAll reads and serves until ctx ends or a port fails.
func runAll(ctx context.Context, client *kubewatch.Client, group *kubewatch.Group, servers *serve.Servers, log *slog.Logger) error {
	ctx, cancel := context.WithCancel(ctx)
	read := make(chan struct{})
	go func() {
		defer close(read)
		greet(ctx, client, log)
		group.Run(ctx)
	}()
	err := servers.Run(ctx)
	cancel()
	<-read
	log.Info("ended")
	return err
}

// greet logs which server is read, so that a wrong address shows at once. A
// server that does not answer is no reason to end: the watches keep trying.
func greet(ctx context.Context, client *kubewatch.Client, log *slog.Logger) {
	v, err := client.Version(ctx)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		log.Error("the API server does not answer; trying on", "err", err)
	default:
		log.Info("reading cluster", "apiserver_version", v)
	}
}

// watchesFor returns a watch for each resource and each namespace to read.
func watchesFor(x *kubestate.Exporter, s conf.Settings) ([]kubewatch.Watch, error) {
	var watches []kubewatch.Watch
	var errs []error
	for _, t := range x.Tables() {
		for _, w := range watchesOf(t, s) {
			feed, err := x.NewFeed(t.Name)
			errs = append(errs, err)
			w.Store = feed
			watches = append(watches, w)
		}
	}
	return watches, errors.Join(errs...)
}

func watchesOf(t *kind.Table, s conf.Settings) []kubewatch.Watch {
	all := kubewatch.Watch{Table: t, Fields: kind.Reads(t)}
	if !t.Namespaced {
		return []kubewatch.Watch{all}
	}
	all.FieldSelector = s.FieldSelector
	if len(s.Namespaces) == 0 {
		return []kubewatch.Watch{all}
	}
	watches := make([]kubewatch.Watch, len(s.Namespaces))
	for i, n := range s.Namespaces {
		watches[i] = all
		watches[i].Namespace = n
	}
	return watches
}

// ready returns nil once every watch has read its objects completely once, or
// was told by the API server that it may not or that there are none of the kind:
// what is lacking in the cluster must not keep the rest out of service.
func ready(statuses []kubewatch.Status) error {
	var errs []error
	for i := range statuses {
		if s := &statuses[i]; !s.Synced && !s.Refused() {
			where := s.Resource.Name
			if s.Namespace != "" {
				where += " in namespace " + s.Namespace
			}
			errs = append(errs, fmt.Errorf("%s: %s", where, s.State))
		}
	}
	return errors.Join(errs...)
}
