package store

import (
	"io"
	"sort"
	"time"

	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/internal/piece"
)

// A body in a format or encoding that is not stored is converted batch by batch.
// Clients may read slowly, and there may be many such clients. To limit memory, no
// buffer is held while waiting for a client, except the chunk that is being written.
//
//	step        wait for a turn → convert a little → copy a chunk → release the turn → write the chunk
//	read ahead  other goroutines convert while chunks are written; ends when a write stalls
//
// A conversion starts with steps. Once its client has accepted some chunks without
// delay, and if not too many others read ahead, it reads ahead, on several cores. Turns
// are held only while converting, so that no client waits for another one.

const (
	chunkSize = 64 << 10 // maximum size of a write in bytes, except for text that is written whole
	// stalled is the duration of a write after which the client counts as slow.
	stalled = 20 * time.Millisecond
	// calmChunks is how many chunks in a row must be written without delay before a
	// conversion reads ahead.
	calmChunks = 2
	// calmAgain is the same after a delay.
	calmAgain = 32
)

// conversion writes a body in an encoding that is not stored. Its position is the next
// byte to write: a part, and how many bytes of it are already written.
type conversion struct {
	body     *Body
	encoding exposition.Encoding
	w        io.Writer
	part     int
	skip     int
	chunk    []byte
	member   piece.Member // of gzip
	wait     int          // chunks to write before it may read ahead
}

// convert writes the body in an encoding that is not stored.
func (b *Body) convert(w io.Writer, e exposition.Encoding) error {
	c := &conversion{body: b, encoding: e, w: w, wait: calmChunks}
	if e == exposition.Gzip {
		if _, err := io.WriteString(w, piece.MemberHeader); err != nil {
			return err
		}
	}
	for c.part < b.parts() {
		next := c.step
		if c.wait <= 0 && b.converter.mayReadAhead() {
			next = c.readAhead
		}
		if err := next(); err != nil {
			return err
		}
	}
	if e == exposition.Gzip {
		_, err := w.Write(c.member.AppendTrailer(nil))
		return err
	}
	return nil
}

// step writes one chunk.
func (c *conversion) step() error {
	c.convertChunk()
	begun := time.Now()
	_, err := c.w.Write(c.chunk)
	if c.wait--; time.Since(begun) >= stalled {
		c.wait = calmAgain
	}
	return err
}

// convertChunk converts the next chunk when it is its turn.
func (c *conversion) convertChunk() {
	x := c.body.converter.turn()
	defer c.body.converter.endTurn(x)
	x.cut(c.body, c.part, c.skip+chunkSize)
	x.convert(c.body, c.encoding)
	c.take(x, c.skip)
}

// take sets the next chunk to the content of a batch from some byte on, and returns
// where the rest starts.
func (c *conversion) take(x *batch, from int) (next int) {
	next = len(x.encoded)
	switch c.encoding {
	case exposition.Identity:
		next = min(next, from+chunkSize)
	case exposition.Gzip:
		c.member.Add(x.deflated)
	}
	c.chunk = append(c.chunk[:0], x.encoded[from:next]...)
	c.part, c.skip = x.to, 0
	if next < len(x.encoded) {
		i := sort.SearchInts(x.ends, next+1)
		c.part, c.skip = x.from+i, next
		if i > 0 {
			c.skip -= x.ends[i-1]
		}
	}
	return next
}

// readAhead writes chunks until the body ends or a write stalls.
func (c *conversion) readAhead() error {
	p := newPipeline(c.body, c.encoding, c.part)
	defer p.stop() // also if this panics
	stall := time.AfterFunc(time.Hour, p.stop)
	stall.Stop()
	for x := range p.order {
		<-x.done
		passOn(x.panic)
		for from := c.skip; from < len(x.encoded); {
			from = c.take(x, from)
			stall.Reset(stalled)
			_, err := c.w.Write(c.chunk)
			if !stall.Stop() { // the batch belongs to the writer now
				c.wait = calmAgain
				return err
			}
			if err != nil {
				return err
			}
		}
		c.part, c.skip = x.to, 0
		p.free <- x
	}
	return nil
}

// batch is a stretch of a body while it is converted.
type batch struct {
	from, to int             // parts
	plain    []byte          // the parts, in the format of the body
	ends     []int           // of each part, in plain
	encoded  []byte          // plain in the encoding of the body
	deflated *piece.Deflated // the same, for gzip
	frame    []byte          // memory for encoded, for zstd
	scratch  []byte          // lines before they become protobuf
	panic    any             // of the conversion, repeated by the writer of the body
	done     chan struct{}   // receives one value when the batch is converted
}

// cut chooses the parts from `from` on that add up to size, at least one.
func (x *batch) cut(b *Body, from, size int) {
	x.from, x.to = from, from
	for have := 0; x.to < b.parts() && have < size; x.to++ {
		if t := b.part(x.to).text; t != nil {
			have += t.size
		}
	}
}

// convert fills in encoded.
func (x *batch) convert(b *Body, e exposition.Encoding) {
	packer := b.converter.packer
	x.plain, x.ends = x.plain[:0], x.ends[:0]
	for i := x.from; i < x.to; i++ {
		switch p := b.part(i); {
		case p.text == nil:
		case b.format != exposition.Protobuf || p.family == nil:
			x.plain = p.text.append(x.plain, packer)
		default:
			x.scratch = p.text.append(x.scratch[:0], packer)
			x.plain = exposition.AppendProtobuf(x.plain, x.scratch, p.family)
		}
		x.ends = append(x.ends, len(x.plain))
	}
	switch e {
	case exposition.Gzip:
		x.deflated = packer.Deflate(x.plain)
		x.encoded = x.deflated.Data
	case exposition.Zstd:
		x.frame = packer.Zstd(x.frame[:0], x.plain)
		x.encoded = x.frame
	default:
		x.encoded = x.plain
	}
}
