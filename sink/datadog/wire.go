package datadog

import (
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/sink/internal/protobuf"
)

// Tags of fields of datadog.agentpayload.MetricPayload: field number and wire type.
const (
	payloadSeries = 1<<3 | protobuf.Sized

	seriesResource = 1<<3 | protobuf.Sized
	seriesMetric   = 2<<3 | protobuf.Sized
	seriesTag      = 3<<3 | protobuf.Sized
	seriesPoint    = 4<<3 | protobuf.Sized
	seriesType     = 5 << 3
	seriesUnit     = 6<<3 | protobuf.Sized

	resourceType = 1<<3 | protobuf.Sized
	resourceName = 2<<3 | protobuf.Sized

	pointValue = 1<<3 | protobuf.Fixed64
	pointTime  = 2 << 3
)

// typeGauge is the MetricType of all series.
const typeGauge = 3

// appendTag appends a tag of a series.
func appendTag(dst []byte, key, value string) []byte {
	start := len(dst)
	dst = protobuf.AppendSize(dst, seriesTag, len(key)+1+len(value))
	text := len(dst)
	dst = append(dst, key...)
	dst = append(dst, ':')
	dst = append(dst, value...)
	if !utf8.Valid(dst[text:]) { // faster than checking key and value
		return appendTag(dst[:start], protobuf.Valid(key), protobuf.Valid(value))
	}
	return dst
}

func appendTags(dst []byte, tags []sink.Tag) []byte {
	for i := range tags {
		dst = appendTag(dst, tags[i].Key, tags[i].Value)
	}
	return dst
}

// appendHost appends the resource that sets the host of a series.
func appendHost(dst []byte, host string) []byte {
	const kind = "host"
	host = protobuf.Valid(host)
	dst = protobuf.AppendSize(dst, seriesResource, protobuf.SizeField(len(kind))+protobuf.SizeField(len(host)))
	dst = protowire.AppendString(append(dst, resourceType), kind)
	return protowire.AppendString(append(dst, resourceName), host)
}

// appendMetric appends the shared fields of the series of a metric.
func appendMetric(dst []byte, m *sink.Metric) []byte {
	dst = protowire.AppendString(append(dst, seriesMetric), protobuf.Valid(m.Name))
	dst = append(dst, seriesType, typeGauge)
	if u := unit(m.Unit); u != "" {
		dst = protowire.AppendString(append(dst, seriesUnit), u)
	}
	return dst
}

// appendPoint appends the point of a series.
func appendPoint(dst []byte, bits uint64, seconds int64) []byte {
	dst = append(dst, seriesPoint, byte(sizePoint(seconds)-2))
	dst = protowire.AppendFixed64(append(dst, pointValue), bits)
	return protowire.AppendVarint(append(dst, pointTime), uint64(seconds))
}

// sizePoint returns the encoded length of a point.
func sizePoint(seconds int64) int { return 2 + 1 + 8 + 1 + protowire.SizeVarint(uint64(seconds)) }

// unit returns Datadog's name of a UCUM unit, or nothing if there is none or the unit
// only says what is counted.
func unit(ucum string) string {
	switch ucum {
	case "By":
		return "byte"
	case "s":
		return "second"
	}
	return ""
}
