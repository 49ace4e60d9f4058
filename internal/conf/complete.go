package conf

import (
	"io"
	"log/slog"
	"slices"

	"k8s.io/apimachinery/pkg/fields"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/internal/agentconf"
	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// Settings is the result of the options, in the form in which other packages take it.
// Simple values, such as ports, are in Options.
type Settings struct {
	// Exporter says what is served; its Logger is the caller's to set.
	Exporter kubestate.Config
	// Push says what is pushed; nil: nothing.
	Push *agentconf.Settings
	// Namespaces are those to read; nil is all.
	Namespaces []string
	// NotNamespaces are those not to read.
	NotNamespaces []string
	// FieldSelector is for requests of namespaced objects: it excludes those of
	// NotNamespaces.
	FieldSelector string
	// Warnings are about options without effect, or with an unexpected one. The caller
	// logs them.
	Warnings []string
}

// Reads reports whether objects of a namespace are read.
func (s *Settings) Reads(namespace string) bool {
	return (len(s.Namespaces) == 0 || slices.Contains(s.Namespaces, namespace)) && !slices.Contains(s.NotNamespaces, namespace)
}

// Complete reads the configuration file, checks the options and returns the settings.
// Call it once. The error is a problem.List; each problem names the flag, or the file
// with line and key, and what is allowed.
func (o *Options) Complete() (Settings, error) {
	section, problems := o.readFile()
	readable := len(problems) == 0
	problems = append(problems, o.problems()...)
	f, invalid := newFilter(o)
	problems = append(problems, invalid...)
	warnings, slow := f.try(catalog())
	problems = append(problems, slow...)
	push, wrong := o.push(section, readable)
	problems = append(problems, wrong...)
	if err := problems.Err(); err != nil {
		return Settings{}, err
	}
	joins, _ := o.joins() // checked above
	s := Settings{
		Exporter: kubestate.Config{
			Kinds:       o.kinds(),
			Keep:        f.keep,
			Labels:      o.MetricLabelsAllowlist,
			Annotations: o.MetricAnnotationsAllowlist,
			Joins:       joins,

			DisableCompression: !o.EnableGzipEncoding,
		},
		Push:          push,
		Namespaces:    unique(o.Namespaces),
		NotNamespaces: unique(o.NamespacesDenylist),
		Warnings:      slices.Concat(o.warned, warnings),
	}
	o.selectNamespaces(&s)
	if slices.Contains(o.groups, Pushing) {
		o.narrow(&s)
	}
	return s, nil
}

// selectNamespaces warns about namespaces given twice, or both allowed and denied: as in
// kube-state-metrics the latter are not read.
func (o *Options) selectNamespaces(s *Settings) {
	if len(s.Namespaces) < len(o.Namespaces) {
		s.Warnings = append(s.Warnings, "--namespaces: ignoring duplicates")
	}
	for _, n := range s.Namespaces {
		if slices.Contains(s.NotNamespaces, n) {
			s.Warnings = append(s.Warnings, "--namespaces, --namespaces-denylist: namespace "+problem.Quote(n)+" is in both; not reading it")
		}
	}
	var terms []fields.Selector
	for _, n := range s.NotNamespaces {
		terms = append(terms, fields.OneTermNotEqualSelector("metadata.namespace", n))
	}
	s.FieldSelector = fields.AndSelectors(terms...).String()
}

// catalog returns all families of all resources.
func catalog() []metric.Desc {
	var families []metric.Desc
	for _, t := range kind.All() {
		families = append(families, t.Schema().Families...)
	}
	return families
}

// kinds returns the tables of the resources, in the order of the catalog.
func (o *Options) kinds() []*kind.Table {
	if len(o.Resources) == 0 {
		return kind.Defaults()
	}
	return slices.DeleteFunc(kind.All(), func(t *kind.Table) bool { return !slices.Contains(o.Resources, t.Name) })
}

// Logger returns a logger that writes to w as the options say. For invalid options it
// uses the defaults.
func (o *Options) Logger(w io.Writer) *slog.Logger {
	level := slog.LevelInfo
	if slices.Contains(logLevels(), o.LogLevel) {
		_ = level.UnmarshalText([]byte(o.LogLevel)) // logLevels are levels of slog
	}
	if o.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: readable}))
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}

// readable writes durations as the text format does, "1.5s", rather than as nanoseconds.
func readable(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}
