package kind

import (
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/metric"
)

const (
	stable = metric.Stable
	alpha  = metric.Alpha
)

type number interface{ ~int32 | ~int64 | ~float64 }

// each is a family with any number of samples.
func each[T any](name string, st metric.Stability, help string, l labels, emit func(*T, *metric.Emitter)) Row[T] {
	return Row[T]{Desc: metric.Desc{Name: name, Type: metric.Gauge, Stability: st, Help: help, Labels: l}, emit: emit}
}

// gauge is a family with exactly one sample.
func gauge[T any, N number](name string, st metric.Stability, help string, value func(*T) N) Row[T] {
	return each(name, st, help, nil, func(t *T, e *metric.Emitter) { e.Add(float64(value(t))) })
}

// truth is a family with exactly one sample, 1 or 0.
func truth[T any](name string, st metric.Stability, help string, value func(*T) bool) Row[T] {
	return each(name, st, help, nil, func(t *T, e *metric.Emitter) { e.Add(metric.Float(value(t))) })
}

// maybe is a family with one sample, or none if value returns nil. value must point into
// the object; use each for a computed optional value.
func maybe[T any, N number](name string, st metric.Stability, help string, value func(*T) *N) Row[T] {
	return each(name, st, help, nil, func(t *T, e *metric.Emitter) {
		if v := value(t); v != nil {
			e.Add(float64(*v))
		}
	})
}

// timestamp is a family with one sample in Unix seconds, or none if the time is nil or
// zero.
func timestamp[T any](name string, st metric.Stability, help string, at func(*T) *metav1.Time) Row[T] {
	return each(name, st, help, nil, func(t *T, e *metric.Emitter) {
		if v := at(t); v != nil {
			addTime(v.Time, e)
		}
	})
}

// addTime emits a time in whole Unix seconds. A zero time, which means in the API that
// there is none, is not emitted.
func addTime(t time.Time, e *metric.Emitter, labels ...string) {
	if !t.IsZero() {
		e.Add(float64(t.Unix()), labels...)
	}
}

// exists is a family with one sample of value 1 for every object.
func exists[T any](name string, st metric.Stability, help string) Row[T] {
	return each(name, st, help, nil, func(_ *T, e *metric.Emitter) { e.Add(1) })
}

// info is a family with one sample of value 1 and one label.
func info[T any](name string, st metric.Stability, help string, l metric.Label, value func(*T) string) Row[T] {
	return each(name, st, help, labels{l}, func(t *T, e *metric.Emitter) { e.Add(1, value(t)) })
}

// stateset is a family with one sample per state, 1 for the current one, or none if the
// state is unknown.
func stateset[T any](name string, st metric.Stability, help string, l metric.Label, states []string, current func(*T) string) Row[T] {
	return each(name, st, help, labels{l}, func(t *T, e *metric.Emitter) {
		now := current(t)
		if now == "" {
			return
		}
		for _, s := range states {
			e.Add(metric.Float(s == now), s)
		}
	})
}

// maxVersionLength bounds the resource versions that are parsed, in bytes.
const maxVersionLength = 64

// resourceVersion is a family with metadata.resourceVersion, or no sample if that is not a
// number.
func resourceVersion[T any](name string, st metric.Stability, help string, version func(*T) string) Row[T] {
	return each(name, st, help, nil, func(t *T, e *metric.Emitter) {
		v := version(t)
		if v == "" || len(v) > maxVersionLength { // parsing it would allocate an error
			return
		}
		if n, err := strconv.ParseFloat(v, 64); err == nil {
			e.Add(n)
		}
	})
}

// labelsOf is a family with one sample whose labels --metric-labels-allowlist selects from
// the object's labels.
func labelsOf[T any](name string, st metric.Stability, help string, from func(*T) map[string]string) Row[T] {
	return mapped(name, st, help, "label", metric.Labels, from).Reading(labelsField)
}

// annotationsOf is a family with one sample whose labels --metric-annotations-allowlist
// selects from the object's annotations.
func annotationsOf[T any](name string, st metric.Stability, help string, from func(*T) map[string]string) Row[T] {
	return mapped(name, st, help, "annotation", metric.Annotations, from).Reading(annotationsField)
}

// mapped is a family with one sample whose labels are the entries of a map. A family with
// an allow-list emits nothing until Plan binds the list.
func mapped[T any](name string, st metric.Stability, help, prefix string, list metric.AllowList, from func(*T) map[string]string) Row[T] {
	r := each(name, st, help, nil, func(t *T, e *metric.Emitter) {
		if list == metric.NoAllowList {
			e.LabelMap(prefix, from(t), nil)
			e.AddLabeled(1)
		}
	})
	r.Prefix, r.AllowList, r.from = prefix, list, from
	return r
}

// counter makes a row's family a counter.
func counter[T any](r Row[T]) Row[T] {
	r.Type = metric.Counter
	return r
}

// optIn makes a row's family opt-in.
func optIn[T any](r Row[T]) Row[T] {
	r.OptIn = true
	return r
}

// beyond marks a row's family as one that kube-state-metrics does not have; it is opt-in.
func beyond[T any](r Row[T]) Row[T] {
	r.Beyond = true
	return optIn(r)
}

// deprecated marks a row's family as deprecated since a version.
func deprecated[T any](since string, r Row[T]) Row[T] {
	r.Deprecated = since
	return r
}

// withhold excludes an annotation key from a row: no allow-list can select it, and it is
// not decoded.
func withhold[T any](key string, r Row[T]) Row[T] {
	r.withheld = key
	return r.Reading(annotationsField + "[!" + key + "]")
}

// owners emits one sample per owner, or one with empty labels if there is none.
func owners(refs []metav1.OwnerReference, e *metric.Emitter) {
	if len(refs) == 0 {
		e.Add(1, "", "", "")
	}
	for i := range refs {
		r := &refs[i]
		e.Add(1, r.Kind, r.Name, metric.Bool(r.Controller != nil && *r.Controller))
	}
}

// conditionStates are the statuses of a condition, with the label value of each.
var conditionStates = [...]struct{ status, label string }{{"True", "true"}, {"False", "false"}, {"Unknown", "unknown"}}

// conditionSeries emits one sample per status of a condition, 1 for the current one; before
// are the values of the labels before that of the status.
func conditionSeries(status string, e *metric.Emitter, before ...string) {
	var values [3]string
	n := copy(values[:], before)
	for _, s := range conditionStates {
		values[n] = s.label
		e.Add(metric.Float(s.status == status), values[:n+1]...)
	}
}

// valueOr returns *p, or otherwise if p is nil.
func valueOr[V any](p *V, otherwise V) V {
	if p == nil {
		return otherwise
	}
	return *p
}

// optionalBool returns the label value of an optional bool: true, false or empty.
func optionalBool(b *bool) string {
	if b == nil {
		return ""
	}
	return metric.Bool(*b)
}
