package store

import (
	"bufio"
	"io"
	"sync/atomic"

	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/internal/piece"
	"github.com/kubestate/kubestate/metric"
)

// Body is what one response holds: snapshots one behind the other, in one format.
// It is for one goroutine.
type Body struct {
	packer *piece.Packer
	format exposition.Format
	parts  []part
}

// part is a stretch of a body. Where it has a family it is lines, which are the
// same in all formats but protobuf; otherwise it stands as it is.
type part struct {
	text   *text
	family *metric.Desc
}

// NewBody puts snapshots together. The families of a snapshot have their HELP and
// TYPE lines also where they have no samples; a snapshot without objects has
// nothing.
func NewBody(p *piece.Packer, f exposition.Format, snapshots []*Snapshot) *Body {
	b := &Body{packer: p, format: f}
	for _, s := range snapshots {
		switch {
		case s.objects == 0:
		case f == exposition.Protobuf:
			b.addProtobuf(s)
		default:
			b.addLines(s)
		}
	}
	if trailer := f.Trailer(); trailer != "" {
		b.parts = append(b.parts, part{text: newText([]byte(trailer))})
	}
	return b
}

func (b *Body) addLines(s *Snapshot) {
	families := s.resource.table.Schema().Families
	for i, head := range s.resource.head(b.format) {
		b.parts = append(b.parts, part{text: head})
		b.addFamily(s.families[i], &families[i])
	}
}

func (b *Body) addFamily(texts []*text, family *metric.Desc) {
	for _, t := range texts {
		b.parts = append(b.parts, part{t, family})
	}
}

// addProtobuf adds families as messages. A message begins with its length, so that
// that of all lines must be known first. In the text format a family without
// samples has a head; a message without metrics would be an error to some readers.
func (b *Body) addProtobuf(s *Snapshot) {
	families := s.resource.table.Schema().Families
	for i, texts := range s.families {
		if len(texts) == 0 {
			continue
		}
		size := b.protobufSize(texts, &families[i])
		b.parts = append(b.parts, part{text: newText(exposition.AppendProtobufHead(nil, &families[i], size))})
		b.addFamily(texts, &families[i])
	}
}

// protobufSize returns the size of all texts together in protobuf.
func (b *Body) protobufSize(texts []*text, family *metric.Desc) int {
	var total atomic.Int64
	inParallel(len(texts), func(next func() (int, bool)) {
		var size int
		var scratch []byte
		for i, ok := next(); ok; i, ok = next() {
			size, scratch = texts[i].protobufSize(family, b.packer, scratch)
			total.Add(int64(size))
		}
	})
	return int(total.Load())
}

// Encode prepares the body for Write in an encoding: what is not in it yet is
// encoded now, on all cores, and kept. It returns the length of the encoded body;
// known is false where only writing will tell.
func (b *Body) Encode(e exposition.Encoding) (length int, known bool) {
	switch {
	case b.format == exposition.Protobuf:
		return 0, false
	case e == exposition.Gzip:
		b.each(func(t *text) { t.seal(b.packer) })
		length = len(piece.MemberHeader) + piece.MemberTrailerSize
		for _, p := range b.parts {
			length += len(p.text.seal(b.packer).Data)
		}
	case e == exposition.Zstd:
		b.each(func(t *text) { t.zstd(b.packer) })
		for _, p := range b.parts {
			length += len(p.text.zstd(b.packer))
		}
	default:
		for _, p := range b.parts {
			length += p.text.size
		}
	}
	return length, true
}

// each calls f with the texts of all parts, on all cores.
func (b *Body) each(f func(*text)) {
	inParallel(len(b.parts), func(next func() (int, bool)) {
		for i, ok := next(); ok; i, ok = next() {
			f(b.parts[i].text)
		}
	})
}

// Write writes the body, in large writes. It ends with the first error of w.
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

// joined is the size of the large writes that small ones become, in bytes.
const joined = 128 << 10

// writeSealed writes a gzip member of pieces that are there already.
func (b *Body) writeSealed(w io.Writer) error {
	j := bufio.NewWriterSize(w, joined)
	_, _ = j.WriteString(piece.MemberHeader) // the writer keeps its first error
	var m piece.Member
	for _, p := range b.parts {
		d := p.text.seal(b.packer)
		m.Add(d)
		if err := writeWhole(j, d.Data); err != nil {
			return err
		}
	}
	_, _ = j.Write(m.AppendTrailer(nil))
	return j.Flush()
}

// writeZstd writes zstd frames that are there already.
func (b *Body) writeZstd(w io.Writer) error {
	j := bufio.NewWriterSize(w, joined)
	for _, p := range b.parts {
		if err := writeWhole(j, p.text.zstd(b.packer)); err != nil {
			return err
		}
	}
	return j.Flush()
}

// writeWhole writes p without cutting it in two, which makes a scrape a sixth
// quicker.
func writeWhole(w *bufio.Writer, p []byte) error {
	if len(p) > w.Available() {
		if err := w.Flush(); err != nil {
			return err
		}
	}
	_, err := w.Write(p)
	return err
}
