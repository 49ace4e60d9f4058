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
	"slices"

	"github.com/kubestate/kubestate/internal/quantity"
)

// Wire types used by the Kubernetes API. Others, such as groups, are left to the
// decoder.
const (
	typeVarint  = 0
	typeFixed64 = 1
	typeBytes   = 2
	typeFixed32 = 5
)

// Filter says which fields of a message to keep. The nil Filter keeps everything,
// including quantities out of bounds. It is immutable and safe for concurrent use.
type Filter struct {
	fields   []*Filter // by field number; nil: the field is dropped or, with all, kept unchanged
	all      bool      // all fields are kept
	except   string    // key of the map entry that is dropped; empty: none
	only     []string  // keys of the only map entries that are kept; nil: none are singled out
	quantity bool      // the message is the text of a quantity
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

// Append appends the filtered encoded message to dst. It does not allocate if dst has
// capacity, and dst may be message[:0], to filter in place.
//
// From a malformed field on, the message is kept unchanged, so that the decoder reports
// the error. What decodes unfiltered also decodes filtered, to the same value except
// for dropped fields and quantities out of bounds, which become quantity.TooLarge.
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
		case kept.only != nil:
			if kept.admits(entryKey(message[v.start:v.end])) {
				dst = append(dst, message[:v.end]...)
			}
		default:
			dst = kept.appendNested(dst, message, v)
		}
		message = message[v.end:]
	}
	return dst
}

// admits reports whether the entry of a key is one of those that are kept.
func (f *Filter) admits(key []byte) bool {
	return slices.ContainsFunc(f.only, func(only string) bool { return string(key) == only })
}

// appendNested appends a field that is a message. Its length prefix takes as many bytes
// as before, even if fewer would do, so that it can be reserved before the content is
// known; decoders accept that.
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

// value is the position of a field at the start of a message: the tag ends at tag, the
// content starts at start.
type value struct {
	number          int32
	wireType        int
	tag, start, end int
}

// parse reads the first field of a message. ok is false if the message is malformed or
// the field is a group.
func parse(message []byte) (v value, ok bool) {
	tag, n := uvarint(message)
	if n <= 0 {
		return value{}, false
	}
	// Generated decoders also truncate the number to 32 bits.
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

// uvarint is binary.Uvarint, faster for numbers below 128, the most common ones.
func uvarint(b []byte) (uint64, int) {
	if len(b) > 0 && b[0] < 0x80 {
		return uint64(b[0]), 1
	}
	return binary.Uvarint(b)
}

// entryKey returns the key of an entry of a map with string keys: its field 1, the
// last one if there are several.
func entryKey(entry []byte) (key []byte) { return last(entry, 1) }
