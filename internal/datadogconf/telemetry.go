package datadogconf

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/internal/reference"
	"github.com/kubestate/kubestate/sink"
)

// Telemetry adds the self metrics of the check to each flush, as its setting telemetry
// does:
//
//	kubernetes_state.telemetry.metrics.count.total    series in the flush
//	kubernetes_state.telemetry.metrics.count          the same, by resource_name
//	kubernetes_state.telemetry.unknown_metrics.count  0
//
// The check counts samples before it turns them into series; this counts series,
// including aggregations, because unused samples are never made. For the same reason
// there are no unknown metrics. The resource is, as in the check, the second word of
// the name of a family ("kube_pod_info": pod). Flushes that have only changes are
// passed on unchanged. tags returns the tags of all series; it is called at the first
// flush.
func Telemetry(to sink.Sink, names *naming.Scheme, tags func() []sink.Tag) sink.Sink {
	gauge := func(name string) *sink.Metric {
		return &sink.Metric{Name: names.Prefix + "telemetry." + name}
	}
	t := &telemetry{
		Sink: to, names: names, tags: tags, words: map[*sink.Metric]string{},
		total: gauge("metrics.count.total"), count: gauge("metrics.count"), unknown: gauge("unknown_metrics.count"),
	}
	return t
}

type telemetry struct {
	sink.Sink
	names                 *naming.Scheme
	tags                  func() []sink.Tag
	block                 *sink.Block // nil before the first flush
	total, count, unknown *sink.Metric
	words                 map[*sink.Metric]string // the resource of each metric seen
}

// Send implements sink.Sink.
func (t *telemetry) Send(ctx context.Context, r *sink.Run) error {
	if r.Changes {
		return t.Sink.Send(ctx, r)
	}
	if t.block == nil {
		t.block = &sink.Block{Tags: slices.SortedFunc(slices.Values(t.tags()), sink.Tag.Compare)}
	}
	counts, total := map[string]int{}, 0
	for s := range r.Series {
		counts[t.word(s.Metric)]++
		total++
	}
	more := []sink.Series{
		{Metric: t.total, Block: t.block, Value: float64(total)},
		{Metric: t.unknown, Block: t.block},
	}
	for word, n := range counts {
		more = append(more, sink.Series{Metric: t.count, Block: t.block, Tags: []sink.Tag{{Key: "resource_name", Value: word}}, Value: float64(n)})
	}
	slices.SortFunc(more[2:], func(a, b sink.Series) int { return strings.Compare(a.Tags[0].Value, b.Tags[0].Value) })
	with := *r
	with.Series = func(yield func(*sink.Series) bool) {
		if !all(r.Series, yield) {
			return
		}
		for i := range more {
			if !yield(&more[i]) {
				return
			}
		}
	}
	return t.Sink.Send(ctx, &with)
}

// all yields all series, and reports whether yield wants more.
func all(from iter.Seq[*sink.Series], yield func(*sink.Series) bool) bool {
	for s := range from {
		if !yield(s) {
			return false
		}
	}
	return true
}

// word returns the resource of a metric.
func (t *telemetry) word(m *sink.Metric) string {
	word, ok := t.words[m]
	if ok {
		return word
	}
	family := m.Name
	if families := reference.MadeInto(t.names, m.Name); len(families) > 0 {
		family = families[0]
	}
	word = family
	if parts := strings.SplitN(family, "_", 3); len(parts) > 1 {
		word = parts[1]
	}
	t.words[m] = word
	return word
}
