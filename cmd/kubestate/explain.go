package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/kubestate/kubestate/internal/agentconf"
	"github.com/kubestate/kubestate/internal/conf"
	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/internal/reference"
	"github.com/kubestate/kubestate/kind"
)

func explainCommand() *cobra.Command {
	names := ""
	o := conf.New()
	c := &cobra.Command{
		Use:   "explain [RESOURCE|METRIC]",
		Short: "Describe a metric, or list the metrics of a resource",
		Long: `explain describes a metric, lists the metrics of a resource, or lists the
resources. A resource is named as for kubectl explain: po, pod, pods, Pod,
deployments.apps.

With --names it shows what the agent makes of them under a naming scheme: of one
metric, of the metrics of a resource, or of all. It also takes the name of a
metric that the agent sends.

It also describes metrics of custom resources that flags configure.`,
		Example: `  kubestate explain kube_pod_status_phase
  kubestate explain deploy
  kubestate explain
  kubestate explain --names datadog
  kubestate explain --names datadog kube_pod_status_phase
  kubestate explain --names datadog kubernetes_state.pod.count
  kubestate explain --custom-resource-pack gateway-api gateways`,
		Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return reference.Names(kind.All()), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			tables, err := explained(o, c.ErrOrStderr())
			switch {
			case err != nil:
				return err
			case names != "":
				return explainNames(c.OutOrStdout(), tables, names, args)
			case len(args) == 0:
				return reference.List(c.OutOrStdout(), tables)
			default:
				return reference.Explain(c.OutOrStdout(), tables, args[0])
			}
		},
	}
	takeOptions(c, o, conf.Custom)
	c.Flags().StringVar(&names, "names", "", "naming `scheme`: a name (datadog, ksm, otel) or a file")
	// The error says that there is no such flag.
	_ = c.RegisterFlagCompletionFunc("names", cobra.FixedCompletions(agentconf.BuiltIn(), cobra.ShellCompDirectiveDefault))
	return c
}

// explained returns all tables: of the catalog, and of the custom resources that options
// configure.
func explained(o *conf.Options, messages io.Writer) ([]*kind.Table, error) {
	settings, err := o.Complete()
	if err != nil {
		return nil, err
	}
	tables := kind.All()
	if o.Custom.Only {
		tables = nil
	}
	if settings.CustomResources == nil {
		return tables, nil
	}
	for _, p := range settings.CustomResources.Problems {
		_, _ = fmt.Fprintln(messages, "Warning:", p)
	}
	custom, err := settings.CustomResources.TablesByName()
	return append(tables, custom...), err
}

func explainNames(w io.Writer, tables []*kind.Table, names string, args []string) error {
	table, err := agentconf.Table(names)
	if err != nil {
		return problem.In("--names", err)
	}
	if len(args) == 0 {
		return reference.ExplainNames(w, tables, table)
	}
	return reference.ExplainNamed(w, tables, table, args[0])
}
