package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubestate/kubestate/internal/conf"
	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/internal/sim/apiserver"
	"github.com/kubestate/kubestate/internal/sim/cluster"
	"github.com/kubestate/kubestate/kind"
)

// demoOptions size the simulated cluster.
type demoOptions struct {
	cluster cluster.Config
	churn   float64 // changes per second
}

func demoCommand() *cobra.Command {
	var d demoOptions
	o := conf.New()
	c := &cobra.Command{
		Use:   "demo",
		Short: "Serve metrics about a simulated cluster",
		Long: `demo starts a simulated API server with a synthetic cluster and serves its
metrics, as kubestate without a command does for a real cluster. Objects change
all the time: Pods crash and are replaced, Deployments roll out.`,
		Example: `  kubestate demo
  kubestate demo --nodes 500 --pods 20000 --churn 50
  kubestate demo --port 9000 --telemetry-port 9001`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := d.check(); err != nil {
				return usageError{err}
			}
			return demo(c.Context(), d, o, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c.Flags().IntVar(&d.cluster.Nodes, "nodes", 20, "number of Nodes")
	c.Flags().IntVar(&d.cluster.Pods, "pods", 500, "number of Pods")
	c.Flags().Uint64Var(&d.cluster.Seed, "seed", 1, "seed of the random numbers; the same seed gives the same cluster")
	c.Flags().Float64Var(&d.churn, "churn", 5, "changes of objects per second")
	o.Host, o.TelemetryHost = "127.0.0.1", "127.0.0.1"
	takeOptions(c, o, conf.Scope, conf.Selection, conf.Joining, conf.Serving, conf.Telemetry, conf.Logging)
	return c
}

// Bounds of the simulated cluster, which is kept in memory: a few times what
// Kubernetes supports.
const (
	maxDemoNodes = 20_000
	maxDemoPods  = 1_000_000
	maxDemoChurn = 100_000
)

// check returns all problems with the options.
func (d *demoOptions) check() error {
	var problems problem.List
	for _, flag := range []struct {
		name             string
		value, low, high float64
	}{
		{"--nodes", float64(d.cluster.Nodes), 1, maxDemoNodes},
		{"--pods", float64(d.cluster.Pods), 0, maxDemoPods},
		{"--churn", d.churn, 0, maxDemoChurn},
	} {
		if !(flag.value >= flag.low && flag.value <= flag.high) { // NaN is neither
			problems = append(problems, problem.Problem{
				Source:  flag.name,
				What:    "invalid number " + decimal(flag.value),
				Allowed: fmt.Sprintf("must be between %s and %s", decimal(flag.low), decimal(flag.high)),
			})
		}
	}
	return problems.Err()
}

func decimal(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// demo serves a simulated cluster until ctx ends.
func demo(ctx context.Context, d demoOptions, o *conf.Options, out, messages io.Writer) error {
	store, err := apiserver.NewStore(apiserver.StoreConfig{Resources: simulated()})
	if err != nil {
		return err
	}
	d.cluster.Time = time.Now()
	if err := cluster.Generate(store, d.cluster); err != nil {
		return err
	}
	churn, err := cluster.NewChurn(store, cluster.ChurnConfig{Seed: d.cluster.Seed, Time: d.cluster.Time})
	if err != nil {
		return err
	}
	server, err := apiserver.Start(apiserver.New(store, apiserver.Config{}), 0)
	if err != nil {
		return err
	}
	defer server.Close()
	log := o.Logger(messages)
	go func() {
		if err := churn.Run(ctx, d.churn); err != nil && ctx.Err() == nil {
			log.Error("stopped changing the simulated cluster", "err", err)
		}
	}()
	o.APIServer = server.URL
	return serveCluster(ctx, o, out, messages, func(a addresses) {
		_, _ = fmt.Fprintf(out, `A simulated cluster of %s and %s, %g changes per second.

  status             http://%s/
  cluster metrics    http://%s/metrics
  kubestate metrics  http://%s/metrics
  simulated API      kubectl -s %s get pods -A

Press Ctrl-C to stop.
`, count(d.cluster.Nodes, "node"), count(d.cluster.Pods, "pod"), d.churn, a.main, a.main, a.telemetry, server.URL)
	})
}

// simulated returns the resources that the simulated API server serves: first those
// of which the cluster has objects.
func simulated() []apiserver.Resource {
	resources := apiserver.Resources()
	for _, t := range kind.All() {
		if !slices.ContainsFunc(resources, func(r apiserver.Resource) bool { return r.Group == t.Group && r.Name == t.Name }) {
			resources = append(resources, apiserver.Resource{
				Group: t.Group, Version: t.Version, Name: t.Name, Kind: t.Kind, Namespaced: t.Namespaced,
				New: func() apiserver.Object { return t.New() },
			})
		}
	}
	return resources
}
