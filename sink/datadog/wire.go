package datadog

import (
	"encoding/binary"
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

// The tags of the fields of datadog.agentpayload.MetricPayload: the number of the
// field, and how it is encoded.
const (
	payloadSeries = 1<<3 | sized

	seriesResource = 1<<3 | sized
	seriesMetric   = 2<<3 | sized
	seriesTag      = 3<<3 | sized
	seriesPoint    = 4<<3 | sized
	seriesType     = 5 << 3
	seriesUnit     = 6<<3 | sized

	resourceType = 1<<3 | sized
	resourceName = 2<<3 | sized

	pointValue = 1<<3 | fixed64
	pointTime  = 2 << 3
)

// typeGauge is the MetricType of everything here.
const typeGauge = 3

// appendTag appends a tag of a series.
func appendTag(dst []byte, key, value string) []byte {
	start := len(dst)
	dst = append(dst, seriesTag)
	dst = protowire.AppendVarint(dst, uint64(len(key)+1+len(value)))
	text := len(dst)
	dst = append(dst, key...)
	dst = append(dst, ':')
	dst = append(dst, value...)
	if !utf8.Valid(dst[text:]) { // quicker than to look at key and value
		return appendTag(dst[:start], valid(key), valid(value))
	}
	return dst
}

func appendTags(dst []byte, tags []sink.Tag) []byte {
	for i := range tags {
		dst = appendTag(dst, tags[i].Key, tags[i].Value)
	}
	return dst
}

// appendHost appends the resource by which Datadog knows the host of a series.
func appendHost(dst []byte, host string) []byte {
	const kind = "host"
	host = valid(host)
	dst = append(dst, seriesResource)
	dst = protowire.AppendVarint(dst, uint64(2+len(kind)+1+protowire.SizeBytes(len(host))))
	dst = appendString(dst, resourceType, kind)
	return appendString(dst, resourceName, host)
}

// appendMetric appends what the series of a metric have in common.
func appendMetric(dst []byte, m *sink.Metric) []byte {
	dst = appendString(dst, seriesMetric, valid(m.Name))
	dst = append(dst, seriesType, typeGauge)
	if u := unit(m.Unit); u != "" {
		dst = appendString(dst, seriesUnit, u)
	}
	return dst
}

// appendPoint appends the one point of a series.
func appendPoint(dst []byte, bits uint64, seconds int64) []byte {
	dst = append(dst, seriesPoint, byte(1+8+1+protowire.SizeVarint(uint64(seconds))), pointValue)
	dst = binary.LittleEndian.AppendUint64(dst, bits)
	dst = append(dst, pointTime)
	return protowire.AppendVarint(dst, uint64(seconds))
}

// sizePoint returns the length of what appendPoint appends.
func sizePoint(seconds int64) int { return 2 + 1 + 8 + 1 + protowire.SizeVarint(uint64(seconds)) }

func appendString(dst []byte, tag byte, s string) []byte {
	return protowire.AppendString(append(dst, tag), s)
}

// valid returns s with what is not UTF-8 replaced; protobuf has no other strings.
func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// unit returns the name that Datadog has for a unit of UCUM; empty where there is
// none, or where it only says what is counted.
func unit(ucum string) string {
	switch ucum {
	case "By":
		return "byte"
	case "s":
		return "second"
	}
	return ""
}
