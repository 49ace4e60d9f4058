package conf

import (
	"slices"

	"github.com/spf13/pflag"

	"github.com/kubestate/kubestate/internal/problem"
)

// GroupAnnotation is the annotation of a flag that has its Group.
const GroupAnnotation = "kubestate_group"

// AddFlags adds the options of the groups as flags to fs. Parsing sets o. An invalid
// value does not end the parsing: Complete reports it with all other problems.
func (o *Options) AddFlags(fs *pflag.FlagSet, groups ...Group) {
	o.groups = groups
	for _, row := range o.table() {
		if !slices.Contains(groups, row.group) {
			continue
		}
		f := fs.VarPF(flag{row.value, row.name, o}, row.name, row.letter, row.help)
		f.Hidden = row.hidden
		f.Annotations = map[string][]string{GroupAnnotation: {string(row.group)}}
		if f.Value.Type() == boolType {
			f.NoOptDefVal = "true"
		}
	}
}

// Completion is what can be the value of a flag.
type Completion struct {
	Flag   string
	Values []string
	// List reports whether a value has several items with commas between them.
	List bool
}

// Completions returns those of the flags that have some.
func (o *Options) Completions() []Completion {
	var all []Completion
	for _, row := range o.table() {
		if row.values != nil && slices.Contains(o.groups, row.group) {
			all = append(all, Completion{row.name, row.values(), row.value.isList()})
		}
	}
	return all
}

// flag is a value that keeps its problems for later.
type flag struct {
	value

	name string
	o    *Options
}

// Set sets the value; its error is always nil.
func (f flag) Set(s string) error {
	f.o.flags[f.name] = true
	f.o.unread = append(f.o.unread, problem.Of(f.value.Set(s)).From("--"+f.name)...)
	for _, what := range f.doubts(s) {
		f.o.warned = append(f.o.warned, "--"+f.name+": "+what)
	}
	return nil
}
