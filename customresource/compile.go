package customresource

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// defaultPrefix is what names of families begin with unless the entry says otherwise.
const defaultPrefix = "kube_customresource"

// Skipped is called when a family loses samples of an object because a value cannot
// be a metric. It must be safe for concurrent use, and is called for each such value
// of each version of each object: what it does with the error must be cheap.
type Skipped func(family string, err error)

// Check returns what is wrong with an entry, whatever resource it is for.
func (r *Resource) Check() []Problem {
	_, problems := compile([]*Resource{r})
	return problems
}

// Table returns the table of a resource. It fails if an entry has a problem, or if
// two of them do not fit together: metrics of one name are one family, of one type.
func (s *Served) Table(skipped Skipped) (*kind.Table, error) {
	families, problems := compile(s.Entries)
	if len(problems) > 0 {
		errs := make([]error, len(problems))
		for i, p := range problems {
			errs[i] = p
		}
		return nil, errors.Join(errs...)
	}
	reads := newFields()
	rows := make([]kind.Row[Object], len(families))
	for i, same := range families {
		for _, f := range same {
			f.bind(s.Resource)
			f.addFields(reads)
		}
		rows[i] = kind.NewRow(same[0].desc, func(o *Object, e *metric.Emitter) {
			for _, f := range same {
				f.emit(o, e, skipped)
			}
		})
	}
	gvk := s.GroupVersionKind()
	return kind.Define(kind.Kind[Object]{
		Resource: s.Resource,
		Labeled:  true,
		New:      func() *Object { return &Object{fields: reads, gvk: gvk} },
		Begin:    func(_ *Object, e *metric.Emitter, s *metric.Schema) { e.Begin(s) },
		Rows:     rows,
	})
}

// family is a compiled metric. Its labels are in three layers: those of an element
// come first, then those read from the whole object, then fixed ones.
type family struct {
	desc    metric.Desc
	outer   pathLabels
	common  [2]map[string]string // of the resource and of the metric
	fixed   labelSet
	block   block
	collect func(v any, s *samples)
}

// compile returns the families of entries, those of one name together, and all
// problems.
func compile(entries []*Resource) (families [][]*family, problems []Problem) {
	index := map[string]int{}
	for _, r := range entries {
		for i := range r.Metrics {
			m := &r.Metrics[i]
			f, errs := r.compileMetric(m)
			n, ok := index[f.desc.Name]
			switch {
			case !ok:
				index[f.desc.Name] = len(families)
				families = append(families, []*family{f})
			case families[n][0].desc.Type != f.desc.Type && len(errs) == 0:
				errs = append(errs, fmt.Errorf("type %s of %s: a metric above gives it type %s",
					f.desc.Type, f.desc.Name, families[n][0].desc.Type))
			default:
				families[n] = append(families[n], f)
			}
			for _, err := range errs {
				problems = append(problems, Problem{Line: m.line, Path: fmt.Sprintf("%s.metrics[%d]", r.path, i), Text: err.Error()})
			}
		}
	}
	return families, problems
}

