package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/kubestate/kubestate/internal/agentconf"
	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/internal/reference"
	"github.com/kubestate/kubestate/kind"
)

func explainCommand() *cobra.Command {
	names := ""
	c := &cobra.Command{
		Use:   "explain [RESOURCE|METRIC]",
		Short: "Describe a metric, or list the metrics of a resource",
		Long: `explain describes a metric, lists the metrics of a resource, or lists the
resources. A resource is named as for kubectl explain: po, pod, pods, Pod,
deployments.apps.

With --names it shows what the agent makes of them under a naming scheme: of one
metric, of the metrics of a resource, or of all. It also takes the name of a
metric that the agent sends.`,
		Example: `  kubestate explain kube_pod_status_phase
  kubestate explain deploy
  kubestate explain
  kubestate explain --names datadog
  kubestate explain --names datadog kube_pod_status_phase
  kubestate explain --names datadog kubernetes_state.pod.count`,
		Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return reference.Names(kind.All()), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			if names != "" {
				return explainNames(c.OutOrStdout(), names, args)
			}
			if len(args) == 0 {
				return reference.List(c.OutOrStdout(), kind.All())
			}
			return reference.Explain(c.OutOrStdout(), kind.All(), args[0])
		},
	}
	c.Flags().StringVar(&names, "names", "", "naming `scheme`: a name (datadog, ksm, otel) or a file")
	// The error says that there is no such flag.
	_ = c.RegisterFlagCompletionFunc("names", cobra.FixedCompletions(agentconf.BuiltIn(), cobra.ShellCompDirectiveDefault))
	return c
}

func explainNames(w io.Writer, names string, args []string) error {
	table, err := agentconf.Table(names)
	if err != nil {
		return problem.In("--names", err)
	}
	if len(args) == 0 {
		return reference.ExplainNames(w, kind.All(), table)
	}
	return reference.ExplainNamed(w, kind.All(), table, args[0])
}
