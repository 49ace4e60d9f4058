package piece

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
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
	return [][]byte{nil, []byte("a"), []byte("\n"), []byte(lines.String()[:1000]), []byte(lines.String()), noise, noise[:65535], {}, []byte("end")}
}

func TestMemberIsTheTextOfItsPieces(t *testing.T) {
	p := NewPacker()
	all := texts()
	for n := range len(all) + 1 {
		var m Member
		body := []byte(MemberHeader)
		for _, text := range all[:n] {
			d := p.Deflate(text)
			body = append(body, d.Data...)
			m.Add(d)
		}
		body = m.AppendTrailer(body)
		source := bytes.NewReader(body)
		r, err := gzip.NewReader(source)
		if err != nil {
			t.Fatal(err)
		}
		r.Multistream(false)
		got, err := io.ReadAll(r)
		if err != nil {
			t.Fatalf("%d pieces: %v", n, err)
		}
		if !bytes.Equal(got, bytes.Join(all[:n], nil)) {
			t.Errorf("%d pieces: text differs", n)
		}
		if source.Len() > 0 {
			t.Errorf("%d pieces: %d bytes after the member", n, source.Len())
		}
	}
}

func TestInflateAppends(t *testing.T) {
	p := NewPacker()
	for _, text := range texts() {
		got, err := p.Inflate([]byte("before"), p.Deflate(text))
		if err != nil || string(got) != "before"+string(text) {
			t.Errorf("text of %d bytes: got %d bytes, error %v", len(text), len(got), err)
		}
	}
}

func TestInflateOfBrokenData(t *testing.T) {
	p := NewPacker()
	d := p.Deflate([]byte(strings.Repeat("text ", 100)))
	d.Data = d.Data[:len(d.Data)/2]
	if got, err := p.Inflate([]byte("before"), d); err == nil || string(got) != "before" {
		t.Errorf("got %q and error %v, want dst unchanged and an error", got, err)
	}
}

func TestZstdFramesAreOneBody(t *testing.T) {
	p := NewPacker()
	var body []byte
	for _, text := range texts() {
		body = p.Zstd(body, text)
	}
	r, err := zstd.NewReader(bytes.NewReader(body), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, bytes.Join(texts(), nil)) {
		t.Errorf("text differs, error %v", err)
	}
}

func TestJoinAgreesWithTheLibrary(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		a, b := make([]byte, rng.IntN(300)), make([]byte, rng.IntN(1<<rng.IntN(16)))
		for i := range a {
			a[i] = byte(rng.Uint32())
		}
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		want := crc32.ChecksumIEEE(append(bytes.Clone(a), b...))
		if got := join(crc32.ChecksumIEEE(a), crc32.ChecksumIEEE(b), power(len(b))); got != want {
			t.Fatalf("%d and %d bytes: %08x, want %08x", len(a), len(b), got, want)
		}
	}
}
