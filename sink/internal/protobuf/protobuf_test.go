package protobuf

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// Sizes are those of protowire.
func TestSizes(t *testing.T) {
	for _, v := range []uint64{0, 1, 127, 128, 16383, 16384, math.MaxUint32, math.MaxUint64} {
		if got := Number(protowire.AppendVarint(nil, v)); got != v {
			t.Errorf("%d decoded as %d", v, got)
		}
	}
	for _, n := range []int{0, 1, 127, 128, 20_000} {
		want := protowire.AppendString(protowire.AppendTag(nil, 3, protowire.BytesType), strings.Repeat("x", n))
		if got := AppendSize(nil, 3<<3|Sized, n); !bytes.Equal(got, want[:len(want)-n]) || SizeField(n) != len(want) {
			t.Errorf("a string of %d bytes follows % x and takes %d bytes, want % x and %d", n, got, SizeField(n), want[:len(want)-n], len(want))
		}
	}
}

func TestValid(t *testing.T) {
	for text, want := range map[string]string{"": "", "é": "é", "a\xff\xfeb": "a\uFFFDb", "\xc3": "\uFFFD"} {
		if got := Valid(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

func TestFields(t *testing.T) {
	message := protowire.AppendVarint([]byte{1 << 3}, 300)
	message = protowire.AppendString(append(message, 2<<3|Sized), "text")
	message = protowire.AppendFixed64(append(message, 3<<3|Fixed64), 7)
	message = protowire.AppendVarint(protowire.AppendTag(message, 1000, protowire.VarintType), 5)
	tags, values := []uint64{1 << 3, 2<<3 | Sized, 3<<3 | Fixed64, 1000 << 3}, []string{"\xac\x02", "text", "\x07\x00\x00\x00\x00\x00\x00\x00", "\x05"}
	i := 0
	for tag, value := range Fields(message) {
		if tag != tags[i] || string(value) != values[i] {
			t.Errorf("field %d has tag %d and value %q, want %d and %q", i, tag, value, tags[i], values[i])
		}
		i++
	}
	if i != len(tags) {
		t.Errorf("%d fields, want %d", i, len(tags))
	}
}

// For any input, the fields add up to the message as far as it is well-formed, and
// nothing panics.
func FuzzFields(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(protowire.AppendString(append(protowire.AppendVarint([]byte{1 << 3}, 300), 2<<3|Sized), "text"))
	f.Add(protowire.AppendFixed64([]byte{3<<3 | 3, 3<<3 | 4, 4<<3 | Fixed64}, 1)) // a group
	f.Add([]byte{2<<3 | Sized, 5, 'x'})
	f.Fuzz(func(t *testing.T, message []byte) {
		rest := slices.Clone(message)
		for tag, value := range Fields(message) {
			number, kind, n := protowire.ConsumeField(rest)
			if protowire.EncodeTag(number, kind) != tag || !bytes.HasSuffix(rest[:n], value) {
				t.Fatalf("tag %d and value %x of % x", tag, value, rest[:n])
			}
			Number(value)
			rest = rest[n:]
		}
		if _, _, n := protowire.ConsumeField(rest); n > 0 {
			t.Errorf("remaining fields: % x", rest)
		}
	})
}
