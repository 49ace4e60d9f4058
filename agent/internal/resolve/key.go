package resolve

import "encoding/binary"

// This file encodes several arbitrary values as one key. Each value is preceded by its
// length.

// AppendKey appends a value to a key.
func AppendKey(key []byte, value string) []byte {
	return append(binary.AppendUvarint(key, uint64(len(value))), value...)
}

// SplitKey returns the n values of which a key is made.
func SplitKey(key string, n int) []string {
	values := make([]string, n)
	for i := range values {
		size, rest := cutLength(key)
		values[i], key = rest[:size], rest[size:]
	}
	return values
}

// cutLength cuts off a length that binary.AppendUvarint wrote.
func cutLength(key string) (n int, rest string) {
	for i := 0; ; i++ {
		n |= int(key[i]&0x7f) << (7 * i)
		if key[i] < 0x80 {
			return n, key[i+1:]
		}
	}
}
