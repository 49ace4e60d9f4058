package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
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

func renderCommand() *cobra.Command {
	o := conf.New()
	format := exposition.Text
	in := input{max: maxFile}
	c := &cobra.Command{
		Use:   "render [flags] FILE...",
		Short: "Print the metrics of objects in files",
		Long: `render prints what /metrics would show for the objects in files.

A FILE contains objects as kubectl prints them: YAML or JSON, several documents,
JSON lines, or lists. A directory stands for its files .yaml, .yml and .json;
- is standard input. If an object occurs twice, the last one counts.

Objects of unknown kinds are counted on standard error. Malformed documents are
reported with file and line; the rest is rendered, and the exit code is 1.`,
		Example: `  kubectl get pods,nodes -A -o json | kubestate render -
  kubestate render --metric-labels-allowlist 'deployments=[*]' deployments.yaml
  kubestate render --format openmetrics -R manifests/
  kubectl get gateways -A -o json |
    kubestate render --custom-resource-pack gateway-api -`,
		RunE: func(c *cobra.Command, args []string) error {
			in.names = append(in.names, args...)
			if len(in.names) == 0 {
				return usageError{errors.New("no FILE given: name at least one, or - for standard input")}
			}
			in.stdin, in.messages = c.InOrStdin(), c.ErrOrStderr()
			return render(o, in, format, c.OutOrStdout())
		},
	}
	takeOptions(c, o, conf.Scope, conf.Selection, conf.Custom, conf.Joining)
	c.Flags().Var(&formatFlag{&format}, "format", "`format` of the output: text or openmetrics")
	c.Flags().StringArrayVarP(&in.names, "filename", "f", nil, "`file` or directory to read, as for kubectl; can be given more than once")
	c.Flags().BoolVarP(&in.recursive, "recursive", "R", false, "read the directories below a directory, too")
	return c
}

// render writes the metrics of the objects of an input to out.
func render(o *conf.Options, in input, format exposition.Format, out io.Writer) error {
	settings, err := o.Complete()
	if err != nil {
		return err
	}
	for _, w := range settings.Warnings {
		_, _ = fmt.Fprintln(in.messages, "Warning:", w)
	}
	settings.Exporter.Logger = slog.New(slog.NewTextHandler(in.messages, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
	exporter, err := kubestate.New(settings.Exporter)
	if err != nil {
		return err
	}
	feeds := feeds{exporter: exporter, settings: settings, all: map[schema.GroupVersionKind]*kubestate.Feed{}}
	if err := feeds.open(); err != nil {
		return err
	}
	reader := manifest.NewReader(kind.All())
	var invalid error
	if custom := settings.CustomResources; custom != nil {
		invalid = custom.Problems.Err()
		reader.Find = feeds.find
	}
	malformed := in.read(reader, feeds.put)
	malformed = errors.Join(invalid, malformed, feeds.failed)
	for _, f := range feeds.all {
		f.Commit()
	}
	b := bufio.NewWriter(out)
	err = exporter.Write(b, format, kubestate.Selection{})
	err = errors.Join(err, b.Flush())
	reportUnknown(reader.Unknown, in.messages)
	return errors.Join(malformed, err)
}

// withoutTime drops the time of log lines, which say what is wrong with a file.
func withoutTime(groups []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey && len(groups) == 0 {
		return slog.Attr{}
	}
	return a
}

// feeds are those of an Exporter to which kinds are added as they are found.
type feeds struct {
	exporter *kubestate.Exporter
	settings conf.Settings
	all      map[schema.GroupVersionKind]*kubestate.Feed
	failed   error
}

// open makes the feeds of the tables that have none.
func (f *feeds) open() error {
	for _, t := range f.exporter.Tables() {
		if f.all[t.GroupVersionKind()] != nil {
			continue
		}
		feed, err := f.exporter.NewFeed(t.Resource)
		if err != nil {
			return err
		}
		feed.Begin()
		f.all[t.GroupVersionKind()] = feed
	}
	return nil
}

// find returns the table of a custom resource, which it adds to the Exporter; nil: the
// configuration is not about it.
func (f *feeds) find(gvk schema.GroupVersionKind) *kind.Table {
	skipped := func(family string, err error) {
		f.settings.Exporter.Logger.Warn("skipped sample", "resource", gvk.String(), "metric", family, "err", err)
	}
	t, err := f.settings.CustomResources.TableOf(gvk, skipped)
	if t != nil {
		f.settings.Exporter.Kinds = append(f.settings.Exporter.Kinds, t)
		if _, err = f.exporter.Replace(f.settings.Exporter); err == nil {
			err = f.open()
		}
	}
	if err != nil {
		f.failed = errors.Join(f.failed, err)
		return nil
	}
	return t
}

func (f *feeds) put(t *kind.Table, object kind.Object) {
	if feed := f.all[t.GroupVersionKind()]; feed != nil && (!t.Namespaced || object.GetNamespace() == "" || f.settings.Reads(object.GetNamespace())) {
		feed.Put(object)
	}
}

// reportUnknown prints one line about the objects of unknown kinds.
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
	_, _ = fmt.Fprintf(w, "ignored %s of unknown kinds: %s\n", count(total, "object"), strings.Join(parts, ", "))
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
		return errors.New("must be text or openmetrics")
	}
	return nil
}
