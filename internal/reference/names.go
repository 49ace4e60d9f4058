package reference

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/kubestate/kubestate/agent"
	"github.com/kubestate/kubestate/kind"
)

// ExplainNames writes what a naming table makes of all families.
func ExplainNames(w io.Writer, tables []*kind.Table, n *agent.Names) error {
	p := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintf(p, "NAMES:\t%s\nMEANING:\t%s\n", n.Name, n.Doc)
	if n.Prefix != "" {
		fmt.Fprintf(p, "PREFIX:\t%s\n", n.Prefix)
	}
	for _, r := range n.Resources {
		fmt.Fprintf(p, "READS:\t%s, which is not read by default\n", r)
	}
	for _, t := range tables {
		if rules := rulesOf(n, t); len(rules) > 0 {
			fmt.Fprintf(p, "\n%s:\n", strings.ToUpper(t.Name))
			for _, r := range rules {
				row(p, r.Family, result(n, r), strings.Join(ruleNotes(r), "; "))
			}
		}
	}
	if unread := rulesWithout(n, tables); len(unread) > 0 {
		fmt.Fprint(p, "\nFAMILIES OF THE TABLE ITSELF:\n")
		for _, r := range unread {
			row(p, r.Family, result(n, r), strings.Join(ruleNotes(r), "; "))
		}
	}
	if n.Rest != nil {
		behind := ""
		if n.Prefix != "" {
			behind = ", behind the prefix"
		}
		fmt.Fprintf(p, "\nOTHERS:\tpassed on under their own names%s\n", behind)
	}
	if len(n.Aggregates) > 0 {
		fmt.Fprint(p, "\nTOTALS:\n")
		for i := range n.Aggregates {
			explainAggregate(p, n, &n.Aggregates[i])
		}
	}
	if len(n.Joins) > 0 {
		fmt.Fprint(p, "\nJOINS:\n")
		for _, family := range slices.Sorted(maps.Keys(n.Joins)) {
			explainJoin(p, family, n.Joins[family])
		}
	}
	explainTags(p, n)
	return p.Flush()
}

// row writes a row of a table, whose last cells may be empty.
func row(w io.Writer, cells ...string) {
	fmt.Fprintf(w, "  %s\n", strings.TrimRight(strings.Join(cells, "\t"), "\t"))
}

func explainTags(w io.Writer, n *agent.Names) {
	if len(n.Labels) > 0 {
		fmt.Fprint(w, "\nTAGS OF LABELS:\n")
		for _, label := range slices.Sorted(maps.Keys(n.Labels)) {
			fmt.Fprintf(w, "  %s\t%s\n", label, n.Labels[label])
		}
		for _, o := range n.Overrides {
			for _, tag := range slices.Sorted(maps.Keys(o.Tags)) {
				fmt.Fprintf(w, "  %s\t%s\tof families that begin with %s\n", tag, o.Tags[tag], o.Prefix)
			}
		}
	}
	if n.Owners != nil {
		fmt.Fprint(w, "\nTAGS OF OWNERS:\n")
		for _, k := range slices.Sorted(maps.Keys(n.Owners.Tags)) {
			fmt.Fprintf(w, "  %s\t%s\n", k, n.Owners.Tags[k])
		}
	}
	if len(n.HostTags) > 0 {
		fmt.Fprintf(w, "\nHOST:\tthe tag %s\n", strings.Join(n.HostTags, " or "))
	}
	for _, e := range n.Entities {
		fmt.Fprintf(w, "ENTITY OF %s:\t%s\n", e.Resource, strings.Join(slices.DeleteFunc(append(slices.Clone(e.Tags), e.UID), isEmpty), ", "))
	}
}

func isEmpty(s string) bool { return s == "" }

// ExplainNamed writes what a naming table makes of a family, of the families of a
// resource, or of what it makes a metric. It is false where there is nothing of
// that name.
func ExplainNamed(w io.Writer, tables []*kind.Table, n *agent.Names, name string) (bool, error) {
	p := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, t := range tables {
		if t.Name == name {
			fmt.Fprintf(p, "RESOURCE:\t%s\nNAMES:\t%s\n", name, n.Name)
			for i := range t.Schema().Families {
				explainNamedFamily(p, n, t.Schema().Families[i].Name, t.Schema().Families[i].OptIn)
			}
			return true, p.Flush()
		}
	}
	if optIn, known := familyOf(tables, n, name); known {
		fmt.Fprintf(p, "NAMES:\t%s\n", n.Name)
		explainNamedFamily(p, n, name, optIn)
		return true, p.Flush()
	}
	families := MadeInto(n, name)
	if len(families) == 0 {
		return false, nil
	}
	fmt.Fprintf(p, "METRIC:\t%s\nNAMES:\t%s\n", name, n.Name)
	for _, family := range families {
		optIn, _ := familyOf(tables, n, family)
		explainNamedFamily(p, n, family, optIn)
	}
	return true, p.Flush()
}

