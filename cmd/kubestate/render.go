package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/internal/conf"
	"github.com/kubestate/kubestate/internal/manifest"
	"github.com/kubestate/kubestate/kind"
)

func renderCommand(args []string) *cobra.Command {
	o := conf.New()
	format := exposition.Text
	c := &cobra.Command{
		Use:   "render [flags] FILE...",
		Short: "Write the metrics of objects in files",
		Long: `render writes to standard output what /metrics would show of the objects in files.

A FILE holds objects as kubectl prints them: YAML or JSON, several documents,
JSON lines, or lists. The FILE - is standard input. Where an object occurs twice,
the last counts. Objects of kinds that are not known are counted on standard
error; documents that are malformed are reported with file and line, the rest is
rendered, and the exit code is 1.`,
		Example: `  kubectl get pods,nodes -A -o json | kubestate render -
  kubestate render --metric-labels-allowlist 'deployments=[*]' deployments.yaml
  kubestate render --format openmetrics dump/*.yaml`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("no FILE given: name at least one, or - for standard input")
			}
			return nil
		},
		RunE: func(c *cobra.Command, files []string) error {
			return render(o, files, format, c.InOrStdin(), c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	takeOptions(c, args, o, completes(o), conf.Scope, conf.Selection, conf.Joining)
	c.Flags().Var(&formatFlag{&format}, "format", "`format` of the output: text or openmetrics")
	return c
}

// render writes the metrics of the objects in files to out and what is odd about
// them to messages.
func render(o *conf.Options, files []string, format exposition.Format, in io.Reader, out, messages io.Writer) error {
	settings, err := o.Complete()
	if err != nil {
		return err
	}
	for _, w := range settings.Warnings {
		_, _ = fmt.Fprintln(messages, "Warning:", w)
	}
	exporter, err := kubestate.New(settings.Exporter)
	if err != nil {
		return err
	}
	feeds := map[string]*kubestate.Feed{}
	for _, t := range exporter.Tables() {
		f, err := exporter.NewFeed(t.Name)
		if err != nil {
			return err
		}
		f.Begin()
		feeds[t.Name] = f
	}
	reader := manifest.NewReader(kind.All())
	put := func(t *kind.Table, object kind.Object) {
		if f := feeds[t.Name]; f != nil && (!t.Namespaced || settings.Reads(object.GetNamespace())) {
			f.Put(object)
		}
	}
	malformed := readFiles(reader, files, in, put)
	for _, f := range feeds {
		f.Commit()
	}
	b := bufio.NewWriter(out)
	err = exporter.Write(b, format, kubestate.Selection{})
	err = errors.Join(err, b.Flush())
	reportUnknown(reader.Unknown, messages)
	return errors.Join(malformed, err)
}

func readFiles(r *manifest.Reader, files []string, in io.Reader, put func(*kind.Table, kind.Object)) error {
	var errs []error
	for _, name := range files {
		data, err := readFile(name, in)
		if err == nil {
			err = r.Read(name, data, put)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func readFile(name string, in io.Reader) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(in)
	}
	return os.ReadFile(name)
}

// reportUnknown says in one line which objects were left out.
func reportUnknown(counts map[schema.GroupVersionKind]int, w io.Writer) {
	if len(counts) == 0 {
		return
	}
	total := 0
	var parts []string
	kinds := slices.SortedFunc(maps.Keys(counts), func(a, b schema.GroupVersionKind) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Group, b.Group), cmp.Compare(a.Version, b.Version))
	})
	for _, k := range kinds {
		total += counts[k]
		parts = append(parts, fmt.Sprintf("%s %s (%d)", k.GroupVersion(), k.Kind, counts[k]))
	}
	_, _ = fmt.Fprintf(w, "%d objects of unknown kinds left out: %s\n", total, strings.Join(parts, ", "))
}

// formatFlag is a flag that names a format of the exposition.
type formatFlag struct{ format *exposition.Format }

func (f *formatFlag) Type() string { return "format" }

func (f *formatFlag) String() string {
	if *f.format == exposition.OpenMetrics {
		return "openmetrics"
	}
	return "text"
}

func (f *formatFlag) Set(s string) error {
	switch s {
	case "text":
		*f.format = exposition.Text
	case "openmetrics":
		*f.format = exposition.OpenMetrics
	default:
		return errors.New("allowed are text and openmetrics")
	}
	return nil
}
