package main

import (
	"context"
	"fmt"
	"io"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/spf13/cobra"

	"github.com/kubestate/kubestate/internal/agentconf"
	"github.com/kubestate/kubestate/internal/conf"
	"github.com/kubestate/kubestate/internal/serve"
)

func agentCommand() *cobra.Command {
	o := conf.New()
	o.Port = 0 // there is none
	c := &cobra.Command{
		Use:   "agent",
		Short: "Push the metrics of a Kubernetes cluster to backends",
		Long: `agent reads a cluster, joins labels across objects, renames metrics for a
backend, aggregates them, and pushes them to sinks. It does the job of the
kubernetes_state_core check of the Datadog Agent, for any backend.

It is configured by flags, by the section agent of a configuration file
(--config), which has all settings of sinks, or by the configuration of the
check (--datadog-config). Flags override files. --telemetry-port serves self
metrics and probes.

A --sink is one of
` + agentconf.SinkHelp() + `
Further settings can follow a question mark, as in the configuration file.`,
		Example: `  # push once to standard output
  kubestate agent --names datadog --sink stdout --once
  kubestate agent --names datadog --sink unix:///var/run/datadog/dsd.socket
  kubestate agent --names otel --sink otlp+grpc://collector:4317
  kubestate agent --sink remotewrite+http://prometheus:9090/api/v1/write
  # the configuration of the kubernetes_state_core check
  kubestate agent --datadog-config conf.yaml --sink udp://127.0.0.1:8125
  # check a configuration file, and see what it would send
  kubestate agent --config agent.yaml --check
  kubestate agent --config agent.yaml --sink stdout --once`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return runAgent(c.Context(), o, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	takeOptions(c, o, conf.Files, conf.Cluster, conf.Scope, conf.Selection, conf.Pushing, conf.Election, conf.Telemetry, conf.Memory, conf.Logging)
	return c
}

// runAgent pushes the metrics of a cluster until ctx ends, or once.
func runAgent(ctx context.Context, o *conf.Options, out, messages io.Writer) error {
	settings, err := o.Complete()
	if err != nil {
		return err
	}
	options := o
	o = settings.Options
	log := o.Logger(messages)
	p, err := newPusher(*settings.Push, log)
	if err != nil {
		return err
	}
	if o.Push.Check {
		_, err := fmt.Fprintln(out, "The configuration is valid.")
		return err
	}
	limitMemory(o.Memory, memlimit.FromCgroup, log)
	for _, w := range settings.Warnings {
		log.Warn(w)
	}
	r, err := newReading(begin{options: options, settings: settings, pusher: p, out: out, log: log})
	if err != nil {
		return err
	}
	if o.Push.Once {
		return r.pushOnce(ctx, o.Push.Timeout)
	}
	ports, _ := r.ports(o)
	servers, err := serve.Listen(ctx, ports)
	if err != nil {
		return err
	}
	log.Info("listening", append([]any{"version", version, "telemetry", servers.TelemetryAddress()}, r.sources()...)...)
	return r.run(ctx, servers)
}
