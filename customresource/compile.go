package customresource

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/metric"
)

// defaultPrefix is how names of families begin unless the entry says otherwise.
const defaultPrefix = "kube_customresource"

// The labels that every sample has.
const (
	groupLabel   = "customresource_group"
	versionLabel = "customresource_version"
	kindLabel    = "customresource_kind"
)

// family is a compiled metric. Its labels are in three layers: those of an element
// come first, then those read from the whole object, then fixed ones.
type family struct {
	desc    metric.Desc
	outer   pathLabels
	common  [2]map[string]string // of the resource and of the metric
	block   block
	collect func(v any, s *samples)
}

// compile compiles all entries. What is invalid is left out and becomes a problem.
func (c *Config) compile(taken []metric.Desc) {
	first := map[string]namesake{}
	for _, d := range taken {
		first[d.Name] = namesake{d, "the built-in metric"}
	}
	c.Resources = slices.DeleteFunc(c.Resources, func(r *Resource) bool {
		k := checker{into: &c.Problems}
		k.resource(r)
		valid := !k.failed
		for i := range r.Metrics {
			k := checker{into: &c.Problems}
			f := k.metric(r, i)
			if !k.failed {
				k.consistent(first, f, r.at.in("metrics", fmt.Sprintf("[%d]", i)))
			}
			if !k.failed {
				r.families = append(r.families, f)
			}
		}
		r.at.node = nil // it is large
		return !valid
	})
}

// checker compiles one thing and collects what is wrong with it.
type checker struct {
	into   *problem.List
	failed bool
}

func (k *checker) wrong(p place, what, allowed string) {
	*k.into, k.failed = append(*k.into, p.wrong(what, allowed)), true
}

// resource compiles what concerns all metrics of an entry.
func (k *checker) resource(r *Resource) {
	if r.GVK.Group == "" || r.GVK.Group == wildcard {
		k.wrong(r.at.in("groupVersionKind", "group"), fmt.Sprintf("invalid group %q", r.GVK.Group), "must be the name of an API group, without wildcards")
	}
	for _, field := range []struct{ name, value string }{{"version", r.GVK.Version}, {"kind", r.GVK.Kind}} {
		if field.value != wildcard && strings.Contains(field.value, wildcard) {
			k.wrong(r.at.in("groupVersionKind", field.name), fmt.Sprintf("invalid %s %q", field.name, field.value), "must be a name, or * for all")
		}
	}
	if r.LabelSelector != "" {
		selector, err := labels.Parse(r.LabelSelector)
		if err != nil {
			k.wrong(r.at.in("labelSelector"), fmt.Sprintf("invalid label selector %q: %v", r.LabelSelector, err), "must be a selector as for kubectl --selector")
		} else {
			r.admits = func(of map[string]string) bool { return selector.Matches(labels.Set(of)) }
		}
	}
	k.labelNames(r.at.in("commonLabels"), r.CommonLabels)
	k.labels(r.at.in("labelsFromPath"), r.LabelsFromPath)
}

func (k *checker) metric(r *Resource, i int) *family {
	m, at := &r.Metrics[i], r.at.in("metrics", fmt.Sprintf("[%d]", i))
	f := &family{common: [2]map[string]string{r.CommonLabels, m.CommonLabels}}
	f.desc = metric.Desc{Name: r.familyName(m.Name), Type: metric.Gauge, Stability: metric.Alpha, Help: m.Help, Shared: true}
	if !validMetricName.MatchString(f.desc.Name) {
		k.wrong(at.in("name"), fmt.Sprintf("invalid metric name %q", f.desc.Name), "must consist of letters, digits, _ and :, and not begin with a digit")
	}
	k.unit(at, m, f)
	k.labelNames(at.in("commonLabels"), m.CommonLabels)
	k.labels(at.in("labelsFromPath"), m.LabelsFromPath)
	outer := maps.Clone(r.LabelsFromPath)
	if outer == nil {
		outer = map[string]Selector{}
	}
	maps.Copy(outer, m.LabelsFromPath)
	ignored := checker{into: &problem.List{}} // each was compiled above or with the resource
	f.outer = ignored.labels(at, outer)
	if name, b := k.each(at.in("each"), &m.Each); b != nil {
		k.block(at.in("each", name), name, b, f)
		f.block.unit = m.Unit
	}
	f.desc.Labels = f.labels()
	return f
}

// familyName joins prefix and name; the prefix "" is none.
func (r *Resource) familyName(name string) string {
	switch {
	case r.Prefix == nil:
		return defaultPrefix + "_" + name
	case *r.Prefix == "":
		return name
	default:
		return *r.Prefix + "_" + name
	}
}

// namesake is the first metric of a name, and what it is in messages.
type namesake struct {
	desc metric.Desc
	what string
}

