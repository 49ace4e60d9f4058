package store

import (
	"bufio"
	"io"
	"sort"
	"sync/atomic"

	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/internal/piece"
	"github.com/kubestate/kubestate/metric"
)

// Body is the content of one response: snapshots one after another, in one format. It
// consists of parts, which are numbered from 0. It is for one goroutine.
type Body struct {
	converter *Converter
	format    exposition.Format
	sections  []section
	ends      []int // the number of the first part after each section
}

// section has the parts of one snapshot: of each family its head, then its text in each
// block.
type section struct {
	families []metric.Desc
	heads    []*text // nil where there is none
	blocks   []blockTexts
}

func (s *section) parts() int { return len(s.heads) * (1 + len(s.blocks)) }

// part is a stretch of a body. With a family it consists of sample lines, which are the
// same in all formats except protobuf; without one it is written as it is. A part without
// text is empty.
type part struct {
	text   *text
	family *metric.Desc
}

// NewBody puts snapshots together. In the text formats the families of a snapshot have
// their HELP and TYPE lines also where they have no samples; a snapshot without objects
// has nothing.
func NewBody(c *Converter, f exposition.Format, snapshots []*Snapshot) *Body {
	b := &Body{converter: c, format: f}
	for _, s := range snapshots {
		if s.objects == 0 {
			continue
		}
		families := s.resource.table.Schema().Families
		x := section{families: families, blocks: s.blocks}
		if f == exposition.Protobuf {
			x.heads = b.protobufHeads(&x)
		} else {
			x.heads = s.resource.head(f)
		}
		b.add(x)
	}
	if trailer := f.Trailer(); trailer != "" {
		b.add(section{heads: []*text{newText([]byte(trailer))}})
	}
	return b
}

func (b *Body) add(s section) {
	b.sections = append(b.sections, s)
	b.ends = append(b.ends, b.parts()+s.parts())
}

// parts returns the number of parts.
func (b *Body) parts() int {
	if len(b.ends) == 0 {
		return 0
	}
	return b.ends[len(b.ends)-1]
}

// part returns the part with a number.
func (b *Body) part(i int) part {
	at := sort.SearchInts(b.ends, i+1)
	s := &b.sections[at]
	i -= b.ends[at] - s.parts()
	family, block := i/(1+len(s.blocks)), i%(1+len(s.blocks))
	if block == 0 {
		return part{text: s.heads[family]}
	}
	return part{s.blocks[block-1][family], &s.families[family]}
}

// protobufHeads returns what precedes the metrics of each family. A message begins with
// its length, so that the size of all its metrics must be known first. A family without
// samples has no message: some readers would refuse one without metrics.
func (b *Body) protobufHeads(s *section) []*text {
	heads := make([]*text, len(s.families))
	for i := range heads {
		if size := b.protobufSize(s.blocks, i, &s.families[i]); size > 0 {
			heads[i] = newText(exposition.AppendProtobufHead(nil, &s.families[i], size))
		}
	}
	return heads
}

// protobufSize returns the size of a family in protobuf.
func (b *Body) protobufSize(blocks []blockTexts, i int, family *metric.Desc) int {
	var total atomic.Int64
	var unknown []*text
	for _, texts := range blocks {
		if t := texts[i]; t == nil {
			continue
		} else if known := t.protobuf.Load(); known > 0 {
			total.Add(known - 1)
		} else {
			unknown = append(unknown, t)
		}
	}
	b.converter.prepare(len(unknown), func(next func() (int, bool)) {
		var size int
		var scratch []byte
		for i, ok := next(); ok; i, ok = next() {
			size, scratch = unknown[i].protobufSize(family, b.converter.packer, scratch)
			total.Add(int64(size))
		}
	})
	return int(total.Load())
}

// Encode prepares the body for Write in an encoding: what is not kept in that encoding
// yet is encoded now, on several cores, and kept. It returns the length of the encoded
// body; known is false where only writing can tell.
func (b *Body) Encode(e exposition.Encoding) (length int, known bool) {
	p := b.converter.packer
	switch {
	case b.format == exposition.Protobuf:
		return 0, false
	case e == exposition.Gzip:
		b.prepare(func(f *form) bool { return f.sealed != nil }, func(t *text) { t.seal(p) })
		length = len(piece.MemberHeader) + piece.MemberTrailerSize
		b.each(func(t *text) { length += len(t.seal(p).Data) })
	case e == exposition.Zstd:
		b.prepare(func(f *form) bool { return f.zstd != nil }, func(t *text) { t.zstd(p) })
		b.each(func(t *text) { length += len(t.zstd(p)) })
	default:
		b.each(func(t *text) { length += t.size })
	}
	return length, true
}

// each calls f with each text, in order.
func (b *Body) each(f func(*text)) {
	for i := range b.parts() {
		if t := b.part(i).text; t != nil {
			f(t)
		}
	}
}

// prepare calls do with all texts whose form is not done, on several cores.
func (b *Body) prepare(done func(*form) bool, do func(*text)) {
	var texts []*text
	b.each(func(t *text) {
		if !done(t.form.Load()) {
			texts = append(texts, t)
		}
	})
	b.converter.prepare(len(texts), func(next func() (int, bool)) {
		for i, ok := next(); ok; i, ok = next() {
			do(texts[i])
		}
	})
}

// Write writes the body, in large writes. It stops at the first error of w.
func (b *Body) Write(w io.Writer, e exposition.Encoding) error {
	switch {
	case b.format == exposition.Protobuf || e == exposition.Identity:
		return b.convert(w, e)
	case e == exposition.Gzip:
		return b.writeSealed(w)
	default:
		return b.writeZstd(w)
	}
}

// writeSize is the size of the large writes that small ones become, in bytes.
const writeSize = 128 << 10

// writeSealed writes a gzip member of pieces that are kept.
func (b *Body) writeSealed(w io.Writer) error {
	j := bufio.NewWriterSize(w, writeSize)
	_, err := j.WriteString(piece.MemberHeader)
	var m piece.Member
	for i := 0; i < b.parts() && err == nil; i++ {
		if t := b.part(i).text; t != nil {
			d := t.seal(b.converter.packer)
			m.Add(d)
			err = writeWhole(j, d.Data)
		}
	}
	if err != nil {
		return err
	}
	_, _ = j.Write(m.AppendTrailer(nil)) // Flush returns the error
	return j.Flush()
}

// writeZstd writes zstd frames that are kept.
func (b *Body) writeZstd(w io.Writer) error {
	j := bufio.NewWriterSize(w, writeSize)
	for i := range b.parts() {
		t := b.part(i).text
		if t == nil {
			continue
		}
		if err := writeWhole(j, t.zstd(b.converter.packer)); err != nil {
			return err
		}
	}
	return j.Flush()
}

// writeWhole writes p without cutting it in two, which makes a scrape a sixth
// faster.
func writeWhole(w *bufio.Writer, p []byte) error {
	if len(p) > w.Available() {
		if err := w.Flush(); err != nil {
			return err
		}
	}
	_, err := w.Write(p)
	return err
}
