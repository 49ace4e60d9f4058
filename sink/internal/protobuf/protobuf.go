// Package protobuf is what protowire lacks for sinks that write messages field by
// field: sizes, valid strings and an iterator over fields. It does not know any
// message. Tags are those of fields up to number 15, which take one byte.
package protobuf

import (
	"iter"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// How a field is encoded, which its tag says behind its number, if it is not a
// varint, which is 0: number<<3 | Sized.
const (
	Fixed64 = 1 // eight bytes
	Sized   = 2 // a length, and as many bytes
)

// AppendSize appends what precedes the bytes of a field: its tag and their number.
func AppendSize(dst []byte, tag byte, size int) []byte {
	return protowire.AppendVarint(append(dst, tag), uint64(size))
}

// SizeField returns how many bytes a field of n bytes takes: its tag, their number
// and the bytes.
func SizeField(n int) int { return 1 + protowire.SizeBytes(n) }

// Valid returns s with what is not UTF-8 replaced; protobuf has no other strings.
func Valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// Fields yields the tag of each field of a message and its value: the bytes that a
// length precedes, without it, or all of others. It ends where the message is not
// well-formed.
func Fields(message []byte) iter.Seq2[uint64, []byte] {
	return func(yield func(tag uint64, value []byte) bool) {
		for len(message) > 0 {
			_, kind, n := protowire.ConsumeField(message)
			if n < 0 {
				return
			}
			tag, m := protowire.ConsumeVarint(message)
			value := message[m:n]
			if kind == protowire.BytesType {
				value, _ = protowire.ConsumeBytes(value)
			}
			if !yield(tag, value) {
				return
			}
			message = message[n:]
		}
	}
}

// Number returns the value of a field that is a varint.
func Number(value []byte) uint64 {
	n, _ := protowire.ConsumeVarint(value) // 0 if it is none
	return n
}
