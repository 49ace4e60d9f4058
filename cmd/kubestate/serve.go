package main

import (
	"context"
	"fmt"
	"io"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/spf13/cobra"

	"github.com/kubestate/kubestate/internal/conf"
	"github.com/kubestate/kubestate/internal/serve"
)

func serveCommand() *cobra.Command {
	o := conf.New()
	c := &cobra.Command{
		Use:   "kubestate",
		Short: "Serve metrics about the objects of a Kubernetes cluster",
		Long: `kubestate turns the objects of a Kubernetes cluster into metrics for Prometheus.

Without a command it reads a cluster and serves:
  /metrics on --port             metrics about the objects
  /metrics on --telemetry-port   metrics about kubestate itself
Both ports answer /readyz and show at / which resources are watched.

With a section agent in --config it also pushes metrics, as the command agent
does, from the same watches.`,
		Example: `  # in a pod, as its service account
  kubestate
  # from anywhere
  kubestate --kubeconfig ~/.kube/config
  kubestate --resources pods,nodes --metric-labels-allowlist 'pods=[app,team]'
  # a simulated cluster, to look around
  kubestate demo
  # the same metrics from a file
  kubectl get pods -A -o json | kubestate render -`,
		Args: knownCommand,
		RunE: func(c *cobra.Command, _ []string) error {
			return serveCluster(c.Context(), o, c.OutOrStdout(), c.ErrOrStderr(), func(addresses) {})
		},
	}
	takeOptions(c, o, serveGroups()...)
	return c
}

// serveGroups are the options of kubestate without a command.
func serveGroups() []conf.Group {
	return []conf.Group{
		conf.Files, conf.Cluster, conf.Scope, conf.Sharding, conf.Selection, conf.Custom, conf.Joining, conf.Election,
		conf.Serving, conf.Telemetry, conf.Security, conf.Memory, conf.Logging,
	}
}

// addresses are where the two ports listen, as host:port.
type addresses struct{ main, telemetry string }

// serveCluster reads a cluster and serves until ctx ends. It wires every part to the
// next: watches feed the exporter and the agent, the exporter answers on the main port.
// out and messages are standard output and error. listening is called when both ports are open.
func serveCluster(ctx context.Context, o *conf.Options, out, messages io.Writer, listening func(addresses)) error {
	settings, err := o.Complete()
	if err != nil {
		return err
	}
	options := o
	o = settings.Options
	log := o.Logger(messages)
	limitMemory(o.Memory, memlimit.FromCgroup, log)
	for _, w := range settings.Warnings {
		log.Warn(w)
	}
	var p *pusher
	if settings.Push != nil && !o.Shards.Automatic() && o.Shards.Shard > 0 {
		log.Info("not pushing: shard 0 pushes the series of all objects")
	} else if settings.Push != nil {
		if p, err = newPusher(*settings.Push, log); err != nil {
			return err
		}
	}
	r, err := newReading(begin{options: options, settings: settings, export: true, pusher: p, out: out, log: log})
	if err != nil {
		if o.Kubeconfig == "" && o.APIServer == "" {
			err = fmt.Errorf("%w; outside a cluster give --kubeconfig FILE, or run 'kubestate demo' to try a simulated cluster", err)
		}
		return err
	}
	ports, telemetry := r.ports(o)
	ports.Address = serve.Address(o.Host, o.Port)
	metrics, err := whileLeading(r.elector, r.exporter)
	if err != nil {
		return err
	}
	ports.Metrics, ports.Discovery = telemetry.Time(metrics), r.exporter.Discovery("/metrics")
	servers, err := serve.Listen(ctx, ports)
	if err != nil {
		return err
	}
	log.Info("listening", append([]any{"version", version, "metrics", servers.Address(), "telemetry", servers.TelemetryAddress()}, r.sources()...)...)
	listening(addresses{servers.Address(), servers.TelemetryAddress()})
	return r.run(ctx, servers)
}
