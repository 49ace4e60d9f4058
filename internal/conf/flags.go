package conf

import (
	"slices"
	"strings"

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

// FlagDoc is what documents say of a flag.
type FlagDoc struct {
	Name, Type, Default string
	Key                 string // in the configuration file; empty: none
	OldKey              string // deprecated; empty: none
	Set                 bool   // the value of the key may be a mapping or a list
	Help                string // without a full stop
	Group               Group
}

// FlagDocs returns those of all flags, by group.
func FlagDocs() []FlagDoc {
	var docs []FlagDoc
	for _, group := range Groups() {
		for _, row := range New().table() {
			if row.group != group {
				continue
			}
			d := FlagDoc{
				Name: row.name, Type: row.value.Type(), Default: row.def, OldKey: row.oldKey, Help: strings.ReplaceAll(row.help, "`", ""), Group: group,
			}
			if isOwnKey(row.key) {
				d.Key = row.key
			}
			_, d.Set = row.value.schema()["anyOf"]
			docs = append(docs, d)
		}
	}
	return docs
}
