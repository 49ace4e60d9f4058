package reference

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// Explain writes what the reference says about a family or a resource. It is
// false where there is neither of that name.
func Explain(w io.Writer, tables []*kind.Table, name string) (bool, error) {
	for _, t := range tables {
		s := t.Schema()
		if t.Name == name {
			return true, explainResource(w, t)
		}
		for i := range s.Families {
			if s.Families[i].Name == name {
				return true, explainFamily(w, t, &s.Families[i])
			}
		}
	}
	return false, nil
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
	fmt.Fprintf(p, "RESOURCE:\t%s\nKIND:\t%s %s\nDEFAULT:\t%s\nPERMISSIONS:\tlist, watch\n\nFAMILIES:\n",
		t.Name, t.GroupVersionKind().GroupVersion(), t.Kind, yesNo(!t.NotDefault))
	s := t.Schema()
	for i := range s.Families {
		fmt.Fprintf(p, "  %s\t%s\n", s.Families[i].Name, s.Families[i].Help)
	}
	return p.Flush()
}

// Names returns the names that Explain knows: resources and families.
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
