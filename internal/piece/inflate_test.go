package piece

import (
	"bytes"
	stdflate "compress/flate"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/flate"
)

// deflateWriters make deflate data in all manners there are: stored, fixed and
// dynamic blocks, literals only, long and short codes.
func deflateWriters(t *testing.T, to io.Writer) []io.WriteCloser {
	t.Helper()
	var writers []io.WriteCloser
	for _, level := range []int{-2, 0, 1, 5, 9} {
		theirs, err := stdflate.NewWriter(to, level)
		if err != nil {
			t.Fatal(err)
		}
		others, err := flate.NewWriter(to, level)
		if err != nil {
			t.Fatal(err)
		}
		writers = append(writers, theirs, others)
	}
	return writers
}

func TestInflateAllManners(t *testing.T) {
	all := texts()
	rng := rand.New(rand.NewPCG(5, 6))
	for range 12 { // texts over alphabets of several sizes, some of whose letters are rare
		text := make([]byte, rng.IntN(40_000))
		letters := 1 + rng.IntN(256)
		for i := range text {
			text[i] = byte(min(rng.IntN(letters), rng.IntN(letters), rng.IntN(letters)))
		}
		all = append(all, text, append(bytes.Clone(text), text...), bytes.Repeat(text[:min(len(text), 1+rng.IntN(20))], 1000))
	}
	d := &inflater{}
	for i, text := range all {
		var data bytes.Buffer
		for j, w := range deflateWriters(t, &data) {
			data.Reset()
			_, _ = w.Write(text)
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			for _, room := range []int{0, 1, lookahead, 2 * lookahead} {
				out := bytes.Repeat([]byte{'.'}, len(text)+room)
				if err := d.inflate(out[:len(text)], data.Bytes()); err != nil || !bytes.Equal(out[:len(text)], text) {
					t.Fatalf("text %d, writer %d, room for %d bytes more: error %v, or another text", i, j, room, err)
				}
			}
			if err := d.inflate(make([]byte, len(text)+1), data.Bytes()); err == nil {
				t.Errorf("text %d, writer %d: no error where the text ends early", i, j)
			}
			if len(text) > 0 && len(text) < 300 {
				for end := range data.Bytes() { // what is cut off may be padding, but text is never wrong
					out := make([]byte, len(text))
					if err := d.inflate(out, data.Bytes()[:end]); err == nil && !bytes.Equal(out, text) {
						t.Errorf("text %d, writer %d: another text of the first %d bytes", i, j, end)
					}
				}
			}
		}
	}
}

// FuzzInflate compares with the standard library, which need not be as lenient.
func FuzzInflate(f *testing.F) {
	p := NewPacker()
	for _, text := range texts() {
		f.Add(p.Deflate(text[:min(len(text), 2000)]).Data)
	}
	f.Add([]byte{0x03, 0x00})
	d := &inflater{}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := stdflate.NewReader(bytes.NewReader(data))
		want, err := io.ReadAll(io.LimitReader(r, 1<<20))
		got := make([]byte, len(want), len(want)+lookahead)
		ours := d.inflate(got, data)
		if err == nil && (ours != nil || !bytes.Equal(got, want)) {
			t.Errorf("error %v, or another text than the library's of %d bytes", ours, len(want))
		}
		if err := d.inflate(make([]byte, 100), data); err == nil && len(want) < 100 {
			t.Errorf("100 bytes of data that has %d", len(want))
		}
	})
}

func TestInflateAllocatesNothing(t *testing.T) {
	p := NewPacker()
	d := p.Deflate(texts()[4])
	dst := make([]byte, 0, d.Size+lookahead)
	i := &inflater{}
	_ = i.inflate(dst[:d.Size], d.Data)
	if n := testing.AllocsPerRun(10, func() { _ = i.inflate(dst[:d.Size], d.Data) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
