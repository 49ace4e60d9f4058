// Package exposition writes samples in the formats that Prometheus scrapes: the text format
// 0.0.4, OpenMetrics 1.0 and delimited protobuf, which it converts from lines of text. It
// negotiates format and encoding with a client. It knows neither the catalog of kinds nor how
// rendered text is stored.
package exposition

import (
	"bytes"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/kubestate/kubestate/metric"
)

// A Writer renders the samples of one object after another as sample lines, which are the
// same in the text format and in OpenMetrics. It is a metric.Sink for one schema. It
// allocates nothing once its buffers have grown, and is not safe for concurrent use.
type Writer struct {
	buf      []byte
	spans    []span // per family: the position of its lines in buf
	series   int
	heads    [][]byte // per family: `kube_replicaset_owner{`
	labels   [][]byte // per family and own label: `,owner_kind="`
	first    []int    // per family: index of its first own label in labels
	keys     [][]byte // per identity label: `,namespace="`, the first without comma
	ids      []byte   // the object's rendered identity labels, escaped once
	identity int
	tails    [][]byte // per family: further labels of its lines; nil: none
}

type span struct{ start, end int }

// NewWriter returns a Writer for the families of s.
func NewWriter(s *metric.Schema) *Writer {
	w := &Writer{spans: make([]span, len(s.Families)), identity: len(s.Identity)}
	for _, l := range s.Identity {
		w.keys = append(w.keys, labelStart(l, len(w.keys) > 0))
	}
	for i := range s.Families {
		d := &s.Families[i]
		w.heads = append(w.heads, []byte(d.Name+"{"))
		w.first = append(w.first, len(w.labels))
		for j, l := range d.Labels {
			w.labels = append(w.labels, labelStart(l, j > 0 || len(s.Identity) > 0))
		}
	}
	return w
}

func labelStart(l metric.Label, comma bool) []byte {
	if comma {
		return []byte("," + l.Name + `="`)
	}
	return []byte(l.Name + `="`)
}

// Reset discards the lines of the current object.
func (w *Writer) Reset() {
	w.buf, w.ids, w.series = w.buf[:0], w.ids[:0], 0
	clear(w.spans)
}

// Tails sets further labels of all lines until its next call, after those of their family:
// tails[i] has labels written by AppendLabel for family i, or is empty. Nil sets none. A
// sample without labels gets none either.
func (w *Writer) Tails(tails [][]byte) { w.tails = tails }

// Begin starts an object and discards the lines of the previous one.
func (w *Writer) Begin(_ *metric.Schema, identity []string) {
	w.Reset()
	for i, v := range identity {
		w.ids = appendValue(append(w.ids, w.keys[i]...), v)
	}
}

// Sample renders one sample as a line.
func (w *Writer) Sample(s *metric.Sample) {
	start := len(w.buf)
	b := append(w.buf, w.heads[s.Family]...)
	b = append(b, w.ids...)
	own := s.Values[w.identity:]
	if s.Dynamic {
		b = appendLabels(b, s.Names[w.identity:], own, w.identity > 0)
	} else {
		for i, v := range own {
			b = appendValue(append(b, w.labels[w.first[s.Family]+i]...), v)
		}
	}
	switch {
	case len(s.Values) == 0:
		b = append(b[:len(b)-1], ' ') // no braces around nothing
	case w.tails != nil:
		b = append(append(b, w.tails[s.Family]...), "} "...)
	default:
		b = append(b, "} "...)
	}
	w.buf = append(AppendFloat(b, s.Value), '\n')
	if w.spans[s.Family].end == 0 {
		w.spans[s.Family].start = start
	}
	w.spans[s.Family].end = len(w.buf)
	w.series++
}

func appendLabels(dst []byte, names, values []string, comma bool) []byte {
	for i, name := range names {
		if comma || i > 0 {
			dst = append(dst, ',')
		}
		dst = appendValue(append(append(dst, name...), `="`...), values[i])
	}
	return dst
}

// Lines returns the sample lines of family i of the current object, each with a line feed at
// its end. They are valid until the next Begin or Reset.
func (w *Writer) Lines(i int) []byte { return w.buf[w.spans[i].start:w.spans[i].end] }

