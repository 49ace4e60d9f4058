package series

import (
	"maps"

	"github.com/kubestate/kubestate/agent/internal/compile"
	"github.com/kubestate/kubestate/sink"
)

// ambiguity tracks metrics that several kinds have, so that objects of different kinds may
// have the same series. If objects of one kind may, because the naming scheme drops the
// label that distinguishes them, series.ambiguous says so. Both are rare: without them,
// Ended does not look at unchanged objects.
type ambiguity struct {
	first map[*sink.Metric]origin // where a metric was first seen
	found map[*sink.Metric]bool   // copied on write: snapshots share it
}

// origin is the source of the series of a metric.
type origin struct {
	resource string
	grouping *compile.Grouping
}

// note records an origin of the series of a metric.
func (x *ambiguity) note(m *sink.Metric, from origin) {
	first, known := x.first[m]
	switch {
	case !known:
		x.first[m] = from
	case first != from && !x.found[m]:
		found := maps.Clone(x.found)
		found[m] = true
		x.found = found
	}
}
