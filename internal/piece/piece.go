// Package piece compresses pieces of text, each once and independently, so that bodies
// can be assembled from them without compressing anything again.
//
// A gzip body is a single member, because many readers stop after the first:
//
//	header │ deflated piece │ deflated piece │ … │ final empty block │ CRC-32 │ length
//
// Each piece ends at a byte boundary, by a sync flush, and refers to nothing before it. The
// CRC-32 is combined from those of the pieces. A zstd body is a sequence of frames, which
// every reader must accept as one body (RFC 8878, section 3.1). The package does not know
// what the text is.
package piece

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"slices"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"

	"github.com/kubestate/kubestate/internal/inflate"
)

// level is the effort of deflating; docs/performance.md says why this one.
const level = 1

// Deflated is a compressed text. It is immutable.
type Deflated struct {
	Data []byte
	Size int    // of the text
	CRC  uint32 // of the text

	power uint32 // x^(8·Size), which multiplies the CRC of the text before; see crc.go
}

// Packer compresses and decompresses. It pools the state that this takes, some hundred
// kilobytes for each concurrent call. Use NewPacker. It is safe for concurrent use.
type Packer struct {
	deflaters, inflaters sync.Pool
	zstds                *zstd.Encoder
}

// NewPacker returns a Packer.
func NewPacker() *Packer {
	p := &Packer{}
	p.deflaters.New = func() any {
		d := &deflater{}
		d.w, _ = flate.NewWriter(&d.out, level) // fails only for an unknown level
		return d
	}
	p.inflaters.New = func() any { return &inflate.Inflater{} }
	// A frame is encoded by the goroutine of the caller.
	p.zstds, _ = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(maxWindow),
		zstd.WithEncoderCRC(false), zstd.WithLowerEncoderMem(true)) // fails only for unknown options
	return p
}

// maxWindow is the window of zstd frames in bytes, which readers must buffer.
const maxWindow = 1 << 20

type deflater struct {
	w   *flate.Writer
	out bytes.Buffer
}

// Deflate compresses a text. It allocates the result.
func (p *Packer) Deflate(text []byte) *Deflated {
	d := p.deflaters.Get().(*deflater)
	defer p.deflaters.Put(d)
	d.out.Reset()
	d.w.Reset(&d.out)
	// Writing to a buffer does not fail.
	_, _ = d.w.Write(text)
	_ = d.w.Flush()
	return &Deflated{
		Data: bytes.Clone(d.out.Bytes()), Size: len(text), CRC: crc32.ChecksumIEEE(text), power: power(len(text)),
	}
}

// Slack is how much capacity beyond the text makes Inflate faster, in bytes.
const Slack = inflate.Slack

// Inflate appends the text of d to dst. It allocates only where dst lacks capacity. It cannot
// fail for what Deflate returned: an error means corrupt memory.
func (p *Packer) Inflate(dst []byte, d *Deflated) ([]byte, error) {
	i := p.inflaters.Get().(*inflate.Inflater)
	defer p.inflaters.Put(i)
	start := len(dst)
	if cap(dst)-start < d.Size {
		dst = slices.Grow(dst, d.Size+Slack)
	}
	dst = dst[:start+d.Size]
	if err := i.Inflate(dst[start:], d.Data); err != nil {
		return dst[:start], fmt.Errorf("inflate a piece of %d bytes: %w", d.Size, err)
	}
	return dst, nil
}

// Zstd appends the text as a zstd frame to dst.
func (p *Packer) Zstd(dst, text []byte) []byte { return p.zstds.EncodeAll(text, dst) }
