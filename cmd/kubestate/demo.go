package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubestate/kubestate/internal/conf"
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
metrics, as the command without a name does for a real one. Objects change all
the time: Pods crash and are replaced, Deployments roll out.`,
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
	c.Flags().IntVar(&d.cluster.Nodes, "nodes", 20, "nodes of the simulated cluster")
	c.Flags().IntVar(&d.cluster.Pods, "pods", 500, "pods of the simulated cluster")
	c.Flags().Uint64Var(&d.cluster.Seed, "seed", 1, "number from which the cluster is made; the same number gives the same cluster")
	c.Flags().Float64Var(&d.churn, "churn", 5, "objects that change per second")
	o.Host, o.TelemetryHost = "127.0.0.1", "127.0.0.1"
	takeOptions(c, o, conf.Scope, conf.Selection, conf.Joining, conf.Serving, conf.Telemetry, conf.Logging)
	return c
}

// Bounds of the simulated cluster, which is kept in memory: those that Kubernetes
// is made for, and some.
const (
	maxDemoNodes = 20_000
	maxDemoPods  = 1_000_000
	maxDemoChurn = 100_000
)

// check returns everything that is wrong with the options.
func (d *demoOptions) check() error {
	var errs []error
	if d.cluster.Nodes < 1 || d.cluster.Nodes > maxDemoNodes {
		errs = append(errs, fmt.Errorf("invalid --nodes %d: must be between 1 and %d", d.cluster.Nodes, maxDemoNodes))
	}
	if d.cluster.Pods < 0 || d.cluster.Pods > maxDemoPods {
		errs = append(errs, fmt.Errorf("invalid --pods %d: must be between 0 and %d", d.cluster.Pods, maxDemoPods))
	}
	if !(d.churn >= 0 && d.churn <= maxDemoChurn) { // NaN is neither
		errs = append(errs, fmt.Errorf("invalid --churn %g: must be between 0 and %d", d.churn, maxDemoChurn))
	}
	return errors.Join(errs...)
}

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
			log.Error("the simulated cluster no longer changes", "err", err)
		}
	}()
	o.APIServer = server.URL
	return serveCluster(ctx, o, log, out, func(a addresses) {
		_, _ = fmt.Fprintf(out, `A simulated cluster of %s and %s, %g changes per second.

  what is read       http://%s/
  its metrics        http://%s/metrics
  about kubestate    http://%s/metrics
  the simulated API  kubectl -s %s get pods -A

Press Ctrl-C to end.
`, count(d.cluster.Nodes, "node"), count(d.cluster.Pods, "pod"), d.churn, a.main, a.main, a.telemetry, server.URL)
	})
}

// simulated returns the resources that the simulated cluster fills, and behind
// them those of which it has none but which are served.
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
