package exposition

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"github.com/kubestate/kubestate/metric"
)

// Tags of the fields that are written: number<<3 | wire type, where 2 is bytes preceded by
// their length, 1 eight bytes and 0 a varint. The numbers are those of
// io/prometheus/client/metrics.proto in github.com/prometheus/client_model.
const (
	familyNameTag   = 1<<3 | 2 // MetricFamily
	familyHelpTag   = 2<<3 | 2
	familyTypeTag   = 3 << 3
	familyMetricTag = 4<<3 | 2

	metricLabelTag   = 1<<3 | 2 // Metric
	metricGaugeTag   = 2<<3 | 2
	metricCounterTag = 3<<3 | 2

	labelNameTag  = 1<<3 | 2 // LabelPair
	labelValueTag = 2<<3 | 2

	valueTag = 1<<3 | 1 // Gauge and Counter

	typeCounter = 0 // MetricType
	typeGauge   = 1
)

// valueMessage is the length of a Gauge or Counter, valueField that of the field of Metric
// that contains one.
const (
	valueMessage = 1 + 8
	valueField   = 2 + valueMessage
)

// AppendProtobufHead appends what precedes the metrics of family d in the delimited protobuf
// format: the length of its MetricFamily message, of which metricsSize bytes are metrics,
// and the fields name, help and type. Names and types are those of the text format.
func AppendProtobufHead(dst []byte, d *metric.Desc, metricsSize int) []byte {
	help := strings.ToValidUTF8(d.HelpText(), "\uFFFD")
	const typeField = 2
	size := bytesField(len(d.Name)) + bytesField(len(help)) + typeField + metricsSize
	dst = binary.AppendUvarint(dst, uint64(size))
	dst = append(appendKey(dst, familyNameTag, len(d.Name)), d.Name...)
	dst = append(appendKey(dst, familyHelpTag, len(help)), help...)
	if isCounter(d) {
		return append(dst, familyTypeTag, typeCounter)
	}
	return append(dst, familyTypeTag, typeGauge)
}

// AppendProtobuf appends the samples of family d as metric fields of a MetricFamily message,
// one for each line. The lines must have been written by a Writer for the family: they are
// not validated, and others may panic. It allocates nothing if dst has capacity for
// ProtobufSize more bytes.
func AppendProtobuf(dst, lines []byte, d *metric.Desc) []byte {
	escaped := bytes.IndexByte(lines, '\\') >= 0
	value := byte(metricGaugeTag)
	if isCounter(d) {
		value = metricCounterTag
	}
	for len(lines) > 0 {
		dst = append(dst, familyMetricTag, 0)
		start := len(dst)
		rest := lines[len(d.Name):]
		var l label
		for startsLabel(rest) {
			l, rest = cutLabel(rest, escaped)
			dst = l.appendTo(dst)
		}
		var v float64
		v, lines = cutValue(rest)
		dst = append(dst, value, valueMessage, valueTag)
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
		dst = setLength(dst, start)
	}
	return dst
}

// ProtobufSize returns the number of bytes that AppendProtobuf appends for the same lines. It
// allocates nothing.
func ProtobufSize(lines []byte, d *metric.Desc) int {
	size, escaped := 0, bytes.IndexByte(lines, '\\') >= 0
	for len(lines) > 0 {
		m := valueField
		rest := lines[len(d.Name):]
		var l label
		for startsLabel(rest) {
			l, rest = cutLabel(rest, escaped)
			m += bytesField(l.size())
		}
		size += bytesField(m)
		lines = rest[bytes.IndexByte(rest, '\n')+1:]
	}
	return size
}

// isCounter reports whether a family is a counter; else it is a gauge, also Info and StateSet,
// as in the text format.
func isCounter(d *metric.Desc) bool { return d.Type == metric.Counter }