// familyOf tells whether a family is known, to the catalog or to the naming table.
func familyOf(tables []*kind.Table, n *agent.Names, name string) (optIn, known bool) {
	for _, t := range tables {
		for i := range t.Schema().Families {
			if d := &t.Schema().Families[i]; d.Name == name {
				return d.OptIn, true
			}
		}
	}
	return false, slices.ContainsFunc(n.Rules, func(r agent.Rule) bool { return r.Family == name })
}

// MadeInto returns the families that a naming table makes a metric or a service
// check of, ascending.
func MadeInto(n *agent.Names, metric string) []string {
	var families []string
	for i := range n.Rules {
		r := &n.Rules[i]
		named := r.Check == nil || r.Metric != ""
		if named && makes(n.Prefix, cmp.Or(r.Metric, r.Family), &r.Filter, metric) || r.Check != nil && makes(n.Prefix, r.Check.Name, &r.Filter, metric) {
			families = append(families, r.Family)
		}
	}
	for i := range n.Aggregates {
		a := &n.Aggregates[i]
		name := a.Metric
		if a.Check != nil {
			name = a.Check.Name
		}
		if makes(n.Prefix, name, &a.Filter, metric) {
			families = append(families, a.Family)
		}
	}
	slices.Sort(families)
	return slices.Compact(families)
}

var variable = regexp.MustCompile(`\{[^}]*\}`)

// makes tells whether a name, in which {label} stands for the value of a label or
// for what is chosen for it, can become that of a metric.
func makes(prefix, name string, f *agent.Filter, metric string) bool {
	if !strings.Contains(name, "{") {
		return prefix+name == metric
	}
	pattern, last := regexp.QuoteMeta(prefix), 0
	for _, at := range variable.FindAllStringIndex(name, -1) {
		values := ".+"
		if chosen := f.Choose[name[at[0]+1:at[1]-1]]; chosen != nil {
			var quoted []string
			for _, v := range chosen {
				quoted = append(quoted, regexp.QuoteMeta(v))
			}
			values = strings.Join(quoted, "|")
		}
		pattern += regexp.QuoteMeta(name[last:at[0]]) + "(?:" + values + ")"
		last = at[1]
	}
	matched, err := regexp.MatchString("^"+pattern+regexp.QuoteMeta(name[last:])+"$", metric)
	return err == nil && matched
}

func explainNamedFamily(w io.Writer, n *agent.Names, name string, optIn bool) {
	fmt.Fprintf(w, "\nFAMILY:\t%s\n", name)
	found := false
	for i := range n.Rules {
		r := &n.Rules[i]
		if r.Family != name {
			continue
		}
		found = true
		fmt.Fprintf(w, "  becomes\t%s\n", result(n, r))
		for _, note := range ruleNotes(r) {
			fmt.Fprintf(w, "  \t%s\n", note)
		}
	}
	switch {
	case !found && n.Rest != nil && !optIn:
		found = true
		fmt.Fprintf(w, "  becomes\t%s, as it is\n", n.Prefix+name)
	case !found && n.Rest != nil:
		found = true
		fmt.Fprintf(w, "  becomes\t%s, as it is, if --metric-opt-in-list names it\n", n.Prefix+name)
	}
	for i := range n.Aggregates {
		if a := &n.Aggregates[i]; a.Family == name {
			found = true
			explainAggregate(w, n, a)
		}
	}
	if j, ok := n.Joins[name]; ok {
		found = true
		explainJoin(w, "gives", j)
	}
	if !found {
		fmt.Fprint(w, "  becomes\tnothing\n")
	}
}

// rulesOf returns the rules for families of a resource.
func rulesOf(n *agent.Names, t *kind.Table) []*agent.Rule {
	var rules []*agent.Rule
	for i := range t.Schema().Families {
		for j := range n.Rules {
			if n.Rules[j].Family == t.Schema().Families[i].Name {
				rules = append(rules, &n.Rules[j])
			}
		}
	}
	return rules
}

// rulesWithout returns the rules for families that none of the tables has.
func rulesWithout(n *agent.Names, tables []*kind.Table) []*agent.Rule {
	var rules []*agent.Rule
	for i := range n.Rules {
		if _, known := familyOf(tables, &agent.Names{}, n.Rules[i].Family); !known {
			rules = append(rules, &n.Rules[i])
		}
	}
	return rules
}

