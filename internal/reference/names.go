package reference

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/kind"
)

// explainer writes what a naming scheme makes of families.
type explainer struct {
	*tabwriter.Writer

	names  *naming.Scheme
	tables []*kind.Table // with the families that the naming scheme adds
}

func newExplainer(w io.Writer, tables []*kind.Table, n *naming.Scheme) *explainer {
	return &explainer{tabwriter.NewWriter(w, 0, 8, 2, ' ', 0), n, extended(tables, n)}
}

// extended returns tables with the families that a naming scheme adds to them.
func extended(tables []*kind.Table, n *naming.Scheme) []*kind.Table {
	if n.Tracker == nil {
		return tables
	}
	tracker := n.Tracker(time.Now)
	all := slices.Clone(tables)
	for i, t := range tables {
		if more, err := tracker.Extend(t); err == nil {
			all[i] = more
		}
	}
	return all
}

// ExplainNames writes what a naming scheme makes of all families: all that it says.
func ExplainNames(w io.Writer, tables []*kind.Table, n *naming.Scheme) error {
	e := newExplainer(w, tables, n)
	e.say("NAMES:\t%s\nMEANING:\t%s\n", n.Name, n.Doc)
	if n.Prefix != "" {
		e.say("PREFIX:\t%s\n", n.Prefix)
	}
	for _, r := range n.Resources {
		e.say("READS:\t%s, which is not read by default\n", r)
	}
	for i, t := range e.tables {
		for _, d := range t.Schema().Families[len(tables[i].Schema().Families):] {
			e.say("FOLLOWS:\t%s, for %s\n", t.Name, d.Name)
		}
	}
	for _, t := range e.tables {
		if rules := e.rulesOf(t); len(rules) > 0 {
			e.say("\n%s:\n", strings.ToUpper(t.Name))
			for _, r := range rules {
				e.row(r.Family, result(n, r), strings.Join(ruleNotes(r), "; "))
			}
		}
	}
	if n.Rest != nil {
		e.say("\nOTHERS:\n")
		rest := *n.Rest
		rest.Family = "FAMILY"
		e.row("all without a rule", result(n, &rest), strings.Join(ruleNotes(&rest), "; "))
	}
	e.section("TOTALS", len(n.Aggregates), func() {
		for i := range n.Aggregates {
			e.aggregate(&n.Aggregates[i])
		}
	})
	e.section("JOINS", len(n.Joins)+len(n.AlwaysGet), func() {
		for _, family := range slices.Sorted(maps.Keys(n.Joins)) {
			e.join(family, n.Joins[family])
		}
		for _, family := range slices.Sorted(maps.Keys(n.AlwaysGet)) {
			e.row(family, strings.Join(n.AlwaysGet[family], ", "), "also where a user's join replaces this one")
		}
	})
	e.tags()
	return e.Flush()
}

func (e *explainer) say(format string, args ...any) { fmt.Fprintf(e, format, args...) }

// row writes a row of a table, whose last cells may be empty.
func (e *explainer) row(cells ...string) {
	e.say("  %s\n", strings.TrimRight(strings.Join(cells, "\t"), "\t"))
}

// section writes a section, unless it is empty.
func (e *explainer) section(title string, rows int, write func()) {
	if rows > 0 {
		e.say("\n%s:\n", title)
		write()
	}
}

// tags writes what labels and all else become tags of.
func (e *explainer) tags() {
	n := e.names
	e.section("TAGS OF LABELS", len(n.Labels)+len(n.Overrides), func() {
		for _, label := range slices.Sorted(maps.Keys(n.Labels)) {
			e.row(label, cmp.Or(n.Labels[label], "none"))
		}
		for _, o := range n.Overrides {
			for _, tag := range slices.Sorted(maps.Keys(o.Tags)) {
				e.row(tag, cmp.Or(o.Tags[tag], "none"), "of families that begin with "+o.Prefix)
			}
		}
	})
	e.section("TAGS OF ANNOTATIONS", len(n.AnnotationsAsTags), func() {
		for _, kindName := range slices.Sorted(maps.Keys(n.AnnotationsAsTags)) {
			e.row(kindName, mapped(n.AnnotationsAsTags[kindName]))
		}
	})
	if o := n.Owners; o != nil {
		e.say("\nTAGS OF OWNERS:\n")
		for _, k := range slices.Sorted(maps.Keys(o.Tags)) {
			e.row(k, cmp.Or(o.Tags[k], "none"))
		}
		if o.RolloutLabel != "" {
			e.row("Argo Rollout", o.RolloutTag, "of what has "+o.RolloutLabel)
		}
	}
	e.section("TAGS OF EVERYTHING", len(n.ClusterNameTag)+len(n.ClusterIDTag), func() {
		name := "name of the cluster"
		if n.LowerClusterName {
			name += ", in lower case"
		}
		for _, t := range [][2]string{{n.ClusterNameTag, name}, {n.ClusterIDTag, "ID of the cluster"}} {
			if t[0] != "" {
				e.row(t[0], t[1])
			}
		}
	})
	if len(n.HostTags) > 0 {
		e.say("\nHOST:\tthe tag %s\n", strings.Join(n.HostTags, " or "))
	}
	for _, x := range n.Entities {
		e.say("ENTITY OF %s:\t%s\n", x.Resource, strings.Join(x.Tags, ", "))
		if x.UID != "" {
			e.say("\t%s, the UID\n", x.UID)
		}
	}
}

func (e *explainer) aggregate(a *naming.Aggregate) {
	e.row(string(a.Op)+" of "+a.Family, total(e.names, a), strings.Join(aggregateNotes(a), "; "))
}

// join writes what a join brings. what is its source.
func (e *explainer) join(what string, j naming.Join) {
	get := []string{}
	for _, label := range j.Get {
		if j.Tags[label] == "" && label != "*" {
			get = append(get, label)
		}
	}
	for _, label := range slices.Sorted(maps.Keys(j.Tags)) {
		get = append(get, label+"→"+j.Tags[label])
	}
	if j.All || slices.Contains(j.Get, "*") {
		all := "all labels"
		if j.Template != "" {
			all += " as " + j.Template
		}
		get = append(get, all)
	}
	e.row(what, strings.Join(get, ", "), receivers(j.Match))
}

// receivers says which series a join reaches.
func receivers(match []string) string {
	if len(match) == 0 {
		return "to all series"
	}
	return "to series with the same " + strings.Join(match, ", ")
}

// rulesOf returns the rules for families of a resource.
func (e *explainer) rulesOf(t *kind.Table) []*naming.Rule {
	var rules []*naming.Rule
	for i := range t.Schema().Families {
		for j := range e.names.Rules {
			if e.names.Rules[j].Family == t.Schema().Families[i].Name {
				rules = append(rules, &e.names.Rules[j])
			}
		}
	}
	return rules
}
