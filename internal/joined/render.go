package joined

import (
	"sync"

	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/internal/join"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// renderer makes labels of objects, reusing memory. It is a metric.Sink, because an
// Emitter derives names of labels from keys.
type renderer struct {
	emitter *metric.Emitter
	sample  *metric.Sample // the last
	tails   [][]byte       // room for the tails of one object
}

// renderers hands out renderers to whoever needs one at a time.
type renderers struct{ pool sync.Pool }

func (p *renderers) get() *renderer {
	if r, ok := p.pool.Get().(*renderer); ok {
		return r
	}
	r := &renderer{}
	r.emitter = metric.NewEmitter(r)
	return r
}

func (p *renderers) put(r *renderer) { p.pool.Put(r) }

// nameless is the schema of samples that are nothing but labels.
var nameless = metric.NewSchema("joins", nil, []metric.Desc{{Name: "joined"}})

func (r *renderer) Begin(*metric.Schema, []string) {}
func (r *renderer) Sample(s *metric.Sample)        { r.sample = s }

func (r *renderer) begin() {
	r.emitter.Begin(nameless)
	r.emitter.Family(0)
}

// end returns the names and values of the labels since begin. They are valid until
// the next begin.
func (r *renderer) end() (names, values []string) {
	r.emitter.AddLabeled(1)
	return r.sample.Names, r.sample.Values
}

// entries adds the entries of an object's maps that are wanted.
func (r *renderer) entries(m maps, labelPrefix, annotationPrefix string, o kind.Object) {
	if m.label != nil {
		r.emitter.LabelMap(labelPrefix, o.GetLabels(), m.label)
	}
	if m.annotation != nil {
		r.emitter.LabelMap(annotationPrefix, o.GetAnnotations(), m.annotation)
	}
}

// own appends to dst what an object itself tells of the labels wanted. told is its
// workload if it tells that.
func (r *renderer) own(dst []byte, w *want, o kind.Object, told kind.Workload) []byte {
	r.begin()
	r.entries(w.self, labelPrefix, annotationPrefix, o)
	if node := kind.NodeOf(o); w.node && node != "" {
		r.emitter.Label(nodeName, node)
	}
	if w.workload && told != (kind.Workload{}) {
		r.emitter.Label(workloadName, told.Name)
		r.emitter.Label(workloadType, told.Type)
	}
	names, values := r.end()
	for i, name := range names {
		if w.lacks(name) {
			dst = exposition.AppendLabel(dst, name, values[i])
		}
	}
	return dst
}

// gift returns the labels that an object gives those who want the entries m.
func (r *renderer) gift(m maps, labelPrefix, annotationPrefix string, w *want, o kind.Object) []join.Label {
	r.begin()
	r.entries(m, labelPrefix, annotationPrefix, o)
	names, values := r.end()
	var labels []join.Label
	for i, name := range names {
		if w.lacks(name) {
			labels = append(labels, join.Label{Name: name, Value: values[i]})
		}
	}
	return labels
}

// workloadLabels are the labels that the owner of a Pod gives it.
func workloadLabels(w kind.Workload) []join.Label {
	return []join.Label{{Name: workloadName, Value: w.Name}, {Name: workloadType, Value: w.Type}}
}
