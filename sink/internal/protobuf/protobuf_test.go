package protobuf

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// TestAppend compares with what the protobuf library makes.
func TestAppend(t *testing.T) {
	for _, v := range []uint64{0, 1, 127, 128, 16383, 16384, math.MaxUint32, math.MaxUint64} {
		if got := Number(protowire.AppendVarint(nil, v)); got != v {
			t.Errorf("%d is read as %d", v, got)
		}
	}
	for _, n := range []int{0, 1, 127, 128, 20_000} {
		text := strings.Repeat("x", n)
		want := protowire.AppendString(protowire.AppendTag(nil, 3, protowire.BytesType), text)
		if got := AppendString(nil, 3<<3|Sized, text); !bytes.Equal(got, want) || len(got) != SizeField(n) {
			t.Errorf("a string of %d bytes takes %d and not %d; SizeField is %d", n, len(got), len(want), SizeField(n))
		}
		if got := AppendBytes(nil, 3<<3|Sized, []byte(text)); !bytes.Equal(got, want) {
			t.Errorf("%d bytes differ from the string", n)
		}
	}
	want := protowire.AppendFixed64(protowire.AppendTag(nil, 4, protowire.Fixed64Type), 1<<60)
	if got := AppendFixed(nil, 4<<3|Fixed64, 1<<60); !bytes.Equal(got, want) {
		t.Errorf("8 bytes are % x, want % x", got, want)
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
	message = AppendString(message, 2<<3|Sized, "text")
	message = AppendFixed(message, 3<<3|Fixed64, 7)
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

// FuzzFields: whatever a message is, its fields make it up as far as it is
// well-formed, and nothing panics.
func FuzzFields(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(AppendString(protowire.AppendVarint([]byte{1 << 3}, 300), 2<<3|Sized, "text"))
	f.Add(AppendFixed([]byte{3<<3 | 3, 3<<3 | 4}, 4<<3|Fixed64, 1)) // a group
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
			t.Errorf("fields are left: % x", rest)
		}
	})
}
