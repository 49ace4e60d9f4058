package resolve

import (
	"slices"

	"github.com/kubestate/kubestate/agent/internal/compile"
	"github.com/kubestate/kubestate/agent/naming"
	"github.com/kubestate/kubestate/internal/join"
	"github.com/kubestate/kubestate/sink"
)

// Draft is the result of resolving one object, as far as it does not depend on other
// objects. Its memory is reused for the next one, and its strings are those of the object:
// whoever retains any of it must copy it.
type Draft struct {
	resource *compile.Resource

	// The labels that all blocks share: those of the object, and after the first ids of
	// them those that it gives itself.
	Names, Values []string
	IDs           int

	Provided []Provided
	Variants []Variant // one block each
	Series   []Series
	Checks   []Check
	Parts    []Part
	Starts   []int64 // from which counters count
	Moving   []*naming.Moving

	// What spans of the above refer to.
	providedLabels []join.Label
	own            []ownLabel
	tags           []sink.Tag
	text           []byte
}

// span is a range of a slice of a draft.
type span struct{ from, to int }

// Provided is labels that the object provides to others under a key.
type Provided struct {
	Source *compile.Join
	Key    span // of text
	labels span // of providedLabels
}

// Variant is what one block of an object has in addition to what all its blocks share.
type Variant struct {
	Mapping *compile.Mapping
	Own     []ownLabel
}

// ownLabel is a label of some samples of an object that concerns the whole block: a
// join matches it, it names the host, or a join may bring the same tag.
type ownLabel struct {
	Name, Value string // empty: nothing but a tag
	Key, Shown  string // the tag that it becomes; an empty key: none
}

// Series is one series of the object.
type Series struct {
	Metric  *sink.Metric
	Tags    span
	Value   float64
	Variant int
	Start   int // index in starts, plus 1; 0: none
	Age     bool
	Moving  bool
}

// Check is one service check of the object.
type Check struct {
	Name    *sink.Metric
	Status  sink.Status
	Message span // of text
	Tags    span
	Variant int
	Due     float64
}

// Part is what the object adds to an aggregation.
type Part struct {
	Aggregation *compile.Aggregation
	Metric      *sink.Metric
	Key         span // of text, as own
	Own         span
	Word        uint64
}

func (d *Draft) reset() {
	d.Names, d.Values, d.IDs = d.Names[:0], d.Values[:0], 0
	d.Provided, d.Variants, d.Series, d.Checks, d.Parts = d.Provided[:0], d.Variants[:0], d.Series[:0], d.Checks[:0], d.Parts[:0]
	d.Starts, d.Moving = d.Starts[:0], d.Moving[:0]
	d.providedLabels, d.own, d.tags, d.text = d.providedLabels[:0], d.own[:0], d.tags[:0], d.text[:0]
}

// LabelsOf returns the labels that are provided.
func (d *Draft) LabelsOf(g *Provided) []join.Label {
	return d.providedLabels[g.labels.from:g.labels.to:g.labels.to]
}

// TagsOf returns the tags of a series or check, sorted.
func (d *Draft) TagsOf(s span) []sink.Tag { return d.tags[s.from:s.to] }

// TextOf returns the text of a key or message.
func (d *Draft) TextOf(s span) []byte { return d.text[s.from:s.to] }

// addLabel adds a label to all blocks.
func (d *Draft) addLabel(name, value string) {
	d.Names, d.Values = append(d.Names, name), append(d.Values, value)
}

// addTags adds the tags of a series.
func (d *Draft) addTags(tags []sink.Tag) span {
	from := len(d.tags)
	d.tags = append(d.tags, tags...)
	return span{from, len(d.tags)}
}

// variant returns the number of the block with a mapping and own labels, which are
// copied.
func (d *Draft) variant(m *compile.Mapping, own []ownLabel) int {
	for i, v := range slices.Backward(d.Variants) {
		if v.Mapping == m && slices.Equal(v.Own, own) {
			return i
		}
	}
	from := len(d.own)
	d.own = append(d.own, own...)
	d.Variants = append(d.Variants, Variant{Mapping: m, Own: d.own[from:len(d.own):len(d.own)]})
	return len(d.Variants) - 1
}

// addCheck adds a check of a sample, with the tags and block of its series.
func (d *Draft) addCheck(of *compile.Check, name *sink.Metric, s *Series, p *naming.Point) {
	c := Check{Name: name, Status: of.StatusOf(p), Tags: s.Tags, Variant: s.Variant}
	if of.Due {
		c.Due = p.Value
	}
	c.Message.from = len(d.text)
	d.text = of.AppendMessage(d.text, p)
	c.Message.to = len(d.text)
	d.Checks = append(d.Checks, c)
}

// maxStarts is how many different start times the counters of an object may have. More
// than one is odd.
const maxStarts = 255

// start returns the number of a start time in starts, plus 1.
func (d *Draft) start(seconds float64) int {
	ms := int64(seconds * 1000)
	i := slices.Index(d.Starts, ms)
	switch {
	case i >= 0:
	case len(d.Starts) < maxStarts:
		i = len(d.Starts)
		d.Starts = append(d.Starts, ms)
	}
	return i + 1
}

// sort sorts the series by block.
func (d *Draft) sort() {
	if len(d.Variants) > 1 {
		slices.SortStableFunc(d.Series, func(a, b Series) int { return a.Variant - b.Variant })
	}
}

// SortTags sorts tags and drops duplicates.
func SortTags(tags []sink.Tag) []sink.Tag {
	slices.SortFunc(tags, sink.Tag.Compare)
	return slices.Compact(tags)
}
