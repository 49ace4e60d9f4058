package reference

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/kubestate/kubestate/agent/naming"
)

// about says of which type and unit a metric is.
func about(t naming.Type, unit string) string {
	if text := strings.TrimSpace(string(t) + " " + unit); text != "" {
		return " (" + text + ")"
	}
	return ""
}

// result says what a rule makes of a sample.
func result(n *naming.Scheme, r *naming.Rule) string {
	var parts []string
	if r.Check == nil || r.Metric != "" {
		parts = append(parts, n.Prefix+cmp.Or(r.Metric, r.Family)+about(r.Type, r.Unit))
	}
	if r.Check != nil {
		parts = append(parts, "service check "+n.Prefix+r.Check.Name)
	}
	return strings.Join(parts, ", ")
}

// total says what an aggregate makes of its groups.
func total(n *naming.Scheme, a *naming.Aggregate) string {
	if a.Check != nil {
		return "service check " + n.Prefix + a.Check.Name
	}
	return n.Prefix + a.Metric + about(a.Type, a.Unit)
}

// ruleNotes says what is special about a rule.
func ruleNotes(r *naming.Rule) []string {
	var notes []string
	note := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	switch r.Value {
	case naming.One:
		note("value 1")
	case naming.Age:
		note("value: seconds since the time in the sample")
	case naming.AsIs:
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
		note("counts from the time in %s", r.Start)
	}
	if r.Check != nil {
		notes = append(notes, checkNotes(r.Check)...)
	}
	notes = append(notes, lastNotes(r.Adjust, r.Help)...)
	return notes
}

func aggregateNotes(a *naming.Aggregate) []string {
	notes := []string{"over all"}
	if len(a.By) > 0 {
		notes[0] = "by " + strings.Join(a.By, ", ")
	}
	if a.Joined {
		notes = append(notes, "which may come from joins within the object")
	}
	notes = append(notes, filterNotes(&a.Filter)...)
	if a.Check != nil {
		notes = append(notes, checkNotes(a.Check)...)
	}
	if a.Cluster {
		notes = append(notes, "correct only if all Pods are read")
	}
	return append(notes, lastNotes(a.Adjust, a.Help)...)
}

// lastNotes are the notes at the end.
func lastNotes(adjust func(*naming.Point) bool, help string) []string {
	var notes []string
	if adjust != nil {
		notes = append(notes, "further adjusted in code")
	}
	if help != "" {
		notes = append(notes, strconv.Quote(help))
	}
	return notes
}

func filterNotes(f *naming.Filter) []string {
	var notes []string
	if f.Equal != nil {
		notes = append(notes, "only samples with the value "+strconv.FormatFloat(*f.Equal, 'g', -1, 64))
	}
	for _, label := range slices.Sorted(maps.Keys(f.Where)) {
		values := make([]string, len(f.Where[label]))
		for i, v := range f.Where[label] {
			values[i] = cmp.Or(v, `""`)
		}
		notes = append(notes, "only if "+label+" is "+strings.Join(values, ", "))
	}
	for _, label := range slices.Sorted(maps.Keys(f.Choose)) {
		notes = append(notes, fmt.Sprintf("{%s}: %s", label, mapped(f.Choose[label])))
	}
	if f.Unless != "" {
		notes = append(notes, "unless the object has "+f.Unless)
	}
	return notes
}

func checkNotes(c *naming.Check) []string {
	var notes []string
	if c.Due {
		notes = append(notes, "ok until the time in the sample, then critical")
	}
	status := string(cmp.Or(c.Status, naming.OK))
	switch {
	case c.By != "":
		statuses := map[string]string{}
		for value, s := range c.Statuses {
			statuses[value] = string(s)
		}
		notes = append(notes, fmt.Sprintf("status by %s: %s, else %s", c.By, mapped(statuses), status))
	case !c.Due || c.Status != "":
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
