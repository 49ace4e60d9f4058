package remotewrite

import (
	"slices"
	"strings"

	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/sink/internal/protobuf"
)

// family is the shared part of the series of a sink.Metric: name, metadata, and usually
// the keys of their own tags.
type family struct {
	metric           *sink.Metric
	next             *family // the family that followed last time
	name, help, unit string  // as sent
	counter          bool
	clash            *sink.Metric // another metric with this name; series of this one are dropped
	bound            int          // upper bound of the bytes that these take in a series
	run              uint64       // last run with a series of the family
	metadataSent     int64        // time of the last run whose metadata was sent, in version 1

	keys  []string // keys of the previous series' own tags
	slots []slot   // for their labels, sorted by name
	loose bool     // two slots have the same name, or one has none

	request  uint64 // the version 2 request that metadata and references of slots belong to
	metadata []byte
}

// slot is the position of a label that a series has in addition to its block.
type slot struct {
	name  string
	ref   uint32 // symbol of name in the request
	tag   int    // index of the tag with the value; -1: value has it
	value string

	shape    uint64 // shape of the block that the rest belongs to
	from, to int    // range of its labels that this one replaces, or precedes if empty
}

func newFamily(names *naming, m *sink.Metric) *family {
	f := &family{
		metric: m, name: names.metric(m.Name), help: protobuf.Valid(m.Help), unit: unit(m.Unit), counter: m.Type == sink.Counter,
	}
	f.bound = 2*boundLabel + len(metricName) + len(f.name) + len(f.help) + len(f.unit)
	f.arrange(names, nil)
	return f
}

// fits reports whether the slots are valid for tags.
func (f *family) fits(tags []sink.Tag) bool {
	if len(tags) != len(f.keys) {
		return false
	}
	for i := range tags {
		if tags[i].Key != f.keys[i] {
			return false
		}
	}
	return true
}

// arrange builds the slots for tags.
func (f *family) arrange(names *naming, tags []sink.Tag) {
	f.request = 0
	f.keys = f.keys[:0]
	f.slots = append(f.slots[:0], slot{name: metricName, tag: -1, value: f.name})
	for i, t := range tags {
		f.keys = append(f.keys, t.Key)
		f.slots = append(f.slots, slot{name: names.label(t.Key), tag: i})
	}
	slices.SortFunc(f.slots, func(a, b slot) int { return strings.Compare(a.name, b.name) })
	f.loose = f.slots[0].name == ""
	for i := range f.slots[1:] {
		f.loose = f.loose || f.slots[i].name == f.slots[i+1].name
	}
}

// loose is scratch space for series whose tags do not map to one label each.
type loose struct {
	labels []label
	slots  []slot
}

// arrange returns slots with the unified labels of a series of f.
func (l *loose) arrange(f *family, tags []sink.Tag) []slot {
	l.labels = l.labels[:0]
	for _, s := range f.slots {
		if s.tag < 0 {
			l.labels = append(l.labels, label{name: s.name, value: s.value, rank: rankName})
		} else {
			l.labels = append(l.labels, label{name: s.name, value: tags[s.tag].Value, rank: rankOwn})
		}
	}
	l.slots = l.slots[:0]
	unified, _ := unify(l.labels)
	for _, one := range unified {
		l.slots = append(l.slots, slot{name: one.name, tag: -1, value: one.value})
	}
	return l.slots
}

func (l *loose) forget() {
	clear(l.labels[:cap(l.labels)])
	clear(l.slots[:cap(l.slots)])
}

// unit returns the Prometheus name of a UCUM unit, or nothing if it only says what is
// counted.
func unit(ucum string) string {
	switch {
	case ucum == "By":
		return "bytes"
	case ucum == "s":
		return "seconds"
	case ucum == "1", strings.HasPrefix(ucum, "{"):
		return ""
	}
	return protobuf.Valid(ucum)
}
