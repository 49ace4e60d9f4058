package conf

import (
	"errors"
	"io"
	"log/slog"
	"slices"

	"k8s.io/apimachinery/pkg/fields"

	"github.com/kubestate/kubestate"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// Settings is what the options come to, in the form in which other packages take
// it. What needs no work, such as ports, is in Options.
type Settings struct {
	// Exporter says what is served; its Logger is the caller's to set.
	Exporter kubestate.Config
	// Namespaces are those to read; nil is all.
	Namespaces []string
	// NotNamespaces are those not to read.
	NotNamespaces []string
	// FieldSelector is for requests of objects that are in a namespace: it leaves
	// out those of NotNamespaces.
	FieldSelector string
	// Warnings tell of options that have no effect or not the one that they look
	// like. The caller logs them.
	Warnings []string
}

// Reads tells whether objects of a namespace are read.
func (s *Settings) Reads(namespace string) bool {
	return (len(s.Namespaces) == 0 || slices.Contains(s.Namespaces, namespace)) && !slices.Contains(s.NotNamespaces, namespace)
}

// Complete checks the options and works out what they mean. The error joins all
// problems; each names the flag, its value and what is allowed.
func (o *Options) Complete() (Settings, error) {
	errs := o.check()
	f, wrong := newFilter(o)
	errs = append(errs, wrong...)
	warnings, slow := f.try(catalog())
	errs = append(errs, slow...)
	if err := errors.Join(errs...); err != nil {
		return Settings{}, err
	}
	joins, _ := o.joins() // it was checked
	return Settings{
		Exporter: kubestate.Config{
			Kinds:       o.kinds(),
			Keep:        f.keep,
			Labels:      o.MetricLabelsAllowlist,
			Annotations: o.MetricAnnotationsAllowlist,
			Joins:       joins,

			DisableCompression: !o.EnableGzipEncoding,
		},
		Namespaces:    slices.Clone(o.Namespaces),
		NotNamespaces: slices.Clone(o.NamespacesDenylist),
		FieldSelector: o.fieldSelector(),
		Warnings:      warnings,
	}, nil
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

func (o *Options) fieldSelector() string {
	var terms []fields.Selector
	for _, n := range o.NamespacesDenylist {
		terms = append(terms, fields.OneTermNotEqualSelector("metadata.namespace", n))
	}
	return fields.AndSelectors(terms...).String()
}

// Logger returns a logger that writes to w as the options say. Options that are
// wrong count as their defaults.
func (o *Options) Logger(w io.Writer) *slog.Logger {
	level := slog.LevelInfo
	if slices.Contains(logLevels, o.LogLevel) {
		_ = level.UnmarshalText([]byte(o.LogLevel)) // each of logLevels is one of slog's
	}
	options := &slog.HandlerOptions{Level: level}
	if o.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
