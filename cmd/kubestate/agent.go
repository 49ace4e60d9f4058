package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/kubestate/kubestate/internal/agentconf"
	"github.com/kubestate/kubestate/internal/conf"
	"github.com/kubestate/kubestate/internal/serve"
)

func agentCommand(args []string) *cobra.Command {
	f := &agentFlags{options: conf.New()}
	f.options.Port = 0 // there is none
	c := &cobra.Command{
		Use:   "agent",
		Short: "Push the metrics of a Kubernetes cluster to backends",
		Long: `agent reads a cluster, joins labels across objects, gives metrics the names of a
backend, keeps totals, and pushes all that to sinks. It does the job of the
kubernetes_state_core check of the Datadog Agent, for any backend.

What it does is told by flags, by a configuration file (--config), which has all
settings of sinks, or by the configuration of the check as it is
(--datadog-config). Flags override files. On --telemetry-port are its own metrics
and probes.

A --sink is one of
` + agentconf.SinkHelp() + `
Behind a question mark may be further settings, as in the configuration file.`,
		Example: `  kubestate agent --names datadog --sink stdout --once     one run, to look at
  kubestate agent --names datadog --sink unix:///var/run/datadog/dsd.socket
  kubestate agent --names otel --sink otlp+grpc://collector:4317 --cluster-name prod
  kubestate agent --sink 'remotewrite+http://prometheus:9090/api/v1/write?version=2.0' --interval 30s
  kubestate agent --datadog-config conf.yaml --sink 'datadog+https://api.datadoghq.eu?keyFile=/etc/key'
  kubestate agent --config agent.yaml --check               only say what is wrong with it
  kubestate agent --config agent.yaml --sink stdout --once  see what would be sent`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return f.run(c.Context(), c.Flags().Changed, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	check := func() error {
		_, _, err := f.settings(c.Flags().Changed)
		return err
	}
	takeOptions(c, args, f.options, check, conf.Cluster, conf.Scope, conf.Selection, conf.Telemetry, conf.Logging)
	f.add(c)
	return c
}

// run is the command.
func (f *agentFlags) run(ctx context.Context, changed func(flag string) bool, out, messages io.Writer) error {
	settings, scope, err := f.settings(changed)
	if err != nil {
		return err
	}
	log := f.options.Logger(messages)
	p, err := newPusher(settings, log)
	if err != nil {
		return err
	}
	if f.check {
		_, err := fmt.Fprintln(out, "The configuration is valid.")
		return err
	}
	for _, w := range scope.Warnings {
		log.Warn(w)
	}
	r, err := newReading(f.options, scope, p, out, log)
	if err != nil {
		return err
	}
	if f.once {
		return r.pushOnce(ctx, f.timeout)
	}
	ports, _ := r.ports(f.options, nil)
	servers, err := serve.Listen(ctx, ports)
	if err != nil {
		return err
	}
	log.Info("listening", append([]any{"version", version, "telemetry", servers.TelemetryAddress()}, r.sources()...)...)
	return r.run(ctx, servers)
}
