package otlp

import (
	"slices"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/sink/internal/protobuf"
)

// Tags of fields: field number and wire type.
const (
	requestResource = 1<<3 | protobuf.Sized // opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest

	// opentelemetry.proto.metrics.v1: ResourceMetrics, ScopeMetrics, Metric, Gauge and
	// Sum.
	resourceResource = 1<<3 | protobuf.Sized
	resourceScope    = 2<<3 | protobuf.Sized
	scopeScope       = 1<<3 | protobuf.Sized
	scopeMetric      = 2<<3 | protobuf.Sized
	metricName       = 1<<3 | protobuf.Sized
	metricHelp       = 2<<3 | protobuf.Sized
	metricUnit       = 3<<3 | protobuf.Sized
	metricGauge      = 5<<3 | protobuf.Sized
	metricSum        = 7<<3 | protobuf.Sized
	dataPoint        = 1<<3 | protobuf.Sized
	sumTemporality   = 2 << 3
	sumMonotonic     = 3 << 3

	// NumberDataPoint in the same package.
	pointStart     = 2<<3 | protobuf.Fixed64
	pointTime      = 3<<3 | protobuf.Fixed64
	pointValue     = 4<<3 | protobuf.Fixed64
	pointAttribute = 7<<3 | protobuf.Sized
	pointFlags     = 8 << 3

	// opentelemetry.proto.resource.v1.Resource.
	resourceAttribute = 1<<3 | protobuf.Sized

	// opentelemetry.proto.common.v1: InstrumentationScope, KeyValue, AnyValue and ArrayValue.
	scopeName    = 1<<3 | protobuf.Sized
	scopeVersion = 2<<3 | protobuf.Sized
	pairKey      = 1<<3 | protobuf.Sized
	pairValue    = 2<<3 | protobuf.Sized
	valueString  = 1<<3 | protobuf.Sized
	valueArray   = 5<<3 | protobuf.Sized
	arrayValue   = 1<<3 | protobuf.Sized
)

// Enum values and flags.
const (
	cumulative      = 2 // AggregationTemporality
	noRecordedValue = 1 // DataPointFlags
)

// appendAttributes appends tags as attributes, in fields with the given tag. Equal keys
// are adjacent and become one attribute with an array of the distinct values, because
// OTLP requires unique keys. Tags without a key are dropped.
func appendAttributes(dst []byte, field byte, tags []sink.Tag) []byte {
	if dst, ok := appendPlain(dst, field, tags); ok {
		return dst
	}
	return appendMissing(dst, field, tags)
}

// appendMissing appends the tags whose keys are not among others.
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
	around = 6   // bytes per attribute in addition to key and value: tags and lengths
	short  = 100 // below this, all lengths of an attribute of ASCII take one byte
)

// appendPlain is appendAttributes in half the time, for most tags: short, valid, and
// one value per key. For others it returns false.
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

// run returns the number of leading tags with the same key.
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
	key, array := protobuf.Valid(tags[0].Key), sizeArray(tags)
	value := protobuf.SizeField(array)
	dst = protobuf.AppendSize(dst, field, protobuf.SizeField(len(key))+protobuf.SizeField(value))
	dst = protowire.AppendString(append(dst, pairKey), key)
	dst = protobuf.AppendSize(dst, pairValue, value)
	dst = protobuf.AppendSize(dst, valueArray, array)
	for i := range tags {
		if i == 0 || tags[i].Value != tags[i-1].Value {
			text := protobuf.Valid(tags[i].Value)
			dst = protobuf.AppendSize(dst, arrayValue, protobuf.SizeField(len(text)))
			dst = protowire.AppendString(append(dst, valueString), text)
		}
	}
	return dst
}

// appendPair appends an attribute with one value.
func appendPair(dst []byte, field byte, key, value string) []byte {
	key, value = protobuf.Valid(key), protobuf.Valid(value)
	size := protobuf.SizeField(len(value))
	dst = protobuf.AppendSize(dst, field, protobuf.SizeField(len(key))+protobuf.SizeField(size))
	dst = protowire.AppendString(append(dst, pairKey), key)
	dst = protobuf.AppendSize(dst, pairValue, size)
	return protowire.AppendString(append(dst, valueString), value)
}

// distinct returns the number of distinct values of sorted tags with one key.
func distinct(tags []sink.Tag) int {
	n := 1
	for i := 1; i < len(tags); i++ {
		if tags[i].Value != tags[i-1].Value {
			n++
		}
	}
	return n
}

// sizeArray returns the encoded length of the ArrayValue of these tags.
func sizeArray(tags []sink.Tag) int {
	n := 0
	for i := range tags {
		if i == 0 || tags[i].Value != tags[i-1].Value {
			n += protobuf.SizeField(protobuf.SizeField(len(protobuf.Valid(tags[i].Value))))
		}
	}
	return n
}

// appendMetric appends the fields of a Metric that precede its data.
func appendMetric(dst []byte, m *sink.Metric) []byte {
	dst = protowire.AppendString(append(dst, metricName), protobuf.Valid(m.Name))
	if m.Help != "" {
		dst = protowire.AppendString(append(dst, metricHelp), protobuf.Valid(m.Help))
	}
	if m.Unit != "" {
		dst = protowire.AppendString(append(dst, metricUnit), protobuf.Valid(m.Unit))
	}
	return dst
}

// appendScope appends the scope of a ScopeMetrics.
func appendScope(dst []byte, name, version string) []byte {
	scope := protowire.AppendString([]byte{scopeName}, name)
	if version != "" {
		scope = protowire.AppendString(append(scope, scopeVersion), protobuf.Valid(version))
	}
	return protowire.AppendBytes(append(dst, scopeScope), scope)
}
