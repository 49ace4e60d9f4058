package otlp

import (
	"slices"

	"github.com/kubestate/kubestate/sink"
)

// family is the shared part of the series of a sink.Metric.
type family struct {
	metric  *sink.Metric
	next    *family // the family that followed last time
	head    []byte  // encoded name, description and unit
	data    byte    // field of the points
	tail    []byte  // bytes after the points
	counter bool

	block uint64 // the block whose group is that of the family
	group int

	keys      []string // keys of the previous series' own tags
	shape     uint64   // shape of the block for overrides
	overrides bool     // own tags override some of the block
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

// fits reports whether overrides is valid for a series with these tags in the block.
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

// arrange sets overrides for a series with these tags in the block.
func (f *family) arrange(tags []sink.Tag, b *block, common []sink.Tag) {
	f.shape = b.shape
	f.keys, f.overrides = f.keys[:0], false
	for i := range tags {
		key := tags[i].Key
		f.keys = append(f.keys, key)
		f.overrides = f.overrides || slices.Contains(b.keys, key) || hasKey(common, key)
	}
}
