package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/kubestate/kubestate/internal/compare"
)

const progressInterval = 100 * time.Millisecond

type compareOptions struct {
	access  [2]compare.Access
	verbose bool
	json    bool
}

func compareCommand() *cobra.Command {
	o := compareOptions{}
	c := &cobra.Command{
		Use:   "compare [flags] A B",
		Short: "Compare the metrics of two exporters",
		Long: `compare reads two expositions and reports, for each metric, how many series are
equal, missing in B, extra in B or of a different value.

A and B are URLs of /metrics or files. Of a cluster that changes, a difference
counts only if it is still there when both are read again. Documented
differences between kube-state-metrics (A) and kubestate (B) are named and do
not count.

The exit code is 0 if nothing differs, 1 if something does, and 2 if A or B
could not be read.`,
		Example: `  kubestate compare http://localhost:8080/metrics http://localhost:9080/metrics
  kubestate compare -v before.txt after.txt
  kubestate compare --b-token-file token --b-ca-file ca.pem \
    http://localhost:8080/metrics https://kubestate.monitoring:8443/metrics`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return fmt.Errorf("compare takes two URLs or files, got %d", len(args))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			return o.run(c.Context(), args, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	for i, side := range []string{"a", "b"} {
		access, upper := &o.access[i], strings.ToUpper(side)
		c.Flags().StringVar(&access.TokenFile, side+"-token-file", "", "`file` with the bearer token for "+upper)
		c.Flags().StringVar(&access.CAFile, side+"-ca-file", "", "`file` with the PEM certificates to trust for "+upper)
		c.Flags().BoolVar(&access.Insecure, side+"-insecure", false, "do not verify the certificate of "+upper)
	}
	c.Flags().BoolVarP(&o.verbose, "verbose", "v", false, "print every series that differs")
	c.Flags().BoolVar(&o.json, "json", false, "print JSON: a line for each series that differs with -v, then the report")
	return c
}

func (o *compareOptions) run(ctx context.Context, locations []string, out, messages io.Writer) error {
	var sources [2]compare.Source
	var errs []error
	static := true
	for i, location := range locations {
		source, fixed, err := compare.Open(location, o.access[i])
		sources[i], static = source, static && fixed
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return &exitError{code: 2, err: err}
	}
	shown, done := progress(messages, "samples read")
	c := compare.Config{A: sources[0], B: sources[1], Static: static, Progress: shown}
	if o.verbose {
		c.Details = func(d compare.Difference) { o.print(out, &d) }
	}
	report, err := compare.Run(ctx, c)
	done()
	if err != nil {
		return &exitError{code: 2, err: err}
	}
	if o.json {
		if err := json.NewEncoder(out).Encode(report); err != nil {
			return err
		}
	} else if err := writeReport(out, report); err != nil {
		return err
	}
	if !report.Same() {
		return &exitError{code: 1} // the report says why
	}
	return nil
}

func (o *compareOptions) print(out io.Writer, d *compare.Difference) {
	if o.json {
		// Values are texts, as in Prometheus's API: JSON has no NaN.
		_ = json.NewEncoder(out).Encode(map[string]string{
			"kind": d.Kind.String(), "family": d.Family, "labels": d.Labels, "repair": d.Repair,
			"a": fmt.Sprint(d.A), "b": fmt.Sprint(d.B),
		})
		return
	}
	text := d.Family + "{" + d.Labels + "}"
	switch d.Kind {
	case compare.Different:
		text += fmt.Sprintf(" %v → %v", d.A, d.B)
	case compare.Extra:
		text += fmt.Sprintf(" %v", d.B)
	default:
		text += fmt.Sprintf(" %v", d.A)
	}
	if d.Repair != "" {
		text += " (" + d.Repair + ")"
	}
	_, _ = fmt.Fprintf(out, "%-9s %s\n", d.Kind, text)
}

// writeReport writes a table of the families that differ, the total, and what the
// documented differences are about.
func writeReport(out io.Writer, r *compare.Report) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(w, "equal\tmissing\textra\tdifferent\trepeated\trepaired\t  metric")
	row := func(f *compare.Family) {
		repaired := 0
		for _, n := range f.Repaired {
			repaired += n
		}
		_, _ = fmt.Fprintf(w, "%d\t%d\t%d\t%d\t%d\t%d\t  %s\n", f.Equal, f.Missing, f.Extra, f.Different, f.Repeated, repaired, f.Name)
	}
	for i := range r.Families {
		if f := &r.Families[i]; !f.Same() || len(f.Repaired) > 0 {
			row(f)
		}
	}
	total := r.Total()
	row(&total)
	if err := w.Flush(); err != nil {
		return err
	}
	for _, f := range r.Families {
		if f.TypeA != f.TypeB {
			_, _ = fmt.Fprintf(out, "%s is a %s in A and a %s in B\n", f.Name, f.TypeA, f.TypeB)
		}
	}
	descriptions := map[string]string{}
	for _, repair := range compare.Repairs() {
		descriptions[repair.Name] = repair.Description
	}
	for _, name := range slices.Sorted(maps.Keys(total.Repaired)) {
		_, _ = fmt.Fprintf(out, "repaired, %s (%d): %s\n", name, total.Repaired[name], descriptions[name])
	}
	if r.Unsettled > 0 {
		_, _ = fmt.Fprintf(out, "not compared, because they changed at each read: %d\n", r.Unsettled)
	}
	return nil
}

// progress returns what shows a count that grows on a terminal, and what takes it away
// again. Elsewhere the first is nil.
func progress(w io.Writer, what string) (shown func(n int), done func()) {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return nil, func() {}
	}
	bar := progressbar.NewOptions(-1, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(progressInterval))
	return func(n int) { _ = bar.Set(n) }, func() { _ = bar.Finish() }
}
