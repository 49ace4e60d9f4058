// Package wire prepares encoded messages of the Kubernetes API for decoding. It
// drops fields that nobody reads, because decoding allocates for every field, and
// replaces quantities that would take hours to parse. Fields to keep are named as in
// manifests.
//
// It knows protobuf, JSON and the struct tags of Go types, but not which kinds there
// are or who reads which of their fields.
package wire

import (
	"encoding/binary"

	"github.com/kubestate/kubestate/internal/quantity"
)

// The wire types that messages of the API have. What has another, a group for
// example, is left to the decoder to judge.
const (
	typeVarint  = 0
	typeFixed64 = 1
	typeBytes   = 2
	typeFixed32 = 5
)

// A Filter says which fields of a message to keep. The nil Filter keeps all, and
// quantities out of bounds too. It is immutable and safe for concurrent use.
type Filter struct {
	fields   []*Filter // by field number; nil: the field is dropped or, with all, kept as it is
	all      bool      // all fields are kept
	except   string    // key of the one entry of a map that is dropped; empty: none
	quantity bool      // it is for the text of a quantity
}

// asItIs reports whether the filter changes nothing.
func (f *Filter) asItIs() bool { return f == nil || f.all && f.fields == nil && !f.quantity }

// set makes f treat the field with a number as child does.
func (f *Filter) set(number int, child *Filter) {
	if grow := number + 1 - len(f.fields); grow > 0 {
		f.fields = append(f.fields, make([]*Filter, grow)...)
	}
	f.fields[number] = child
}

// Append appends to dst what the filter keeps of an encoded message. It allocates
// nothing if dst has room, and dst may be message[:0], to filter in place.
//
// A malformed message is kept from there on, so that the decoder reports what is
// wrong: what decodes unfiltered decodes filtered, to the same except for dropped
// fields and quantities out of bounds, which become quantity.TooLarge.
func (f *Filter) Append(dst, message []byte) []byte {
	if f.asItIs() {
		return append(dst, message...)
	}
	if f.quantity {
		return appendQuantity(dst, message)
	}
	for len(message) > 0 {
		v, ok := parse(message)
		if !ok {
			return append(dst, message...)
		}
		switch kept := f.field(v.number); {
		case kept == nil && !f.all:
		case kept.asItIs() || v.wireType != typeBytes:
			dst = append(dst, message[:v.end]...)
		case kept.except != "":
			if string(entryKey(message[v.start:v.end])) != kept.except {
				dst = append(dst, message[:v.end]...)
			}
		default:
			dst = kept.appendNested(dst, message, v)
		}
		message = message[v.end:]
	}
	return dst
}

// appendNested appends a field that is a message. Its new length takes as many
// bytes as the old one, although fewer might do, so that it can be written before
// what it counts; decoders accept such numbers.
func (f *Filter) appendNested(dst, message []byte, v value) []byte {
	dst = append(dst, message[:v.start]...)
	start := len(dst)
	dst = f.Append(dst, message[v.start:v.end])
	length := dst[start-(v.start-v.tag) : start]
	n := uint64(len(dst) - start)
	for i := range length {
		length[i] = byte(n) | 0x80
		n >>= 7
	}
	length[len(length)-1] &^= 0x80
	return dst
}

// appendQuantity appends the text of a quantity if that can be parsed.
func appendQuantity(dst, text []byte) []byte {
	if len(text) <= len(quantity.TooLarge) || quantity.Bounded(string(text)) {
		return append(dst, text...)
	}
	return append(dst, quantity.TooLarge...)
}

func (f *Filter) field(number int32) *Filter {
	if number < 0 || int(number) >= len(f.fields) {
		return nil
	}
	return f.fields[number]
}

// value is where a field lies in a message that begins with it: the tag ends at
// tag, the content begins at start.
type value struct {
	number          int32
	wireType        int
	tag, start, end int
}

// parse reads the first field of a message. It is not ok where the message is
// malformed or has a group.
func parse(message []byte) (v value, ok bool) {
	tag, n := uvarint(message)
	if n <= 0 {
		return value{}, false
	}
	// The generated decoders cut the number to 32 bits, too.
	v = value{number: int32(tag >> 3), wireType: int(tag & 7), tag: n, start: n}
	size := uint64(0)
	switch v.wireType {
	case typeVarint:
		_, n = uvarint(message[v.tag:])
		size = uint64(n)
	case typeFixed64:
		size = 8
	case typeFixed32:
		size = 4
	case typeBytes:
		size, n = uvarint(message[v.tag:])
		v.start += n
	default:
		return value{}, false
	}
	if n <= 0 || v.number <= 0 || size > uint64(len(message)-v.start) {
		return value{}, false
	}
	v.end = v.start + int(size)
	return v, true
}

// uvarint is binary.Uvarint, faster for numbers below 128, which most are.
func uvarint(b []byte) (uint64, int) {
	if len(b) > 0 && b[0] < 0x80 {
		return uint64(b[0]), 1
	}
	return binary.Uvarint(b)
}

// entryKey returns the key of an entry of a map with string keys: its field 1, the
// last one if there are several.
func entryKey(entry []byte) (key []byte) { return last(entry, 1) }
