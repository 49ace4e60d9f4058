// Package protobuf complements protowire for sinks that encode messages field by field:
// sizes, valid strings and an iterator over fields. It does not know any message. Field
// numbers are at most 15, so that tags take one byte.
package protobuf

import (
	"iter"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// Wire types other than varint, which is 0. A tag is number<<3 | wire type.
const (
	Fixed64 = 1 // eight bytes
	Sized   = 2 // a length, then that many bytes
)

// AppendSize appends the tag and length that precede the bytes of a field.
func AppendSize(dst []byte, tag byte, size int) []byte {
	return protowire.AppendVarint(append(dst, tag), uint64(size))
}

// SizeField returns the encoded size of a field of n bytes: tag, length and bytes.
func SizeField(n int) int { return 1 + protowire.SizeBytes(n) }

// Valid returns s with invalid UTF-8 replaced, as protobuf strings require.
func Valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// Fields yields the tag and value of each field of a message: the bytes after a length
// prefix, or the encoded value of other wire types. It stops where the message is
// malformed.
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

// Number returns the value of a varint field.
func Number(value []byte) uint64 {
	n, _ := protowire.ConsumeVarint(value) // 0 if malformed
	return n
}
