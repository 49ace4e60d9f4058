package remotewrite

import (
	"encoding/binary"
	"math/bits"
)

// staleMarker is the NaN that says that a series has ended, bit by bit:
// https://prometheus.io/docs/specs/prw/remote_write_spec/#stale-markers
const staleMarker = 0x7ff0000000000002

// How a field is encoded, if it is not a varint, which is 0.
const (
	fixed64 = 1 // eight bytes
	sized   = 2 // a length, and as many bytes
)

// The tags of the fields: the number of the field, and how it is encoded.
const (
	// The Sample of both versions, but for its start.
	sampleValue = 1<<3 | fixed64
	sampleTime  = 2 << 3
	sampleStart = 3 << 3

	// Version 1: prometheus.WriteRequest, TimeSeries, Label, MetricMetadata.
	request1Series   = 1<<3 | sized
	request1Metadata = 3<<3 | sized
	series1Label     = 1<<3 | sized
	series1Sample    = 2<<3 | sized
	label1Name       = 1<<3 | sized
	label1Value      = 2<<3 | sized
	metadata1Type    = 1 << 3
	metadata1Name    = 2<<3 | sized
	metadata1Help    = 4<<3 | sized
	metadata1Unit    = 5<<3 | sized

	// Version 2: io.prometheus.write.v2.Request, TimeSeries, Metadata.
	request2Symbol  = 4<<3 | sized
	request2Series  = 5<<3 | sized
	series2Refs     = 1<<3 | sized
	series2Sample   = 2<<3 | sized
	series2Metadata = 5<<3 | sized
	metadata2Type   = 1 << 3
	metadata2Help   = 3 << 3
	metadata2Unit   = 4 << 3
)

// The types of metrics in the metadata of both versions.
const (
	typeCounter = 1
	typeGauge   = 2
)

// appendLabel1 appends a label of a series of version 1.
func appendLabel1(dst []byte, name, value string) []byte {
	dst = append(dst, series1Label)
	dst = appendVarint(dst, sizeString(name)+sizeString(value))
	dst = appendString(dst, label1Name, name)
	return appendString(dst, label1Value, value)
}

// appendRefs2 appends a label of a series of version 2.
func appendRefs2(dst []byte, name, value uint32) []byte {
	return appendVarint(appendVarint(dst, uint64(name)), uint64(value))
}

// appendSeries1 appends a series to a request of version 1. value is the bits of
// a float64.
func appendSeries1(dst, labels []byte, value uint64, time int64) []byte {
	sample := sizeSample(time, 0)
	dst = append(dst, request1Series)
	dst = appendVarint(dst, uint64(len(labels))+2+sample)
	dst = append(dst, labels...)
	return appendSample(dst, sample, value, time, 0)
}

// appendSeries2 appends a series to a request of version 2. A start of 0 is not
// known.
func appendSeries2(dst, refs, metadata []byte, value uint64, time, start int64) []byte {
	sample := sizeSample(time, start)
	size := 1 + sizeVarint(uint64(len(refs))) + uint64(len(refs)) + 2 + sample + 2 + uint64(len(metadata))
	dst = append(dst, request2Series)
	dst = appendVarint(dst, size)
	dst = append(dst, series2Refs)
	dst = appendVarint(dst, uint64(len(refs)))
	dst = append(dst, refs...)
	dst = appendSample(dst, sample, value, time, start)
	dst = append(dst, series2Metadata, byte(len(metadata)))
	return append(dst, metadata...)
}

// appendSample appends the sample of a series, whose tag and length take a byte
// each.
func appendSample(dst []byte, size, value uint64, time, start int64) []byte {
	dst = append(dst, series1Sample, byte(size), sampleValue)
	dst = binary.LittleEndian.AppendUint64(dst, value)
	dst = append(dst, sampleTime)
	dst = appendVarint(dst, uint64(time))
	if start != 0 {
		dst = append(dst, sampleStart)
		dst = appendVarint(dst, uint64(start))
	}
	return dst
}

func sizeSample(time, start int64) uint64 {
	n := 1 + 8 + 1 + sizeVarint(uint64(time))
	if start != 0 {
		n += 1 + sizeVarint(uint64(start))
	}
	return n
}

// appendMetadata1 appends the metadata of a family to a request of version 1.
func appendMetadata1(dst []byte, f *family) []byte {
	dst = append(dst, request1Metadata)
	dst = appendVarint(dst, 2+sizeString(f.name)+sizeString(f.help)+sizeString(f.unit))
	dst = append(dst, metadata1Type, typeOf(f.counter))
	dst = appendString(dst, metadata1Name, f.name)
	dst = appendString(dst, metadata1Help, f.help)
	return appendString(dst, metadata1Unit, f.unit)
}

// appendMetadata2 appends what the metadata of a series of version 2 holds: no
// more than 14 bytes.
func appendMetadata2(dst []byte, counter bool, help, unit uint32) []byte {
	dst = append(dst, metadata2Type, typeOf(counter), metadata2Help)
	dst = appendVarint(dst, uint64(help))
	dst = append(dst, metadata2Unit)
	return appendVarint(dst, uint64(unit))
}

func typeOf(counter bool) byte {
	if counter {
		return typeCounter
	}
	return typeGauge
}

func appendString(dst []byte, tag byte, s string) []byte {
	dst = append(dst, tag)
	dst = appendVarint(dst, uint64(len(s)))
	return append(dst, s...)
}

// sizeString returns the length of what appendString appends.
func sizeString(s string) uint64 { return 1 + sizeVarint(uint64(len(s))) + uint64(len(s)) }

// appendVarint is binary.AppendUvarint, quicker for the small numbers here.
func appendVarint(dst []byte, v uint64) []byte {
	if v < 1<<7 {
		return append(dst, byte(v))
	}
	return binary.AppendUvarint(dst, v)
}

func sizeVarint(v uint64) uint64 { return uint64(bits.Len64(v|1)+6) / 7 }

// symbols is the table of strings of a request of version 2. The first one is
// empty.
type symbols struct {
	refs    map[string]uint32
	encoded []byte
	recent  [512]symbol // looked up before refs, because it takes a fifth of the time
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

// ref returns the number of a string, which it adds to the table if need be.
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
	s.encoded = appendString(s.encoded, request2Symbol, valid(text))
	return ref
}
