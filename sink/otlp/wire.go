package otlp

import (
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/kubestate/kubestate/sink"
)

// How a field is encoded, if it is not a varint, which is 0.
const (
	fixed64 = 1 // eight bytes
	sized   = 2 // a length, and as many bytes
)

// The tags of the fields: the number of the field, and how it is encoded.
const (
	requestResource = 1<<3 | sized // opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest

	// opentelemetry.proto.metrics.v1: ResourceMetrics, ScopeMetrics, Metric, Gauge and Sum.
	resourceResource = 1<<3 | sized
	resourceScope    = 2<<3 | sized
	scopeScope       = 1<<3 | sized
	scopeMetric      = 2<<3 | sized
	metricName       = 1<<3 | sized
	metricHelp       = 2<<3 | sized
	metricUnit       = 3<<3 | sized
	metricGauge      = 5<<3 | sized
	metricSum        = 7<<3 | sized
	dataPoint        = 1<<3 | sized
	sumTemporality   = 2 << 3
	sumMonotonic     = 3 << 3

	// The NumberDataPoint there.
	pointStart     = 2<<3 | fixed64
	pointTime      = 3<<3 | fixed64
	pointValue     = 4<<3 | fixed64
	pointAttribute = 7<<3 | sized
	pointFlags     = 8 << 3

	// opentelemetry.proto.resource.v1.Resource.
	resourceAttribute = 1<<3 | sized

	// opentelemetry.proto.common.v1: InstrumentationScope, KeyValue, AnyValue and ArrayValue.
	scopeName    = 1<<3 | sized
	scopeVersion = 2<<3 | sized
	pairKey      = 1<<3 | sized
	pairValue    = 2<<3 | sized
	valueString  = 1<<3 | sized
	valueArray   = 5<<3 | sized
	arrayValue   = 1<<3 | sized
)

// Values of enumerations and flags.
const (
	cumulative      = 2 // AggregationTemporality
	noRecordedValue = 1 // DataPointFlags
)

// appendAttributes appends tags as attributes, which are fields with the given
// tag. Equal keys stand beside each other: they become one attribute whose value is
// an array, without those that are there twice, because OTLP demands that keys are
// unique. Tags without a key have no place in it.
func appendAttributes(dst []byte, field byte, tags []sink.Tag) []byte {
	if dst, ok := appendPlain(dst, field, tags); ok {
		return dst
	}
	return appendMissing(dst, field, tags)
}

// appendMissing appends those tags whose keys are not among others.
func appendMissing(dst []byte, field byte, tags []sink.Tag, others ...[]sink.Tag) []byte {
	for len(tags) > 0 {
		n := run(tags)
		if key := tags[0].Key; key != "" && !slices.ContainsFunc(others, func(other []sink.Tag) bool { return hasKey(other, key) }) {
			dst = appendAttribute(dst, field, tags[:n])
		}
		tags = tags[n:]
	}
	return dst
}

func hasKey(tags []sink.Tag, key string) bool {
	for i := range tags {
		if tags[i].Key == key {
			return true
		}
	}
	return false
}

const (
	around = 6   // bytes around key and value of an attribute: tags and lengths
	short  = 100 // where key and value are shorter, all lengths take one byte, which is ASCII
)

// appendPlain does what appendAttributes does, in half the time, for tags as most
// are: short, with one value for each key, and valid. Else ok is false.
func appendPlain(dst []byte, field byte, tags []sink.Tag) (_ []byte, ok bool) {
	start, before := len(dst), ""
	for i := range tags {
		key, value := tags[i].Key, tags[i].Value
		if key == "" || key == before || len(key)+len(value) >= short {
			return nil, false
		}
		dst = append(dst, field, byte(len(key)+len(value)+around), pairKey, byte(len(key)))
		dst = append(dst, key...)
		dst = append(dst, pairValue, byte(2+len(value)), valueString, byte(len(value)))
		dst = append(dst, value...)
		before = key
	}
	return dst, utf8.Valid(dst[start:])
}

// run returns how many tags at the beginning have the key of the first.
func run(tags []sink.Tag) int {
	n := 1
	for n < len(tags) && tags[n].Key == tags[0].Key {
		n++
	}
	return n
}

// appendAttribute appends tags of one key as one attribute.
func appendAttribute(dst []byte, field byte, tags []sink.Tag) []byte {
	if distinct(tags) == 1 {
		return appendPair(dst, field, tags[0].Key, tags[0].Value)
	}
	key, array := valid(tags[0].Key), sizeArray(tags)
	value := 1 + protowire.SizeBytes(array)
	dst = append(dst, field)
	dst = protowire.AppendVarint(dst, uint64(sizeString(key)+1+protowire.SizeBytes(value)))
	dst = appendString(dst, pairKey, key)
	dst = append(dst, pairValue)
	dst = protowire.AppendVarint(dst, uint64(value))
	dst = append(dst, valueArray)
	dst = protowire.AppendVarint(dst, uint64(array))
	for i := range tags {
		if i == 0 || tags[i].Value != tags[i-1].Value {
			text := valid(tags[i].Value)
			dst = append(dst, arrayValue)
			dst = protowire.AppendVarint(dst, uint64(sizeString(text)))
			dst = appendString(dst, valueString, text)
		}
	}
	return dst
}

// appendPair appends an attribute that has one value.
func appendPair(dst []byte, field byte, key, value string) []byte {
	key, value = valid(key), valid(value)
	size := sizeString(value)
	dst = append(dst, field)
	dst = protowire.AppendVarint(dst, uint64(sizeString(key)+1+protowire.SizeBytes(size)))
	dst = appendString(dst, pairKey, key)
	dst = append(dst, pairValue)
	dst = protowire.AppendVarint(dst, uint64(size))
	return appendString(dst, valueString, value)
}

// distinct returns how many different values sorted tags of one key have.
func distinct(tags []sink.Tag) int {
	n := 1
	for i := 1; i < len(tags); i++ {
		if tags[i].Value != tags[i-1].Value {
			n++
		}
	}
	return n
}

// sizeArray returns the length of the ArrayValue of such tags.
func sizeArray(tags []sink.Tag) int {
	n := 0
	for i := range tags {
		if i == 0 || tags[i].Value != tags[i-1].Value {
			n += 1 + protowire.SizeBytes(sizeString(valid(tags[i].Value)))
		}
	}
	return n
}

// appendMetric appends the fields of a Metric before its data.
func appendMetric(dst []byte, m *sink.Metric) []byte {
	dst = appendString(dst, metricName, valid(m.Name))
	if m.Help != "" {
		dst = appendString(dst, metricHelp, valid(m.Help))
	}
	if m.Unit != "" {
		dst = appendString(dst, metricUnit, valid(m.Unit))
	}
	return dst
}

// appendScope appends the scope of a ScopeMetrics.
func appendScope(dst []byte, name, version string) []byte {
	scope := appendString(nil, scopeName, name)
	if version != "" {
		scope = appendString(scope, scopeVersion, valid(version))
	}
	return protowire.AppendBytes(append(dst, scopeScope), scope)
}

func appendFixed(dst []byte, field byte, bits uint64) []byte {
	return binary.LittleEndian.AppendUint64(append(dst, field), bits)
}

func appendString(dst []byte, field byte, s string) []byte {
	return protowire.AppendString(append(dst, field), s)
}

// sizeString returns the length of what appendString appends.
func sizeString(s string) int { return 1 + protowire.SizeBytes(len(s)) }

// valid returns s with what is not UTF-8 replaced; protobuf has no other strings.
func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
