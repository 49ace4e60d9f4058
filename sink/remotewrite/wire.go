package remotewrite

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/kubestate/kubestate/sink/internal/protobuf"
)

// staleMarker is the bit pattern of the NaN that marks a series as stale:
// https://prometheus.io/docs/specs/prw/remote_write_spec/#stale-markers
const staleMarker = 0x7ff0000000000002

// Tags of fields: field number and wire type.
const (
	// Sample of both versions, except for the start.
	sampleValue = 1<<3 | protobuf.Fixed64
	sampleTime  = 2 << 3
	sampleStart = 3 << 3

	// Version 1: prometheus.WriteRequest, TimeSeries, Label, MetricMetadata.
	request1Series   = 1<<3 | protobuf.Sized
	request1Metadata = 3<<3 | protobuf.Sized
	series1Label     = 1<<3 | protobuf.Sized
	series1Sample    = 2<<3 | protobuf.Sized
	label1Name       = 1<<3 | protobuf.Sized
	label1Value      = 2<<3 | protobuf.Sized
	metadata1Type    = 1 << 3
	metadata1Name    = 2<<3 | protobuf.Sized
	metadata1Help    = 4<<3 | protobuf.Sized
	metadata1Unit    = 5<<3 | protobuf.Sized

	// Version 2: io.prometheus.write.v2.Request, TimeSeries, Metadata.
	request2Symbol  = 4<<3 | protobuf.Sized
	request2Series  = 5<<3 | protobuf.Sized
	series2Refs     = 1<<3 | protobuf.Sized
	series2Sample   = 2<<3 | protobuf.Sized
	series2Metadata = 5<<3 | protobuf.Sized
	metadata2Type   = 1 << 3
	metadata2Help   = 3 << 3
	metadata2Unit   = 4 << 3
)

// Metric types in the metadata of both versions.
const (
	typeCounter = 1
	typeGauge   = 2
)

// appendLabel1 appends a label of a version 1 series.
func appendLabel1(dst []byte, name, value string) []byte {
	dst = protobuf.AppendSize(dst, series1Label, protobuf.SizeField(len(name))+protobuf.SizeField(len(value)))
	dst = protowire.AppendString(append(dst, label1Name), name)
	return protowire.AppendString(append(dst, label1Value), value)
}

// appendRefs2 appends a label of a version 2 series.
func appendRefs2(dst []byte, name, value uint32) []byte {
	return protowire.AppendVarint(protowire.AppendVarint(dst, uint64(name)), uint64(value))
}

// appendSeries1 appends a series to a version 1 request. value has the bits of a
// float64.
func appendSeries1(dst, labels []byte, value uint64, time int64) []byte {
	sample := sizeSample(time, 0)
	dst = protobuf.AppendSize(dst, request1Series, len(labels)+2+sample)
	dst = append(dst, labels...)
	return appendSample(dst, sample, value, time, 0)
}

// appendSeries2 appends a series to a version 2 request. A start of 0 is unknown.
func appendSeries2(dst, refs, metadata []byte, value uint64, time, start int64) []byte {
	sample := sizeSample(time, start)
	dst = protobuf.AppendSize(dst, request2Series, protobuf.SizeField(len(refs))+2+sample+2+len(metadata))
	dst = protowire.AppendBytes(append(dst, series2Refs), refs)
	dst = appendSample(dst, sample, value, time, start)
	dst = append(dst, series2Metadata, byte(len(metadata)))
	return append(dst, metadata...)
}

// appendSample appends the sample of a series. Tag and length take one byte each.
func appendSample(dst []byte, size int, value uint64, time, start int64) []byte {
	dst = append(dst, series1Sample, byte(size))
	dst = protowire.AppendFixed64(append(dst, sampleValue), value)
	dst = protowire.AppendVarint(append(dst, sampleTime), uint64(time))
	if start != 0 {
		dst = protowire.AppendVarint(append(dst, sampleStart), uint64(start))
	}
	return dst
}

func sizeSample(time, start int64) int {
	n := 1 + 8 + 1 + protowire.SizeVarint(uint64(time))
	if start != 0 {
		n += 1 + protowire.SizeVarint(uint64(start))
	}
	return n
}

// appendMetadata1 appends the metadata of a family to a version 1 request.
func appendMetadata1(dst []byte, f *family) []byte {
	size := 2 + protobuf.SizeField(len(f.name)) + protobuf.SizeField(len(f.help)) + protobuf.SizeField(len(f.unit))
	dst = protobuf.AppendSize(dst, request1Metadata, size)
	dst = append(dst, metadata1Type, typeOf(f.counter))
	dst = protowire.AppendString(append(dst, metadata1Name), f.name)
	dst = protowire.AppendString(append(dst, metadata1Help), f.help)
	return protowire.AppendString(append(dst, metadata1Unit), f.unit)
}

// appendMetadata2 appends the fields of the metadata of a version 2 series: at most 14
// bytes.
func appendMetadata2(dst []byte, counter bool, help, unit uint32) []byte {
	dst = append(dst, metadata2Type, typeOf(counter), metadata2Help)
	dst = protowire.AppendVarint(dst, uint64(help))
	return protowire.AppendVarint(append(dst, metadata2Unit), uint64(unit))
}

func typeOf(counter bool) byte {
	if counter {
		return typeCounter
	}
	return typeGauge
}

// symbols is the string table of a version 2 request. The first one is empty.
type symbols struct {
	refs    map[string]uint32
	encoded []byte
	recent  [512]symbol // looked up before refs, in a fifth of the time
}

type symbol struct {
	text string
	ref  uint32
}

func (s *symbols) reset() {
	clear(s.refs)
	clear(s.recent[:])
	s.encoded = s.encoded[:0]
	s.add("")
}

// ref returns the index of a string, adding it to the table if necessary.
func (s *symbols) ref(text string) uint32 {
	if text == "" {
		return 0
	}
	last := len(text) - 1
	hash := uint32(text[0]) | uint32(text[last/2])<<8 | uint32(text[last])<<16 | uint32(last)<<24
	place := &s.recent[hash*0x9e3779b1>>23]
	if place.text != text {
		place.text, place.ref = text, s.find(text)
	}
	return place.ref
}

func (s *symbols) find(text string) uint32 {
	if ref, ok := s.refs[text]; ok {
		return ref
	}
	return s.add(text)
}

func (s *symbols) add(text string) uint32 {
	ref := uint32(len(s.refs))
	s.refs[text] = ref
	s.encoded = protowire.AppendString(append(s.encoded, request2Symbol), protobuf.Valid(text))
	return ref
}