// Series returns the number of samples of the current object.
func (w *Writer) Series() int { return w.series }

// appendValue appends a label value, escaped, and its closing quote. Bytes that are not UTF-8
// become U+FFFD, because one such byte makes Prometheus reject the whole body.
func appendValue(dst []byte, v string) []byte {
	clean := 0 // v[:clean] is written
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case c == '\n':
			dst, clean = append(append(dst, v[clean:i]...), `\n`...), i+1
		case c == '\\' || c == '"':
			dst, clean = append(append(dst, v[clean:i]...), '\\', c), i+1
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRuneInString(v[i:])
			if r == utf8.RuneError && size == 1 {
				dst, clean = append(append(dst, v[clean:i]...), "\uFFFD"...), i+1
			}
			i += size - 1
		}
	}
	return append(append(dst, v[clean:]...), '"')
}

// AppendFloat appends v as Prometheus clients do: the shortest digits that round-trip, with
// an exponent below 1e-4 and from 1e6 on, and 0 for negative zero.
func AppendFloat(dst []byte, v float64) []byte {
	if n := int64(v); float64(n) == v && -1e6 < v && v < 1e6 {
		return strconv.AppendInt(dst, n, 10) // the same as 'g', but much faster
	}
	return strconv.AppendFloat(dst, v, 'g', -1, 64)
}

// AppendHeader appends the HELP and TYPE lines of family d, in OpenMetrics also UNIT.
func AppendHeader(dst []byte, d *metric.Desc, f Format) []byte {
	name, typ := familyName(d, f), familyType(d, f)
	dst = append(append(dst, "# HELP "...), name...)
	dst = appendHelp(append(dst, ' '), d.HelpText(), f)
	dst = append(append(dst, "\n# TYPE "...), name...)
	dst = append(append(dst, ' '), typ...)
	if d.Unit != "" && f.openMetrics() {
		dst = append(append(dst, "\n# UNIT "...), name...)
		dst = append(append(dst, ' '), d.Unit...)
	}
	return append(dst, '\n')
}

// familyName returns the name for HELP and TYPE lines. In OpenMetrics the suffix of a counter
// or an info is only in the names of samples (OpenMetrics 1.0, "Counter" and "Info").
func familyName(d *metric.Desc, f Format) string {
	if suffix := openMetricsSuffix(d.Type); f.openMetrics() && hasSuffix(d.Name, suffix) {
		return d.Name[:len(d.Name)-len(suffix)]
	}
	return d.Name
}

// familyType returns the type for the TYPE line. The text format has neither info nor
// stateset; in OpenMetrics a counter or an info without the suffix must be unknown, and the
// states of a stateset are values of a label named as the family.
func familyType(d *metric.Desc, f Format) metric.Type {
	suffix := openMetricsSuffix(d.Type)
	switch {
	case f.openMetrics() && suffix != "" && !hasSuffix(d.Name, suffix):
		return "unknown"
	case !f.openMetrics() && (d.Type == metric.Info || d.Type == metric.StateSet),
		d.Type == metric.StateSet && !slices.ContainsFunc(d.Labels, func(l metric.Label) bool { return l.Name == d.Name }):
		return metric.Gauge
	default:
		return d.Type
	}
}

func openMetricsSuffix(t metric.Type) string {
	switch t {
	case metric.Counter:
		return "_total"
	case metric.Info:
		return "_info"
	default:
		return ""
	}
}

func hasSuffix(name, suffix string) bool {
	return suffix != "" && len(name) > len(suffix) && name[len(name)-len(suffix):] == suffix
}

// appendHelp appends the text of a HELP line. Both formats escape backslash and line feed,
// OpenMetrics also the double quote.
func appendHelp(dst []byte, text string, f Format) []byte {
	for _, c := range bytes.ToValidUTF8([]byte(text), []byte("\uFFFD")) {
		switch {
		case c == '\n':
			dst = append(dst, `\n`...)
		case c == '\\' || c == '"' && f.openMetrics():
			dst = append(dst, '\\', c)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
