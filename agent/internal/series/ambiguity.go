package series

import (
	"maps"

	"github.com/kubestate/kubestate/agent/internal/compile"
	"github.com/kubestate/kubestate/sink"
)

// ambiguity knows the metrics that several kinds have, so that objects of two kinds may
// have series with the same tags. Where objects of one kind may, because the naming
// table takes away what tells them apart, the series say so themselves. Both are
// rare: finding what has ended takes no look at what stayed as it was without them.
type ambiguity struct {
	first map[*sink.Metric]origin // where a metric was seen first
	found map[*sink.Metric]bool   // replaced when it grows: snapshots have it
}

// origin is where the series of a metric come from.
type origin struct {
	resource string
	grouping *compile.Grouping
}

// note notes that series of a metric come from somewhere.
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
