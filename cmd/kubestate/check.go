package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubestate/kubestate/internal/conf"
	"github.com/kubestate/kubestate/internal/rbac"
	"github.com/kubestate/kubestate/kubewatch"
)

// placeholderNamespace stands for the namespace of the pod where it is not needed.
const placeholderNamespace = "kubestate"

func checkCommand() *cobra.Command {
	o := conf.New()
	var cluster, strict bool
	c := &cobra.Command{
		Use:   "check",
		Short: "Check flags and configuration files",
		Long: `check takes the flags of kubestate and reports everything that is wrong with
them and with the files that they name, and what has no effect, such as
patterns that match no metric. It starts nothing.`,
		Example: `  kubestate check --config config.yaml
  # in the pod, or with its credentials: which permissions are missing
  kubestate check --config config.yaml --cluster`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return check(c.Context(), o, cluster, strict, c.OutOrStdout())
		},
	}
	c.Flags().BoolVar(&cluster, "cluster", false, "ask the API server which permissions are missing (SelfSubjectAccessReview)")
	c.Flags().BoolVar(&strict, "strict", false, "exit with code 1 if there are warnings")
	takeOptions(c, o, serveGroups()...)
	return c
}

// check reports problems and warnings of options, and, if cluster is set, permissions that
// are missing.
func check(ctx context.Context, o *conf.Options, cluster, strict bool, out io.Writer) error {
	if !cluster {
		o.OwnNamespace = placeholderNamespace
	}
	settings, err := o.Complete()
	if err != nil {
		return err
	}
	needs, err := needsOf(settings, false)
	if err != nil {
		return err
	}
	warnings := append(settings.Warnings, settings.Unused()...)
	if settings.Push != nil {
		warnings = append(warnings, settings.Push.Warnings...)
	}
	for _, w := range warnings {
		_, _ = fmt.Fprintln(out, "Warning:", w)
	}
	if settings.CustomResources != nil && len(settings.CustomResources.Problems) > 0 {
		return settings.CustomResources.Problems
	}
	if cluster {
		if err := checkPermissions(ctx, settings.Options, needs, out); err != nil {
			return err
		}
	}
	if strict && len(warnings) > 0 {
		return &exitError{code: 1}
	}
	_, err = fmt.Fprintln(out, "The configuration is valid.")
	return err
}

// reviewTimeout bounds how long check waits for the API server.
const reviewTimeout = time.Minute

// checkPermissions asks the API server which needs it would refuse.
func checkPermissions(ctx context.Context, o *conf.Options, needs []rbac.Need, out io.Writer) error {
	client, err := kubewatch.Connect(clientConfig(o))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, reviewTimeout, errors.New("the API server did not answer within "+reviewTimeout.String()))
	defer cancel()
	missing, err := rbac.Missing(ctx, needs, post(client))
	for _, n := range missing {
		_, _ = fmt.Fprintf(out, "Missing permission: %s (%s)\n", n, n.Reason)
	}
	if err == nil && len(missing) > 0 {
		err = fmt.Errorf("%s missing; 'kubestate rbac' with the same flags prints roles that grant them", count(len(missing), "permission"))
	}
	return err
}

// quiet is a logger of what is not run.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
