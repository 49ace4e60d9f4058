package main

import (
	"errors"
	"fmt"
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
		Use:   "explain [FAMILY|RESOURCE]",
		Short: "Print what a metric means, or which metrics a resource has",
		Long: `explain prints what a metric means, or which metrics a resource has.

With --names it prints what the agent makes of them under a naming table: of
one family, of those of a resource, or of all; and of which families it makes a
metric.`,
		Example: `  kubestate explain kube_pod_status_phase
  kubestate explain deployments
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
				return errors.New("no FAMILY or RESOURCE given: name one, or a table with --names")
			}
			found, err := reference.Explain(c.OutOrStdout(), kind.All(), args[0])
			if err == nil && !found {
				err = fmt.Errorf("there is no metric and no resource %q; kubestate explain RESOURCE lists the metrics of a resource, kubestate --help the resources", args[0])
			}
			return err
		},
	}
	c.Flags().StringVar(&names, "names", "", "naming `scheme`: a name (datadog, ksm, otel) or a file with one")
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
	found, err := reference.ExplainNamed(w, kind.All(), table, args[0])
	if err == nil && !found {
		err = fmt.Errorf("there is no family, no resource and, in the names %s, no metric %q; kubestate explain --names %s lists all", table.Name, args[0], names)
	}
	return err
}