// setLength writes the length of dst[start:] into the byte before it, and moves dst[start:] if
// the length takes more than a byte.
func setLength(dst []byte, start int) []byte {
	n := len(dst) - start
	if n < 0x80 {
		dst[start-1] = byte(n)
		return dst
	}
	more := varintSize(n) - 1
	dst = slices.Grow(dst, more)[:len(dst)+more]
	copy(dst[start+more:], dst[start:start+n])
	binary.PutUvarint(dst[start-1:], uint64(n))
	return dst
}

// A label is one label of a line. Its value is escaped.
type label struct {
	name, value []byte
	escapes     int // number of bytes that unescaping removes from value
}

// startsLabel reports whether a label follows.
func startsLabel(rest []byte) bool { return rest[0] == '{' || rest[0] == ',' }

// cutLabel cuts off the brace or comma and the label after it. escaped reports whether any
// line has a backslash: one search in all lines is cheaper than one in each value.
func cutLabel(b []byte, escaped bool) (l label, rest []byte) {
	equals := 1
	for b[equals] != '=' {
		equals++
	}
	l.name, b = b[1:equals], b[equals+len(`="`):]
	end := bytes.IndexByte(b, '"')
	if escaped && bytes.IndexByte(b[:end], '\\') >= 0 { // the quote may be an escaped one
		for end = 0; b[end] != '"'; end++ {
			if b[end] == '\\' {
				end++
				l.escapes++
			}
		}
	}
	l.value = b[:end]
	return l, b[end+1:]
}

// cutValue cuts off what follows the labels: the value and the line feed.
func cutValue(b []byte) (v float64, rest []byte) {
	if b[0] == '}' {
		b = b[1:]
	}
	end := bytes.IndexByte(b, '\n')
	return parseFloat(b[1:end]), b[end+1:]
}

// parseFloat is the inverse of AppendFloat.
func parseFloat(b []byte) float64 {
	const exact = 15 // number of digits of an integer that a float64 always represents exactly
	digits := bytes.TrimPrefix(b, []byte("-"))
	n := 0
	for _, c := range digits {
		if c < '0' || c > '9' || len(digits) > exact {
			v, _ := strconv.ParseFloat(string(b), 64) // AppendFloat writes valid numbers only
			return v
		}
		n = 10*n + int(c-'0')
	}
	if len(digits) < len(b) {
		n = -n
	}
	return float64(n)
}

// size returns the length of the LabelPair message.
func (l label) size() int { return bytesField(len(l.name)) + bytesField(len(l.value)-l.escapes) }

// appendTo appends the label as a field of Metric.
func (l label) appendTo(dst []byte) []byte {
	dst = appendKey(dst, metricLabelTag, l.size())
	dst = append(appendKey(dst, labelNameTag, len(l.name)), l.name...)
	dst = appendKey(dst, labelValueTag, len(l.value)-l.escapes)
	if l.escapes == 0 {
		return append(dst, l.value...)
	}
	return appendUnescaped(dst, l.value)
}

// appendUnescaped appends a value that appendValue has escaped.
func appendUnescaped(dst, value []byte) []byte {
	for i := 0; i < len(value); i++ {
		c := value[i]
		if c == '\\' {
			if i++; value[i] == 'n' {
				c = '\n'
			} else {
				c = value[i]
			}
		}
		dst = append(dst, c)
	}
	return dst
}

// appendKey appends what precedes n bytes in a field.
func appendKey(dst []byte, tag byte, n int) []byte {
	if n < 0x80 {
		return append(dst, tag, byte(n))
	}
	return binary.AppendUvarint(append(dst, tag), uint64(n))
}

// bytesField returns the length of a field of n bytes.
func bytesField(n int) int { return 1 + varintSize(n) + n }

// varintSize returns the length of n as a varint: a byte for each 7 bits.
func varintSize(n int) int {
	if n < 0x80 {
		return 1
	}
	return (bits.Len(uint(n)) + 6) / 7
}
