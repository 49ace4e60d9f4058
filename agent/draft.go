package agent

import (
	"slices"

	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/internal/join"
	"github.com/kubestate/kubestate/sink"
)

// draft is what becomes of one object, as far as that depends on no other object. Its
// memory is reused for the next one, and its strings are those of the object: whoever
// keeps any of it makes a copy.
type draft struct {
	resource *resource

	// The labels that all blocks share: those of the object, and after the first ids of
	// them those that it gives itself.
	names, values []string
	ids           int

	provided []draftProvided
	variants []variant // one block each
	series   []draftSeries
	checks   []draftCheck
	parts    []draftPart
	starts   []int64 // from which counters count
	moving   []*naming.Moving

	// What spans of the above refer to.
	given []join.Label
	own   []ownLabel
	tags  []sink.Tag
	text  []byte
}

// span is a range of a slice of a draft.
type span struct{ from, to int }

// draftProvided is labels that the object provides to others under a key.
type draftProvided struct {
	source *joinSource
	key    span // of text
	labels span // of given
}

// variant is what one block of an object has in addition to what all its blocks share.
type variant struct {
	mapping *mapping
	own     []ownLabel
}

// ownLabel is a label of some samples of an object that concerns the whole block: a
// join matches it, it names the host, or a join may bring the same tag.
type ownLabel struct {
	name, value string // empty: nothing but a tag
	key, shown  string // the tag that it becomes; an empty key: none
}

type draftSeries struct {
	metric  *sink.Metric
	tags    span
	value   float64
	variant int
	start   int // index in starts, plus 1; 0: none
	age     bool
	moving  bool
}

type draftCheck struct {
	name    *sink.Metric
	status  sink.Status
	message span // of text
	tags    span
	variant int
	due     float64
}

// draftPart is what the object adds to an aggregation.
type draftPart struct {
	total  *aggregate
	metric *sink.Metric
	key    span // of text, as own
	own    span
	word   uint64
}

func (d *draft) reset() {
	d.names, d.values, d.ids = d.names[:0], d.values[:0], 0
	d.provided, d.variants, d.series, d.checks, d.parts = d.provided[:0], d.variants[:0], d.series[:0], d.checks[:0], d.parts[:0]
	d.starts, d.moving = d.starts[:0], d.moving[:0]
	d.given, d.own, d.tags, d.text = d.given[:0], d.own[:0], d.tags[:0], d.text[:0]
}

// labelsOf returns the labels that are provided.
func (d *draft) labelsOf(g *draftProvided) []join.Label {
	return d.given[g.labels.from:g.labels.to:g.labels.to]
}

// tagsOf returns the tags of a series or check, sorted.
func (d *draft) tagsOf(s span) []sink.Tag { return d.tags[s.from:s.to] }

func (d *draft) textOf(s span) []byte { return d.text[s.from:s.to] }

// addLabel adds a label to all blocks.
func (d *draft) addLabel(name, value string) {
	d.names, d.values = append(d.names, name), append(d.values, value)
}

// addTags adds the tags of a series.
func (d *draft) addTags(tags []sink.Tag) span {
	from := len(d.tags)
	d.tags = append(d.tags, tags...)
	return span{from, len(d.tags)}
}

// variant returns the number of the block with a mapping and own labels, which are
// copied.
func (d *draft) variant(m *mapping, own []ownLabel) int {
	for i, v := range slices.Backward(d.variants) {
		if v.mapping == m && slices.Equal(v.own, own) {
			return i
		}
	}
	from := len(d.own)
	d.own = append(d.own, own...)
	d.variants = append(d.variants, variant{mapping: m, own: d.own[from:len(d.own):len(d.own)]})
	return len(d.variants) - 1
}

// maxStarts is how many different start times the counters of an object may have. More
// than one is odd.
const maxStarts = 255

// start returns the number of a start time in starts, plus 1.
func (d *draft) start(seconds float64) int {
	ms := int64(seconds * 1000)
	i := slices.Index(d.starts, ms)
	switch {
	case i >= 0:
	case len(d.starts) < maxStarts:
		i = len(d.starts)
		d.starts = append(d.starts, ms)
	}
	return i + 1
}

// sort sorts the series by block.
func (d *draft) sort() {
	if len(d.variants) > 1 {
		slices.SortStableFunc(d.series, func(a, b draftSeries) int { return a.variant - b.variant })
	}
}

// inOrder sorts tags and drops duplicates.
func inOrder(tags []sink.Tag) []sink.Tag {
	slices.SortFunc(tags, sink.Tag.Compare)
	return slices.Compact(tags)
}
