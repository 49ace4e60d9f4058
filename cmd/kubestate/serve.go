package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/internal/agentconf"
	"github.com/kubestate/kubestate/internal/conf"
	"github.com/kubestate/kubestate/internal/serve"
)

func serveCommand(args []string) *cobra.Command {
	o := conf.New()
	config := ""
	c := &cobra.Command{
		Use:   "kubestate",
		Short: "Serve metrics about the objects of a Kubernetes cluster",
		Long: `kubestate turns the objects of a Kubernetes cluster into metrics for Prometheus.

Without a command it reads a cluster and serves:
  /metrics on --port             metrics about the objects
  /metrics on --telemetry-port   metrics about kubestate itself
Both ports answer /readyz and show at / what is being read.

With a --config whose section agent says so it pushes metrics, too, as the
command agent does, from the same watches.`,
		Example: `  kubestate                                        in a pod, as its service account
  kubestate --kubeconfig ~/.kube/config            from anywhere
  kubestate --resources pods,nodes --metric-labels-allowlist 'pods=[app,team]'
  kubestate demo                                   a simulated cluster, to look around
  kubectl get pods -A -o json | kubestate render - the same metrics from a file`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			log := o.Logger(c.ErrOrStderr())
			push, err := pushSettings(o, config)
			if err != nil {
				return err
			}
			return serveCluster(c.Context(), o, push, log, c.OutOrStdout(), func(addresses) {})
		},
	}
	check := func() error {
		_, err := pushSettings(o, config)
		return err
	}
	takeOptions(c, args, o, check, conf.Cluster, conf.Scope, conf.Selection, conf.Joining, conf.Serving, conf.Telemetry, conf.Logging)
	c.Flags().StringVar(&config, "config", "", "configuration `file`: what the agent pushes")
	return c
}

// pushSettings returns what a configuration file says of the agent; nil: nothing.
// The error has what is wrong with the options, too.
func pushSettings(o *conf.Options, config string) (*agentconf.Settings, error) {
	_, wrong := o.Complete()
	if config == "" {
		return nil, wrong
	}
	c, err := readConfig(config, agentconf.Read)
	switch {
	case err != nil || c.Agent == nil:
		return nil, errors.Join(wrong, err)
	case len(c.Agent.Sinks) == 0:
		return nil, errors.Join(wrong, fmt.Errorf("%s: the section agent has no sinks", config))
	}
	s := c.Agent.Settings()
	s.Receivers, s.Warnings, err = c.Agent.Receivers()
	errs := []error{wrong, err}
	s.LeaderElection, err = completeElection(s.LeaderElection, true, false)
	return &s, errors.Join(append(errs, err)...)
}

// addresses are where the two ports listen, as host:port.
type addresses struct{ main, telemetry string }

// serveCluster reads a cluster and serves until ctx ends. It wires every part to
// the next: watches feed the exporter, the exporter answers on the main port.
// push, unless nil, is what the agent makes of the same objects; out is standard
// output. listening is called once both ports are open.
func serveCluster(ctx context.Context, o *conf.Options, push *agentconf.Settings, log *slog.Logger, out io.Writer, listening func(addresses)) error {
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
	var p *pusher
	if push != nil {
		if p, err = newPusher(*push, log); err != nil {
			return err
		}
	}
	r, err := newReading(o, settings, p, out, log, exporterConsumers(exporter)...)
	if err != nil {
		if o.Kubeconfig == "" && o.APIServer == "" {
			err = fmt.Errorf("%w; outside a cluster give --kubeconfig FILE, or run 'kubestate demo' to try a simulated cluster", err)
		}
		return err
	}
	ports, telemetry := r.ports(o, exporter)
	ports.Address = serve.Address(o.Host, o.Port)
	ports.Metrics, ports.Discovery = telemetry.Time(exporter), exporter.Discovery("/metrics")
	servers, err := serve.Listen(ctx, ports)
	if err != nil {
		return err
	}
	log.Info("listening", append([]any{"version", version, "metrics", servers.Address(), "telemetry", servers.TelemetryAddress()}, r.sources()...)...)
	listening(addresses{servers.Address(), servers.TelemetryAddress()})
	return r.run(ctx, servers)
}