func (r *Resource) compileMetric(m *Metric) (*family, []error) {
	f := &family{common: [2]map[string]string{r.CommonLabels, m.CommonLabels}}
	f.desc = metric.Desc{Name: r.familyName(m.Name), Type: metric.Gauge, Stability: metric.Alpha, Help: m.Help}
	var errs []error
	fail := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	if !validMetricName.MatchString(f.desc.Name) {
		fail(fmt.Errorf("invalid metric name %q: must match %s", f.desc.Name, validMetricName))
	}
	for _, name := range slices.Sorted(maps.Keys(m.CommonLabels)) {
		fail(checkLabel("commonLabels", name))
	}
	for _, name := range slices.Sorted(maps.Keys(r.CommonLabels)) {
		fail(checkLabel("commonLabels of the resource", name))
	}
	outer := maps.Clone(r.LabelsFromPath)
	if outer == nil {
		outer = map[string]Selector{}
	}
	maps.Copy(outer, m.LabelsFromPath)
	var err error
	f.outer, err = compileLabels(outer)
	fail(err)
	kind, b, err := m.Each.block()
	if err != nil {
		fail(err)
		return f, errs
	}
	errs = append(errs, f.compileBlock(kind, b)...)
	return f, errs
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

var (
	validMetricName = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*$`)
	validLabelName  = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
)

func checkLabel(where, name string) error {
	if validLabelName.MatchString(name) {
		return nil
	}
	return fmt.Errorf("invalid label name %q in %s: must match %s", name, where, validLabelName)
}

// block returns the block of the type.
func (e *Each) block() (kind string, b *Block, err error) {
	blocks := []struct {
		name string
		b    *Block
	}{{"gauge", e.Gauge}, {"info", e.Info}, {"stateSet", e.StateSet}}
	for _, candidate := range blocks {
		if strings.EqualFold(e.Type, candidate.name) {
			if candidate.b == nil {
				return "", nil, fmt.Errorf("missing each.%s: it is required by type %s", candidate.name, e.Type)
			}
			return candidate.name, candidate.b, nil
		}
	}
	return "", nil, fmt.Errorf("invalid type %q: must be Gauge, Info or StateSet", e.Type)
}

func (f *family) compileBlock(kind string, b *Block) (errs []error) {
	fail := func(err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("each.%s: %w", kind, err))
		}
	}
	var err error
	f.block = block{
		name: b.Path.String(), labelFromKey: b.LabelFromKey, nilIsZero: b.NilIsZero, labelName: b.LabelName, list: b.List,
	}
	if f.block.path, err = b.Path.compile(); err != nil {
		fail(fmt.Errorf("path: %w", err))
	}
	if f.block.valueFrom, err = b.ValueFrom.compile(); err != nil {
		fail(fmt.Errorf("valueFrom: %w", err))
	}
	f.block.labels, err = compileLabels(b.LabelsFromPath)
	fail(err)
	if b.LabelFromKey != "" {
		fail(checkLabel("labelFromKey", b.LabelFromKey))
	}
	switch kind {
	case "gauge":
		f.collect = f.block.gauge
	case "info":
		f.desc.Type, f.collect = metric.Info, f.block.info
	default:
		f.desc.Type, f.collect = metric.StateSet, f.block.stateSet
		fail(checkLabel("labelName", b.LabelName))
	}
	return errs
}

// bind fixes the labels that are the same for all objects.
func (f *family) bind(served kind.Resource) {
	fixed := maps.Clone(f.common[0])
	if fixed == nil {
		fixed = map[string]string{}
	}
	fixed["customresource_group"] = served.Group
	fixed["customresource_version"] = served.Version
	fixed["customresource_kind"] = served.Kind
	maps.Copy(fixed, f.common[1])
	f.fixed = nil
	for _, name := range slices.Sorted(maps.Keys(fixed)) {
		f.fixed = append(f.fixed, label{name, fixed[name]})
	}
}

// addFields adds what the family reads.
func (f *family) addFields(reads *fields) {
	reads.addSelector(&f.block.path)
	for i := range f.outer {
		reads.addSelector(&f.outer[i].from)
	}
	// Within an element, a path reads what the path to the element has kept; an
	// expression can read the object.
	expressions := f.block.valueFrom.cel != nil
	for i := range f.block.labels {
		expressions = expressions || f.block.labels[i].from.cel != nil
	}
	if expressions {
		reads.all = true
	}
}

// emit emits the samples of an object.
func (f *family) emit(o *Object, e *metric.Emitter, skipped Skipped) {
	s := samples{object: o}
	f.collect(f.block.path.get(&s, o.root), &s)
	if len(s.all) > 0 {
		s.sort()
		var outer labelSet
		f.outer.read(&s, o.root, &outer)
		outer.add(f.fixed)
		for i := range s.all {
			l := s.all[i].labels
			l.add(outer)
			for _, label := range l {
				e.Label(label.name, label.value)
			}
			e.AddLabeled(s.all[i].value)
		}
	}
	if skipped != nil {
		for _, err := range s.errs {
			skipped(f.desc.Name, err)
		}
	}
}
