package remotewrite

import (
	"slices"
	"strings"

	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/sink/internal/protobuf"
)

// family is what the series of a sink.Metric have in common: the name, metadata,
// and mostly the keys of their own tags.
type family struct {
	metric           *sink.Metric
	next             *family // which followed the last time
	name, help, unit string  // as they are sent
	counter          bool
	clash            *sink.Metric // another with this name, in whose favor the series are left out
	bound            int          // bytes that a series needs for these at most
	run              uint64       // the last that had a series of it
	told             int64        // the time of the last run after which version 1 was sent its metadata

	keys  []string // of the own tags of the series before
	slots []slot   // for its labels, sorted by name
	loose bool     // two slots have one name, or one has none

	request  uint64 // of version 2, to which metadata and the slots' references belong
	metadata []byte
}

// slot is the place of a label that a series has beside those of its block.
type slot struct {
	name  string
	ref   uint32 // of name, in the request
	tag   int    // the index of the tag that has the value; -1: it is
	value string

	shape    uint64 // of the block to which the rest belongs
	from, to int    // which of its labels this one replaces, or only precedes
}

func newFamily(names *naming, m *sink.Metric) *family {
	f := &family{
		metric: m, name: names.metric(m.Name), help: protobuf.Valid(m.Help), unit: unit(m.Unit), counter: m.Type == sink.Counter,
	}
	f.bound = 2*boundLabel + len(metricName) + len(f.name) + len(f.help) + len(f.unit)
	f.arrange(names, nil)
	return f
}

// fits says whether the slots are those for tags.
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

// arrange makes the slots for tags.
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

// loose is scratch for series whose tags do not make one label each.
type loose struct {
	labels []label
	slots  []slot
}

// arrange returns slots with the unified labels of a series of f, and their
// values.
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

// unit returns the name that Prometheus has for a unit of UCUM, empty for one
// that only says what is counted.
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
