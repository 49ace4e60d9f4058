package otlp

import (
	"slices"

	"github.com/kubestate/kubestate/sink"
)

// family is what the series of a sink.Metric have in common.
type family struct {
	metric  *sink.Metric
	next    *family // which followed the last time
	head    []byte  // name, description and unit, encoded
	data    byte    // the field of the points
	tail    []byte  // what follows the points
	counter bool

	block uint64 // in which group is that of the family
	group int

	keys      []string // of the own tags of the series before
	shape     uint64   // of the block in which
	overrides bool     // those tags replace some of the block
}

func newFamily(m *sink.Metric) *family {
	f := &family{metric: m, head: appendMetric(nil, m), data: metricSum, counter: m.Type == sink.Counter}
	switch m.Type {
	case sink.Counter:
		f.tail = []byte{sumTemporality, cumulative, sumMonotonic, 1}
	case sink.UpDown:
		f.tail = []byte{sumTemporality, cumulative}
	default:
		f.data = metricGauge
	}
	return f
}

// fits says whether overrides is for a series with the tags in the block.
func (f *family) fits(tags []sink.Tag, b *block) bool {
	if len(tags) != len(f.keys) || f.shape != b.shape {
		return false
	}
	for i := range tags {
		if tags[i].Key != f.keys[i] {
			return false
		}
	}
	return true
}

// arrange sets overrides for a series with the tags in the block.
func (f *family) arrange(tags []sink.Tag, b *block, common []sink.Tag) {
	f.shape = b.shape
	f.keys, f.overrides = f.keys[:0], false
	for i := range tags {
		key := tags[i].Key
		f.keys = append(f.keys, key)
		f.overrides = f.overrides || slices.Contains(b.keys, key) || hasKey(common, key)
	}
}
