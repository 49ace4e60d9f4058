package kind

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kubestate/kubestate/metric"
)

// Options configures a table.
type Options struct {
	// Keep decides which families the table has; nil keeps all except opt-in families.
	Keep func(*metric.Desc) bool
	// Labels and Annotations are patterns of the keys shown by families whose labels are
	// the object's labels or annotations. A pattern contains at most one *, which matches
	// any text. Without a pattern there is no sample.
	Labels, Annotations []string
	// LabelNames and AnnotationNames are label names, without the prefix of the family
	// ("app_kubernetes_io_name"), that the same families show as well, whichever keys they
	// are derived from.
	LabelNames, AnnotationNames []string
	// Owners looks up owners of owners; nil if they are unknown.
	Owners Owners
	// Reads are fields to decode in addition to those that rows read, named as in
	// Kind.Reads, for other consumers of the objects.
	Reads []string
}

// Plan returns a table of the families of t that o keeps. Options are applied once, so
// nothing is looked up per object and a family that is not kept costs nothing. The error
// lists all invalid patterns.
func (t *Table) Plan(o Options) (*Table, error) {
	p, err := t.plan(o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.Name, err)
	}
	return p, nil
}

func planRows[T any](rows []Row[T], o Options) ([]Row[T], error) {
	labels, err1 := compileKeys("label", o.Labels)
	annotations, err2 := compileKeys("annotation", o.Annotations)
	labels.derived, annotations.derived = o.LabelNames, o.AnnotationNames
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	keep := o.Keep
	if keep == nil {
		keep = func(d *metric.Desc) bool { return !d.OptIn }
	}
	var kept []Row[T]
	for _, r := range rows {
		if !keep(&r.Desc) {
			continue
		}
		switch r.AllowList {
		case metric.Labels:
			r = pick(r, labels)
		case metric.Annotations:
			r = pick(r, annotations)
		case metric.NoAllowList:
		}
		if r.bind != nil {
			r.emit = r.bind(o)
		}
		kept = append(kept, r)
	}
	return kept, nil
}

// pick returns a row that emits one sample with the labels that match the patterns; without
// patterns it reads and emits nothing.
func pick[T any](r Row[T], keys keyPatterns) Row[T] {
	if keys.empty() {
		r.reads = nil
		r.emit = func(*T, *metric.Emitter) {}
		return r
	}
	prefix, from, withheld := r.Prefix, r.from, r.withheld
	allow := keys.match
	switch {
	case withheld != "":
		allow = func(key string) bool { return key != withheld && keys.match(key) }
	case keys.all:
		allow = nil
	}
	r.emit = func(t *T, e *metric.Emitter) {
		e.LabelMap(prefix, from(t), allow)
		e.AddLabeled(1)
	}
	return r
}

// keyPatterns are the compiled patterns of an allow-list.
type keyPatterns struct {
	all   bool
	exact []string
	wild  []affix
	// derived are label names; a key matches if its label name is one of them.
	derived []string
}

// affix is a pattern with one *: the prefix and suffix around it.
type affix struct{ prefix, suffix string }

func compileKeys(of string, patterns []string) (keyPatterns, error) {
	var k keyPatterns
	var errs []error
	for _, p := range patterns {
		prefix, suffix, wild := strings.Cut(p, "*")
		switch {
		case strings.Contains(suffix, "*"):
			errs = append(errs, fmt.Errorf("%s pattern %q: only one * is allowed", of, p))
		case !wild:
			k.exact = append(k.exact, p)
		case p == "*":
			k.all = true
		default:
			k.wild = append(k.wild, affix{prefix, suffix})
		}
	}
	return k, errors.Join(errs...)
}

func (k *keyPatterns) empty() bool {
	return !k.all && len(k.exact) == 0 && len(k.wild) == 0 && len(k.derived) == 0
}

func (k *keyPatterns) match(key string) bool {
	if k.all || slices.Contains(k.exact, key) {
		return true
	}
	for _, a := range k.wild {
		if len(key) >= len(a.prefix)+len(a.suffix) && strings.HasPrefix(key, a.prefix) && strings.HasSuffix(key, a.suffix) {
			return true
		}
	}
	return slices.ContainsFunc(k.derived, func(name string) bool { return metric.Derives(key, name) })
}
