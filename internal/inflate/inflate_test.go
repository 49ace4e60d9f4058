package inflate

import (
	"bytes"
	stdflate "compress/flate"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/klauspost/compress/flate"
)

// texts returns texts of all relevant lengths: empty, smaller and larger than a deflate
// block, some incompressible.
func texts() [][]byte {
	rng := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 100_000)
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	var lines strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&lines, "kube_pod_info{namespace=\"shop\",pod=\"checkout-%d\"} 1\n", i)
	}
	return [][]byte{nil, []byte("a"), []byte("\n"), []byte(lines.String()[:1000]), []byte(lines.String()), noise, noise[:65535]}
}

// deflate compresses a text as a piece, without a final block.
func deflate(tb testing.TB, text []byte) []byte {
	tb.Helper()
	var data bytes.Buffer
	w, err := flate.NewWriter(&data, 1)
	if err != nil {
		tb.Fatal(err)
	}
	_, _ = w.Write(text)
	_ = w.Flush()
	return data.Bytes()
}

// deflateWriters write every form of deflate data: stored, fixed and dynamic blocks,
// literals only, long and short codes.
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

func TestInflateAllForms(t *testing.T) {
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
	d := &Inflater{}
	for i, text := range all {
		var data bytes.Buffer
		for j, w := range deflateWriters(t, &data) {
			data.Reset()
			_, _ = w.Write(text)
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			for _, room := range []int{0, 1, Slack, 2 * Slack} {
				out := bytes.Repeat([]byte{'.'}, len(text)+room)
				if err := d.Inflate(out[:len(text)], data.Bytes()); err != nil || !bytes.Equal(out[:len(text)], text) {
					t.Fatalf("text %d, writer %d, room for %d bytes more: error %v, or text differs", i, j, room, err)
				}
			}
			if err := d.Inflate(make([]byte, len(text)+1), data.Bytes()); err == nil {
				t.Errorf("text %d, writer %d: no error for a truncated text", i, j)
			}
			if len(text) > 0 && len(text) < 300 {
				for end := range data.Bytes() { // the truncated bytes may be padding, but the text is never wrong
					out := make([]byte, len(text))
					if err := d.Inflate(out, data.Bytes()[:end]); err == nil && !bytes.Equal(out, text) {
						t.Errorf("text %d, writer %d: wrong text from the first %d bytes", i, j, end)
					}
				}
			}
		}
	}
}

// The standard library may be stricter.
func FuzzInflate(f *testing.F) {
	for _, text := range texts() {
		f.Add(deflate(f, text[:min(len(text), 2000)]))
	}
	f.Add([]byte{0x03, 0x00})
	d := &Inflater{}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := stdflate.NewReader(bytes.NewReader(data))
		want, err := io.ReadAll(io.LimitReader(r, 1<<20))
		got := make([]byte, len(want), len(want)+Slack)
		ours := d.Inflate(got, data)
		if err == nil && (ours != nil || !bytes.Equal(got, want)) {
			t.Errorf("error %v, or text of %d bytes differs from the library", ours, len(want))
		}
		if err := d.Inflate(make([]byte, 100), data); err == nil && len(want) < 100 {
			t.Errorf("no error for 100 bytes of a text of %d", len(want))
		}
	})
}

func TestInflateAllocatesNothing(t *testing.T) {
	text := texts()[4]
	data := deflate(t, text)
	dst := make([]byte, len(text), len(text)+Slack)
	i := &Inflater{}
	_ = i.Inflate(dst, data)
	if n := testing.AllocsPerRun(10, func() { _ = i.Inflate(dst, data) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
