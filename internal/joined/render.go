package joined

import (
	"sync"

	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/internal/join"
	"github.com/kubestate/kubestate/internal/workload"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// renderer renders labels of objects, and reuses memory. It is a metric.Sink, because an
// Emitter derives the names of labels from keys.
type renderer struct {
	emitter *metric.Emitter
	sample  *metric.Sample // the last
	tails   [][]byte       // scratch: the tails of one object
}

// renderers is a pool of renderers.
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

// nameless is the schema of samples that consist of labels only.
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

// entries adds the selected labels and annotations of an object.
func (r *renderer) entries(m *maps, labelPrefix, annotationPrefix string, o kind.Object) {
	if m.label != nil {
		r.emitter.LabelMap(labelPrefix, o.GetLabels(), m.label)
	}
	if m.annotation != nil {
		r.emitter.LabelMap(annotationPrefix, o.GetAnnotations(), m.annotation)
	}
}

// own appends to dst the labels that the object itself has. known is zero where other
// objects decide it.
func (r *renderer) own(dst []byte, w *want, o kind.Object, known workload.Workload) []byte {
	r.begin()
	r.entries(&w.self, labelPrefix, annotationPrefix, o)
	if node := kind.NodeOf(o); w.node && node != "" {
		r.emitter.Label(nodeName, node)
	}
	if w.workload && known != (workload.Workload{}) {
		r.emitter.Label(workloadName, known.Name)
		r.emitter.Label(workloadType, known.Type)
	}
	names, values := r.end()
	for i, name := range names {
		if w.lacks(name) {
			dst = exposition.AppendLabel(dst, name, values[i])
		}
	}
	return dst
}

// provided returns the labels that an object provides for a want, of the entries m.
func (r *renderer) provided(m *maps, labelPrefix, annotationPrefix string, w *want, o kind.Object) []join.Label {
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

// appendWorkload appends the labels of a workload; of one that is unknown there are none.
func appendWorkload(dst []byte, w workload.Workload) []byte {
	if w == (workload.Workload{}) {
		return dst
	}
	return exposition.AppendLabel(exposition.AppendLabel(dst, workloadName, w.Name), workloadType, w.Type)
}
