package reference

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// Explain writes what the reference says about a metric or a resource, which is named
// as kubectl explain takes it. The error for an unknown name suggests a similar one.
func Explain(w io.Writer, tables []*kind.Table, name string) error {
	if t, d := findFamily(tables, name); d != nil {
		return explainFamily(w, t, d)
	}
	i, err := findResource(tables, name)
	if err != nil {
		return err
	}
	if i < 0 {
		return notFound(tables, name)
	}
	return explainResource(w, tables[i])
}

// List writes a table of all resources.
func List(w io.Writer, tables []*kind.Table) error {
	p := tabwriter.NewWriter(w, 0, 8, 3, ' ', 0)
	fmt.Fprintf(p, "NAME\tSHORTNAMES\tAPIVERSION\tMETRICS\n")
	for _, t := range tables {
		fmt.Fprintf(p, "%s\t%s\t%s\t%d\n", t.Name, strings.Join(shortNames(t.Name), ","),
			t.GroupVersionKind().GroupVersion(), len(t.Schema().Families))
	}
	return p.Flush()
}

func explainFamily(w io.Writer, t *kind.Table, d *metric.Desc) error {
	p := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintf(p, "NAME:\t%s\nRESOURCE:\t%s\nTYPE:\t%s\nSTABILITY:\t%s\n", d.Name, t.Name, d.Type, d.Stability)
	fmt.Fprintf(p, "MEANING:\t%s\n", d.Help)
	for _, n := range notes(d) {
		fmt.Fprintf(p, "NOTE:\t%s\n", n)
	}
	fmt.Fprintf(p, "\nLABELS:\n")
	for _, l := range append(t.Schema().Identity[:len(t.Schema().Identity):len(t.Schema().Identity)], furtherLabels(d)...) {
		fmt.Fprintf(p, "  %s\t%s\n", l.Name, l.Doc)
	}
	return p.Flush()
}

func explainResource(w io.Writer, t *kind.Table) error {
	p := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintf(p, "RESOURCE:\t%s\nKIND:\t%s %s\nDEFAULT:\t%s\nPERMISSIONS:\tlist, watch\n\nMETRICS:\n",
		t.Name, t.GroupVersionKind().GroupVersion(), t.Kind, yesNo(!t.NotDefault))
	s := t.Schema()
	for i := range s.Families {
		fmt.Fprintf(p, "  %s\t%s\n", s.Families[i].Name, s.Families[i].Help)
	}
	return p.Flush()
}

// Names returns the names of all resources and metrics.
func Names(tables []*kind.Table) []string {
	var names []string
	for _, t := range tables {
		names = append(names, t.Name)
		for i := range t.Schema().Families {
			names = append(names, t.Schema().Families[i].Name)
		}
	}
	return names
}