// result says what a rule makes of a sample.
func result(n *agent.Names, r *agent.Rule) string {
	var parts []string
	if r.Check == nil || r.Metric != "" {
		text := n.Prefix + cmp.Or(r.Metric, r.Family)
		if about := strings.TrimSpace(string(r.Type) + " " + r.Unit); about != "" {
			text += " (" + about + ")"
		}
		parts = append(parts, text)
	}
	if r.Check != nil {
		parts = append(parts, "service check "+n.Prefix+r.Check.Name)
	}
	return strings.Join(parts, ", ")
}

// ruleNotes says what is special about a rule.
func ruleNotes(r *agent.Rule) []string {
	var notes []string
	note := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	switch r.Value {
	case agent.One:
		note("value 1")
	case agent.Age:
		note("value: seconds since the time that the sample says")
	case agent.AsIs:
	}
	notes = append(notes, filterNotes(&r.Filter)...)
	if len(r.Drop) > 0 {
		note("without the tags of %s", strings.Join(r.Drop, ", "))
	}
	for _, label := range slices.Sorted(maps.Keys(r.Rename)) {
		note("%s as %s", label, r.Rename[label])
	}
	for _, label := range slices.Sorted(maps.Keys(r.Values)) {
		note("%s: %s", label, mapped(r.Values[label]))
	}
	for _, key := range slices.Sorted(maps.Keys(r.Set)) {
		note("with the tag %s:%s", key, r.Set[key])
	}
	for _, label := range slices.Sorted(maps.Keys(r.Capture)) {
		note("with the tag %s, of %s", r.Capture[label], label)
	}
	if s := r.States; s != nil {
		note("0 or 1 for each of the values of %s: %s; from %s", s.Label, strings.Join(s.Values, ", "), strings.Join(s.From, ", "))
	}
	if r.Start != "" {
		note("counts from %s on", r.Start)
	}
	if r.Check != nil {
		notes = append(notes, checkNotes(r.Check)...)
	}
	if r.Adjust != nil {
		note("and what code adjusts")
	}
	return notes
}

func filterNotes(f *agent.Filter) []string {
	var notes []string
	if f.Equal != nil {
		notes = append(notes, "only samples of value "+strconv.FormatFloat(*f.Equal, 'g', -1, 64))
	}
	for _, label := range slices.Sorted(maps.Keys(f.Where)) {
		values := make([]string, len(f.Where[label]))
		for i, v := range f.Where[label] {
			values[i] = cmp.Or(v, `""`)
		}
		notes = append(notes, "only where "+label+" is "+strings.Join(values, ", "))
	}
	for _, label := range slices.Sorted(maps.Keys(f.Choose)) {
		notes = append(notes, fmt.Sprintf("{%s}: %s", label, mapped(f.Choose[label])))
	}
	if f.Unless != "" {
		notes = append(notes, "not where the object has "+f.Unless)
	}
	return notes
}

func checkNotes(c *agent.Check) []string {
	var notes []string
	status := string(cmp.Or(c.Status, agent.OK))
	switch {
	case c.By != "":
		statuses := map[string]string{}
		for value, s := range c.Statuses {
			statuses[value] = string(s)
		}
		notes = append(notes, fmt.Sprintf("status by %s: %s, else %s", c.By, mapped(statuses), status))
	case c.Due:
		notes = append(notes, "ok until the time that the sample says, then critical")
	default:
		notes = append(notes, "status "+status)
	}
	if c.Message != "" {
		notes = append(notes, "message "+strconv.Quote(c.Message))
	}
	return notes
}

// mapped writes pairs as a→b.
func mapped(m map[string]string) string {
	var pairs []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		pairs = append(pairs, cmp.Or(k, `""`)+"→"+m[k])
	}
	return strings.Join(pairs, ", ")
}

func explainAggregate(w io.Writer, n *agent.Names, a *agent.Aggregate) {
	notes := filterNotes(&a.Filter)
	if a.Check != nil {
		notes = append(notes, checkNotes(a.Check)...)
	}
	if a.Cluster {
		notes = append(notes, "right only where all Pods are seen")
	}
	name := n.Prefix + a.Metric
	if a.Check != nil {
		name = "service check " + n.Prefix + a.Check.Name
	}
	by := "over all"
	if len(a.By) > 0 {
		by = "by " + strings.Join(a.By, ", ")
	}
	row(w, string(a.Op)+" of "+a.Family, name, strings.Join(append([]string{by}, notes...), "; "))
}

func explainJoin(w io.Writer, what string, j agent.Join) {
	get := slices.Clone(j.Get)
	if j.All {
		get = append(get, "all labels")
	}
	for _, label := range slices.Sorted(maps.Keys(j.Tags)) {
		if !slices.Contains(get, label) {
			get = append(get, label)
		}
	}
	to := "to series with the same " + strings.Join(j.Match, ", ")
	if len(j.Match) == 0 {
		to = "to all series"
	}
	row(w, what, strings.Join(get, ", "), to)
}
