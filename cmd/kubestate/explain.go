package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kubestate/kubestate/internal/reference"
	"github.com/kubestate/kubestate/kind"
)

func explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain FAMILY|RESOURCE",
		Short: "Print what a metric means, or which metrics a resource has",
		Example: `  kubestate explain kube_pod_status_phase
  kubestate explain deployments`,
		Args: cobra.ExactArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return reference.Names(kind.All()), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			found, err := reference.Explain(c.OutOrStdout(), kind.All(), args[0])
			if err == nil && !found {
				err = fmt.Errorf("there is no metric and no resource %q; kubestate explain RESOURCE lists the metrics of a resource, kubestate --help the resources", args[0])
			}
			return err
		},
	}
}
