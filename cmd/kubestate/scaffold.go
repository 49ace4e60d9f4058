package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/kubestate/kubestate/internal/conf"
	"github.com/kubestate/kubestate/internal/manifest"
	"github.com/kubestate/kubestate/internal/scaffold"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/kubewatch"
)

func scaffoldCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "scaffold",
		Short: "Write the beginning of a configuration",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Usage() },
	}
	c.AddCommand(scaffoldCRDCommand())
	return c
}

func scaffoldCRDCommand() *cobra.Command {
	o := conf.New()
	c := &cobra.Command{
		Use:   "crd NAME|FILE",
		Short: "Write metrics of a custom resource from its schema",
		Long: `scaffold crd writes a custom-resource-state configuration for a
CustomResourceDefinition, to be edited: status conditions, replicas, phases,
timestamps and switches such as spec.suspend, as its schema has them.

A FILE contains CustomResourceDefinitions in YAML or JSON; - is standard input.
A NAME is that of a definition in the cluster, such as
certificates.cert-manager.io.`,
		Example: `  kubestate scaffold crd certificates.cert-manager.io
  kubestate scaffold crd crd.yaml
  kubectl get crd certificates.cert-manager.io -o json | kubestate scaffold crd -`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			definitions, err := readDefinitions(c, o, args[0])
			if err != nil {
				return err
			}
			for i, d := range definitions {
				text, err := scaffold.Config(d)
				if err != nil {
					return err
				}
				if i > 0 {
					_, _ = io.WriteString(c.OutOrStdout(), "---\n")
				}
				if _, err := c.OutOrStdout().Write(text); err != nil {
					return err
				}
			}
			return nil
		},
	}
	takeOptions(c, o, conf.Cluster)
	return c
}

// readDefinitions returns the definitions of a file, or the one with a name in the
// cluster.
func readDefinitions(c *cobra.Command, o *conf.Options, name string) ([]*apiextensionsv1.CustomResourceDefinition, error) {
	_, err := os.Stat(name)
	if err != nil && name != "-" && !slices.Contains(extensions[:], filepath.Ext(name)) {
		d, err := getDefinition(c.Context(), o, name)
		return []*apiextensionsv1.CustomResourceDefinition{d}, err
	}
	var definitions []*apiextensionsv1.CustomResourceDefinition
	in := input{names: []string{name}, max: maxFile, stdin: c.InOrStdin(), messages: io.Discard}
	err = in.read(manifest.NewReader([]*kind.Table{kind.CustomResourceDefinitions}), func(_ *kind.Table, o kind.Object) {
		if d, ok := o.(*apiextensionsv1.CustomResourceDefinition); ok {
			definitions = append(definitions, d)
		}
	})
	if err == nil && len(definitions) == 0 {
		err = fmt.Errorf("%s: no CustomResourceDefinition of apiextensions.k8s.io/v1", display(name))
	}
	return definitions, err
}

func getDefinition(ctx context.Context, o *conf.Options, name string) (*apiextensionsv1.CustomResourceDefinition, error) {
	if _, err := o.Complete(); err != nil {
		return nil, err
	}
	client, err := kubewatch.Connect(clientConfig(o))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("no file %s", name), err)
	}
	text, err := client.Send(ctx, http.MethodGet, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"+name, nil)
	if err != nil {
		return nil, fmt.Errorf("get CustomResourceDefinition %s: %w", name, err)
	}
	return scaffold.Parse(text)
}
