package jsonlines

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/kubestate/kubestate/sink"
)

// encoder encodes lines. It caches the tags of the last Block as text, into which the
// tags of a series are merged. It is not safe for concurrent use.
type encoder struct {
	instance []sink.Tag

	block *sink.Block
	tags  []sink.Tag // of config, block and its resource, sorted
	text  []byte     // these as JSON strings, each followed by a comma
	ends  []int      // end of each in text
	own   []sink.Tag // of the series, sorted
}

func newEncoder(instance []sink.Tag) encoder { return encoder{instance: instance} }

func (e *encoder) appendSeries(dst []byte, s *sink.Series) []byte {
	dst = append(dst, `{"name":`...)
	dst = appendString(dst, s.Metric.Name)
	switch s.Metric.Type {
	case sink.Counter:
		dst = append(dst, `,"type":"counter","value":`...)
	case sink.UpDown:
		dst = append(dst, `,"type":"updown","value":`...)
	default:
		dst = append(dst, `,"type":"gauge","value":`...)
	}
	dst = appendNumber(dst, s.Value)
	dst = e.appendOrigin(dst, s.Block, s.Tags)
	return append(dst, '}', '\n')
}

func (e *encoder) appendCheck(dst []byte, c *sink.Check) []byte {
	dst = append(dst, `{"name":`...)
	dst = appendString(dst, c.Name)
	dst = append(dst, `,"type":"service_check","value":`...)
	dst = strconv.AppendUint(dst, uint64(c.Status), 10)
	dst = e.appendOrigin(dst, c.Block, c.Tags)
	dst = append(dst, `,"status":"`...)
	dst = append(dst, statusName(c.Status)...)
	dst = append(dst, `","message":`...)
	dst = appendString(dst, c.Message)
	return append(dst, '}', '\n')
}

func statusName(s sink.Status) string {
	switch s {
	case sink.OK:
		return "ok"
	case sink.Warning:
		return "warning"
	case sink.Critical:
		return "critical"
	default:
		return "unknown"
	}
}

// appendOrigin appends tags and host.
func (e *encoder) appendOrigin(dst []byte, b *sink.Block, own []sink.Tag) []byte {
	if b != e.block {
		e.enter(b)
	}
	dst = append(dst, `,"tags":[`...)
	dst = e.appendTags(dst, own)
	dst = append(dst, `],"host":`...)
	return appendString(dst, b.Host)
}

// enter sorts and encodes the shared tags of a Block.
func (e *encoder) enter(b *sink.Block) {
	e.block = b
	e.tags = append(append(append(e.tags[:0], e.instance...), b.Tags...), b.Resource...)
	slices.SortFunc(e.tags, compare)
	e.text, e.ends = e.text[:0], e.ends[:0]
	for _, t := range e.tags {
		e.text = appendTag(e.text, t)
		e.ends = append(e.ends, len(e.text))
	}
}

// appendTags appends the tags of the Block merged with own ones.
func (e *encoder) appendTags(dst []byte, own []sink.Tag) []byte {
	if len(e.tags)+len(own) == 0 {
		return dst
	}
	e.own = append(e.own[:0], own...)
	slices.SortFunc(e.own, compare)
	copied, next := 0, 0 // length of text copied; first tag not in it
	for _, t := range e.own {
		place, _ := slices.BinarySearchFunc(e.tags[next:], t, compare)
		if next += place; next > 0 {
			dst = append(dst, e.text[copied:e.ends[next-1]]...)
			copied = e.ends[next-1]
		}
		dst = appendTag(dst, t)
	}
	dst = append(dst, e.text[copied:]...)
	return dst[:len(dst)-1] // without the last comma
}

func appendTag(dst []byte, t sink.Tag) []byte {
	dst = append(dst, '"')
	dst = appendEscaped(dst, t.Key)
	dst = append(dst, ':')
	dst = appendEscaped(dst, t.Value)
	return append(dst, '"', ',')
}

// compare orders tags by their text, key:value.
func compare(a, b sink.Tag) int {
	if a.Key == b.Key {
		return strings.Compare(a.Value, b.Value)
	}
	n := min(len(a.Key), len(b.Key))
	if c := strings.Compare(a.Key[:n], b.Key[:n]); c != 0 {
		return c
	}
	for i := n; ; i++ { // one key is a prefix of the other
		x, y := at(a, i), at(b, i)
		if x != y || x < 0 {
			return cmp.Compare(x, y)
		}
	}
}

// at returns a byte of the text of a tag, or -1 after its end.
func at(t sink.Tag, i int) int {
	if i < len(t.Key) {
		return int(t.Key[i])
	}
	i -= len(t.Key)
	switch {
	case i == 0:
		return ':'
	case i <= len(t.Value):
		return int(t.Value[i-1])
	default:
		return -1
	}
}

// appendNumber appends the shortest text that parses as the same number.
func appendNumber(dst []byte, v float64) []byte {
	switch {
	case math.IsNaN(v):
		return append(dst, `"NaN"`...)
	case math.IsInf(v, 1):
		return append(dst, `"+Inf"`...)
	case math.IsInf(v, -1):
		return append(dst, `"-Inf"`...)
	}
	if a := math.Abs(v); a != 0 && (a < 1e-6 || a >= 1e21) {
		return strconv.AppendFloat(dst, v, 'e', -1, 64)
	}
	return strconv.AppendFloat(dst, v, 'f', -1, 64)
}

func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	dst = appendEscaped(dst, s)
	return append(dst, '"')
}

// appendEscaped appends the content of a JSON string, without quotes.
func appendEscaped(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return appendRunes(dst, s)
		}
	}
	return append(dst, s...)
}

func appendRunes(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, '\\', 'n')
		case r < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}
