package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/validate/content"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/internal/conf"
	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/internal/rbac"
)

// roleOptions are the flags of the command rbac.
type roleOptions struct {
	name       string // of the roles and bindings
	account    string // namespace/name
	namespaced bool
}

func rbacCommand() *cobra.Command {
	o := conf.New()
	var r roleOptions
	c := &cobra.Command{
		Use:   "rbac",
		Short: "Print the roles that kubestate needs",
		Long: `rbac takes the flags of kubestate and prints manifests of the permissions that
it needs with them, and no others: a ClusterRole for what is read in the whole
cluster, a Role for each of --namespaces and for the namespace of its pod, and
their bindings.`,
		Example: `  kubestate rbac --config config.yaml | kubectl apply -f -
  # without any permission in the cluster
  kubestate rbac --namespaces shop,billing --namespaced`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return printRoles(o, r, c.OutOrStdout(), c.ErrOrStderr()) },
	}
	c.Flags().StringVar(&r.name, "name", "kubestate", "`name` of the roles and bindings")
	c.Flags().StringVar(&r.account, "service-account", "monitoring/kubestate", "service account of the pod, as `namespace/name`")
	c.Flags().BoolVar(&r.namespaced, "namespaced", false, "print Roles only, and omit what only a ClusterRole can grant")
	takeOptions(c, o, serveGroups()...)
	return c
}

// printRoles writes manifests for options to out, and what they leave out to messages.
func printRoles(o *conf.Options, r roleOptions, out, messages io.Writer) error {
	namespace, account, _ := strings.Cut(r.account, "/")
	var problems problem.List
	for _, part := range []struct{ flag, value, text, allowed string }{
		{"--name", r.name, r.name, "must be the name of an object"},
		{"--service-account", namespace, r.account, "must be namespace/name"},
		{"--service-account", account, r.account, "must be namespace/name"},
	} {
		if part.value == "" || len(content.IsPathSegmentName(part.value)) > 0 || strings.ContainsFunc(part.value, unprintable) {
			problems = append(problems, problem.Invalid("name", part.text, part.allowed).In(part.flag))
		}
	}
	o.OwnNamespace = namespace
	settings, err := o.Complete()
	problems = append(problems, problem.Of(err)...)
	if err == nil && r.namespaced && len(settings.Namespaces) == 0 {
		problems = append(problems, problem.New("no namespaces", "must be set by --namespaces").In("--namespaced"))
	}
	if err := slices.Compact(problems).Err(); err != nil {
		return err
	}
	needs, err := needsOf(settings, r.namespaced)
	if err != nil {
		return err
	}
	if r.namespaced {
		noteOmitted(messages, settings, needs)
	}
	_, err = out.Write(rbac.YAML(r.name, needs, &rbac.Subject{Name: account, Namespace: namespace}))
	return err
}

func unprintable(r rune) bool { return r <= ' ' || strings.ContainsRune(`"'#{}[]&*!|>%@`, r) }

// noteOmitted names the permissions that the needs lack, as they are of the cluster.
func noteOmitted(messages io.Writer, s conf.Settings, needs []rbac.Need) {
	all, err := needsOf(s, false)
	if err != nil || len(all) == len(needs) {
		return
	}
	var omitted []string
	for _, n := range all {
		if n.Namespace == "" {
			omitted = append(omitted, n.Resources...)
		}
	}
	_, _ = fmt.Fprintf(messages, "note: omitted, as only a ClusterRole can grant them: %s\n", strings.Join(omitted, ", "))
}

// needsOf returns the permissions that settings need: those of all watches, and of what
// else asks the API server.
func needsOf(s conf.Settings, namespacedOnly bool) ([]rbac.Need, error) {
	o := s.Options
	c := rbac.Config{
		Namespaces: s.Namespaces, NamespacedOnly: namespacedOnly,
		OwnNamespace: cmp.Or(o.Shards.PodNamespace, o.OwnNamespace),
		AutoSharding: o.Shards.Automatic(), AuthFilter: o.AuthFilter,
		CustomResources: s.CustomResources != nil,
	}
	s.Exporter.Logger = quiet()
	exporter, err := kubestate.New(s.Exporter)
	if err != nil {
		return nil, err
	}
	if s.CustomResources != nil {
		tables, err := s.CustomResources.TablesByName()
		if err != nil {
			return nil, err
		}
		for _, t := range tables {
			c.Resources = append(c.Resources, t.Resource)
		}
	}
	consumers := exporterConsumers(exporter)
	if s.Push != nil {
		s.Push.Agent.Logger = quiet()
		a, err := agent.New(s.Push.Agent)
		if err != nil {
			return nil, problem.In("agent", err)
		}
		consumers = append(consumers, agentConsumers(a)...)
		c.ClusterID = s.Push.Agent.Scheme.ClusterIDTag != "" && s.Push.Agent.ClusterID == ""
	}
	if e := election(s); e.Enabled {
		c.Lease, c.LeaseNamespace = e.Name, e.Namespace
	}
	for _, e := range planOf(s, shardOf(&s.Options.Shards), consumers...).Entries {
		c.Resources = append(c.Resources, e.Consumers[0].Table.Resource)
	}
	return c.Needs(), nil
}
