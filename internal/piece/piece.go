// Package piece compresses stretches of text, each once and on its own, so that
// bodies can be put together from them without compressing anything again.
//
// A gzip body is one member: a header, the deflated pieces one behind the other
// (each ends on a byte, by a sync flush, and refers to nothing before it), a
// final empty block, and a checksum that is combined from those of the pieces.
// Never several members: many readers stop behind the first. A zstd body is one
// frame behind the other, which RFC 8878 makes every reader take for one body.
//
// The package refuses to know what the text is.
package piece

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"slices"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
)

// level is the effort of deflating; docs/performance.md says why this one.
const level = 1

// Deflated is a text that was compressed. It is immutable.
type Deflated struct {
	Data []byte
	Size int    // of the text
	CRC  uint32 // of the text

	power uint32 // what the checksum of what stands before is multiplied by
}

// Packer compresses and decompresses. It keeps the memory that this takes, some
// hundred kilobytes for each call that runs at the same time, until the next
// garbage collections. Use NewPacker. It is safe for concurrent use.
type Packer struct {
	deflaters, inflaters sync.Pool
	zstds                *zstd.Encoder
}

// NewPacker returns a Packer.
func NewPacker() *Packer {
	p := &Packer{}
	p.deflaters.New = func() any {
		d := &deflater{}
		d.w, _ = flate.NewWriter(&d.out, level) // it fails for an unknown level only
		return d
	}
	p.inflaters.New = func() any { return &inflater{} }
	// One frame is encoded by one goroutine, that of the caller; the limit is on
	// how many may do so at the same time.
	p.zstds, _ = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(maxWindow),
		zstd.WithEncoderCRC(false), zstd.WithLowerEncoderMem(true)) // it fails for unknown options only
	return p
}

// maxWindow is how far a zstd frame refers back at most. Readers keep so much.
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

// Slack is how much room beyond the text makes Inflate quicker, in bytes.
const Slack = lookahead

// Inflate appends the text of d to dst. It allocates only where dst lacks room.
// What Deflate made cannot fail: the error is for memory that went bad.
func (p *Packer) Inflate(dst []byte, d *Deflated) ([]byte, error) {
	i := p.inflaters.Get().(*inflater)
	defer p.inflaters.Put(i)
	start := len(dst)
	if cap(dst)-start < d.Size {
		dst = slices.Grow(dst, d.Size+Slack)
	}
	dst = dst[:start+d.Size]
	if err := i.inflate(dst[start:], d.Data); err != nil {
		return dst[:start], fmt.Errorf("inflate a piece of %d bytes: %w", d.Size, err)
	}
	return dst, nil
}

// Zstd appends the text as a zstd frame to dst.
func (p *Packer) Zstd(dst, text []byte) []byte { return p.zstds.EncodeAll(text, dst) }
