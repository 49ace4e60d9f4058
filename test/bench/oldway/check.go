// Package oldway is the reference that the agent is measured against and compared with:
// a check that scrapes all metrics for every flush. It parses a complete exposition,
// builds join trees, and creates the tags of every series again. It is plain code and
// keeps only its tables between flushes. It does not know how kubestate's agent works,
// and shares no table with it.
//
// The output follows the documented behavior of the kubernetes_state_core check, except
// for rollout durations of Deployments, StatefulSets and DaemonSets, which require
// objects.
package oldway

import (
	"fmt"
	"io"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// prefix is the prefix of metric and service check names.
const prefix = "kubernetes_state."

// Point is one value of one series. A service check is a point whose value is
// its status: 0 OK, 1 warning, 2 critical, 3 unknown.
type Point struct {
	Name    string
	Value   float64
	Host    string
	Tags    []string // key:value, in no order
	Service bool     // a service check
}

// Times is the duration of the parts of a run.
type Times struct{ Parse, Join, Map time.Duration }

// Check has the tables; it is safe for concurrent use.
type Check struct {
	names    map[string]string // points by family
	tags     map[string]string // keys of tags by label
	owners   map[string]string // keys of tags by kind of owner
	totals   []total
	override []override
}

// New returns a check with default configuration.
func New() *Check {
	return &Check{names: pointNames(), tags: tagNames(), owners: ownerTags(), totals: allTotals(), override: overrides()}
}

// Run parses a body in the text format and passes every point to emit. Ages are
// relative to now.
func (c *Check) Run(body io.Reader, now time.Time, emit func(Point)) (Times, error) {
	var times Times
	start := time.Now()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(body)
	if err != nil {
		return times, fmt.Errorf("parse the metrics: %w", err)
	}
	times.Parse = time.Since(start)

	start = time.Now()
	r := &run{Check: c, joins: buildJoins(families), now: float64(now.UnixNano()) / 1e9, emit: emit}
	times.Join = time.Since(start)

	start = time.Now()
	r.transformers = r.allTransformers()
	totals := newTotals(c.totals)
	for _, f := range families {
		r.family(f, totals)
	}
	totals.flush(r)
	times.Map = time.Since(start)
	return times, nil
}

// run is the state of a run.
type run struct {
	*Check
	joins        []*join
	transformers map[string]func(*sample)
	now          float64 // seconds since 1970
	emit         func(Point)
}

// sample is a sample that is being turned into a point.
type sample struct {
	labels []*dto.LabelPair
	value  float64
	host   string
	tags   []string
}

// label returns the value of a label, or "" if missing.
func (s *sample) label(name string) string { return labelOf(s.labels, name) }

func labelOf(labels []*dto.LabelPair, name string) string {
	for _, l := range labels {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

// family creates the points of one family: aggregations first, then those of a
// transformer or a renamed metric.
func (r *run) family(f *dto.MetricFamily, totals *totals) {
	name := f.GetName()
	totals.add(f)
	transform := r.transformers[name]
	if mapped, ok := r.names[name]; ok && transform == nil {
		transform = func(s *sample) { r.point(mapped, s.value, s) }
	}
	if transform == nil {
		return
	}
	overrides := r.overridesOf(name)
	for _, m := range f.GetMetric() {
		s := sample{labels: m.GetLabel(), value: valueOf(m)}
		s.host, s.tags = r.tag(s.labels, overrides)
		transform(&s)
	}
}

func (r *run) point(name string, value float64, s *sample) {
	r.emit(Point{Name: prefix + name, Value: value, Host: s.host, Tags: s.tags})
}

func (r *run) check(name string, status float64, s *sample) {
	r.emit(Point{Name: prefix + name, Value: status, Host: s.host, Tags: s.tags, Service: true})
}

func valueOf(m *dto.Metric) float64 {
	switch {
	case m.Gauge != nil:
		return m.Gauge.GetValue()
	case m.Counter != nil:
		return m.Counter.GetValue()
	}
	return m.Untyped.GetValue()
}