// consistent checks that metrics of one name have one type and unit, whatever their
// resources, and gives them one help, that of the first.
func (k *checker) consistent(first map[string]namesake, f *family, at place) {
	other, ok := first[f.desc.Name]
	switch {
	case !ok:
		first[f.desc.Name] = namesake{f.desc, "the metric above"}
	case other.desc.Type != f.desc.Type:
		k.wrong(at, fmt.Sprintf("duplicate metric %s of type %s", f.desc.Name, f.desc.Type),
			fmt.Sprintf("must be of type %s as %s", other.desc.Type, other.what))
	case other.desc.Unit != f.desc.Unit:
		k.wrong(at, fmt.Sprintf("duplicate metric %s with unit %q", f.desc.Name, f.desc.Unit),
			fmt.Sprintf("must have unit %q as %s", other.desc.Unit, other.what))
	default:
		f.desc.Help = other.desc.Help
	}
}

var validMetricName = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*$`)

// validLabelName does without names that begin with __, which Prometheus reserves.
var validLabelName = regexp.MustCompile(`^(?:[a-zA-Z]|_[a-zA-Z0-9]|_$)[a-zA-Z0-9_]*$`)

const labelNameRule = "must consist of letters, digits and _, and not begin with a digit or __"

// labelNames checks the keys of commonLabels.
func (k *checker) labelNames(at place, common map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(common)) {
		k.labelName(at.in(name), name)
	}
}

func (k *checker) labelName(at place, name string) {
	if !validLabelName.MatchString(name) {
		k.wrong(at, fmt.Sprintf("invalid label name %q", name), labelNameRule)
	}
}

// each returns the block of the type; nil if there is none.
func (k *checker) each(at place, e *Each) (name string, b *Block) {
	blocks := []struct {
		name string
		b    *Block
	}{{"gauge", e.Gauge}, {"info", e.Info}, {"stateSet", e.StateSet}}
	for _, candidate := range blocks {
		if strings.EqualFold(e.Type, candidate.name) {
			if candidate.b == nil {
				k.wrong(at, "missing "+candidate.name, "must be given for type "+e.Type)
			}
			return candidate.name, candidate.b
		}
	}
	k.wrong(at.in("type"), fmt.Sprintf("invalid type %q", e.Type), "must be Gauge, Info or StateSet")
	return "", nil
}

func (k *checker) block(at place, name string, b *Block, f *family) {
	f.block = block{
		name: b.Path.String(), labelFromKey: b.LabelFromKey, nilIsZero: b.NilIsZero, labelName: b.LabelName, list: b.List,
		path: k.selector(at.in("path"), b.Path), valueFrom: k.selector(at.in("valueFrom"), b.ValueFrom),
		labels: k.labels(at.in("labelsFromPath"), b.LabelsFromPath),
	}
	if b.LabelFromKey != "" {
		k.labelName(at.in("labelFromKey"), b.LabelFromKey)
	}
	switch name {
	case "gauge":
		f.collect = f.block.gauge
	case "info":
		f.desc.Type, f.collect = metric.Info, f.block.info
	default:
		f.desc.Type, f.collect = metric.StateSet, f.block.stateSet
		k.labelName(at.in("labelName"), b.LabelName)
	}
}

// selector compiles a path or an expression.
func (k *checker) selector(at place, s Selector) (compiled selector) {
	var err error
	if s.CEL != "" {
		compiled.cel, err = compileCEL(s.CEL)
	} else {
		compiled.path, err = compilePath(s.Path)
	}
	if err != nil {
		k.wrong(at, err.Error(), "")
	}
	return compiled
}

// labels compiles labelsFromPath.
func (k *checker) labels(at place, selectors map[string]Selector) pathLabels {
	var stars, plain pathLabels
	for _, key := range slices.Sorted(maps.Keys(selectors)) {
		from := k.selector(at.in(key), selectors[key])
		before, ends := strings.CutSuffix(key, "*")
		switch {
		case ends:
			stars = append(stars, pathLabel{name: before, star: true, prefix: true, from: from})
		case strings.HasPrefix(key, "*"):
			stars = append(stars, pathLabel{star: true, from: from})
		default:
			plain = append(plain, pathLabel{name: labelName(key), from: from})
		}
	}
	return append(stars, plain...)
}

// labels returns the labels that are known without an object.
func (f *family) labels() []metric.Label {
	docs := map[string]string{groupLabel: "API group", versionLabel: "API version", kindLabel: "kind"}
	for _, common := range f.common {
		for name, value := range common {
			docs[name] = fmt.Sprintf("always %q", value)
		}
	}
	for _, from := range []pathLabels{f.outer, f.block.labels} {
		for i := range from {
			if !from[i].star {
				docs[from[i].name] = "from the object"
			}
		}
	}
	for _, name := range []string{f.block.labelFromKey, f.block.labelName} {
		if name != "" {
			docs[name] = "from the object"
		}
	}
	if f.desc.Type == metric.StateSet {
		docs[f.block.labelName] = "one of " + strings.Join(f.block.list, ", ")
	}
	known := make([]metric.Label, 0, len(docs))
	for _, name := range slices.Sorted(maps.Keys(docs)) {
		known = append(known, metric.Label{Name: name, Doc: docs[name]})
	}
	return known
}
