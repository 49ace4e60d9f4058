package joined

import (
	"slices"

	"github.com/kubestate/kubestate/internal/problem"
	"github.com/kubestate/kubestate/kind"
)

// Plan has the joins of a configuration, and derives their parts for tables. It is
// immutable.
type Plan struct {
	joins []Join
}

// NewPlan returns the plan of joins. tables are all existing tables, served or not; a join
// must name one of their families. The error is a problem.List.
func NewPlan(joins []Join, tables []*kind.Table) (*Plan, error) {
	var problems problem.List
	for i := range joins {
		problems = append(problems, joins[i].check(tables)...)
	}
	return &Plan{joins: joins}, problems.Err()
}

// needs reports whether some join needs the objects of a source.
func (p *Plan) needs(s source) bool {
	return slices.ContainsFunc(p.joins, func(j Join) bool {
		switch s {
		case nodes:
			return len(j.NodeLabels)+len(j.NodeAnnotations) > 0
		case namespaces:
			return len(j.NamespaceLabels)+len(j.NamespaceAnnotations) > 0
		case owners:
			return j.Workload
		default:
			return false
		}
	})
}

// Workloads reports whether some join adds workloads, which depend on the owners of
// ReplicaSets and Jobs.
func (p *Plan) Workloads() bool { return p.needs(owners) }

// Sources returns the tables whose objects must be read because joins need them.
func (p *Plan) Sources(tables []*kind.Table) []*kind.Table {
	var found []*kind.Table
	for _, t := range tables {
		if p.needs(sourceOf(t)) {
			found = append(found, t)
		}
	}
	return found
}

const (
	labelsField      = "metadata.labels"
	annotationsField = "metadata.annotations[!" + neverShown + "]"
)

// Reads returns the fields that joins read of the objects of a table, as kind.Options.Reads
// names them. Only families that are served count.
func (p *Plan) Reads(planned *kind.Table) []string {
	var fields []string
	families := planned.Schema().Families
	for i := range p.joins {
		j := &p.joins[i]
		switch sourceOf(planned) {
		case nodes:
			fields = append(fields, mapFields(j.NodeLabels, j.NodeAnnotations)...)
		case namespaces:
			fields = append(fields, mapFields(j.NamespaceLabels, j.NamespaceAnnotations)...)
		case owners:
			if j.Workload {
				fields = append(fields, kind.RelatedReads(planned)...)
			}
		case noSource:
		}
		for f := range families {
			if j.concerns(families[f].Name) {
				fields = append(fields, mapFields(j.Labels, j.Annotations)...)
				fields = append(fields, kind.RelatedReads(planned)...)
				break
			}
		}
	}
	slices.Sort(fields)
	return slices.Compact(fields)
}

// mapFields returns the fields from which patterns select entries.
func mapFields(labels, annotations []string) (fields []string) {
	if len(labels) > 0 {
		fields = append(fields, labelsField)
	}
	if len(annotations) > 0 {
		fields = append(fields, annotationsField)
	}
	return fields
}

// Part is what joins mean for one table: which labels its families have, and which labels
// its objects provide to others. It is immutable until Index.Bind.
type Part struct {
	table *kind.Table
	tails []int   // per family the index into wants; -1: none
	wants []*want // distinct

	source   source
	provides []*want // of any table, with distinct labels that objects of this one provide

	nodes, namespaces, workload bool // whether any of wants needs them
}

// Parts returns the parts of all tables that are read, in the same order.
func (p *Plan) Parts(planned []*kind.Table) []*Part {
	parts := make([]*Part, len(planned))
	all := map[string]*want{}
	for i, t := range planned {
		parts[i] = p.part(t, all)
	}
	for _, part := range parts {
		if part.source == owners || !p.needs(part.source) {
			part.source = noSource // what owns objects is known to the workload.Index
		}
		for _, w := range all {
			if m := part.source.of(w); m != nil && !m.none() && !part.providesFor(w) {
				part.provides = append(part.provides, w)
			}
		}
	}
	return parts
}

// part returns the part of a table. all has the wants so far, by signature.
func (p *Plan) part(t *kind.Table, all map[string]*want) *Part {
	part := &Part{table: t, source: sourceOf(t)}
	s := t.Schema()
	for i := range s.Families {
		w := wantOf(p.joins, &s.Families[i], s.LabelNames(i))
		if w == nil {
			part.tails = append(part.tails, -1)
			continue
		}
		if same, ok := all[w.signature]; ok {
			w = same
		}
		all[w.signature] = w
		n := slices.Index(part.wants, w)
		if n < 0 {
			n = len(part.wants)
			part.wants = append(part.wants, w)
			part.nodes = part.nodes || !w.nodes.none()
			part.namespaces = part.namespaces || !w.namespaces.none()
			part.workload = part.workload || w.workload
		}
		part.tails = append(part.tails, n)
	}
	return part
}

// Serves reports whether a part of the same families can serve in place of other: its objects
// have the same joined labels, and provide those that other needs.
func (p *Part) Serves(other *Part) bool {
	return slices.Equal(p.tails, other.tails) && slices.EqualFunc(p.wants, other.wants, sameWant) &&
		(other.source == noSource || p.source == other.source && !slices.ContainsFunc(other.provides, func(w *want) bool { return !p.providesFor(w) }))
}

// providesFor reports whether objects provide the labels of a want.
func (p *Part) providesFor(w *want) bool {
	signature := p.source.of(w).signature
	return slices.ContainsFunc(p.provides, func(other *want) bool { return p.source.of(other).signature == signature })
}

// Split returns the part for the labels that objects have, and that for the labels that they
// provide.
func (p *Part) Split() (labels, provides *Part) {
	labels, provides = &Part{}, &Part{table: p.table, source: p.source, provides: p.provides}
	*labels = *p
	labels.source, labels.provides = noSource, nil
	return labels, provides
}

// Asks reports whether joined labels of objects depend on the owners of ReplicaSets and
// Jobs.
func (p *Part) Asks() bool { return p.workload }

// Empty reports whether objects neither have nor provide joined labels.
func (p *Part) Empty() bool { return len(p.wants) == 0 && p.source == noSource }
