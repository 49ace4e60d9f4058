package store

import (
	"bufio"
	"io"
	"slices"
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

// section has the parts of families: of each its head, then its texts. Either it is a run
// of families of one snapshot, with a text in each block, or a single family of which
// several snapshots have texts.
type section struct {
	families []metric.Desc
	heads    []*text // nil: none
	first    int     // the number of the first family in blocks
	blocks   []blockTexts
	shared   []*text // of the single family; then there are no blocks
}

func (s *section) parts() int { return len(s.heads) * (1 + len(s.blocks) + len(s.shared)) }

// text returns the i-th text of a family.
func (s *section) text(family, i int) *text {
	if s.shared != nil {
		return s.shared[i]
	}
	return s.blocks[i][s.first+family]
}

// part is a stretch of a body. With a family it consists of sample lines, which are the
// same in all formats except protobuf; without one it is written unchanged. A part
// without text is empty.
type part struct {
	text   *text
	family *metric.Desc
}

// NewBody assembles a body from snapshots. In the text formats, the families of a
// snapshot have HELP and TYPE lines even without samples; a snapshot without objects
// contributes nothing. shared names the families that several snapshots may have: all
// samples of such a family follow its first occurrence.
func NewBody(c *Converter, f exposition.Format, snapshots []*Snapshot, shared map[string]bool) *Body {
	b := &Body{converter: c, format: f}
	written := map[string]bool{}
	for i, s := range snapshots {
		if s.objects == 0 {
			continue
		}
		families := s.resource.table.Schema().Families
		first := 0
		for n := range families {
			name := families[n].Name
			if !shared[name] {
				continue
			}
			b.addRun(s, first, n)
			first = n + 1
			if !written[name] {
				written[name] = true
				b.addShared(s, n, snapshots[i:])
			}
		}
		b.addRun(s, first, len(families))
	}
	if trailer := f.Trailer(); trailer != "" {
		b.add(section{heads: []*text{newText([]byte(trailer))}})
	}
	return b
}

// addRun adds families first to end, which only this snapshot has.
func (b *Body) addRun(s *Snapshot, first, end int) {
	if first == end {
		return
	}
	x := section{families: s.resource.table.Schema().Families[first:end], first: first, blocks: s.blocks}
	x.heads = b.heads(&x, s, first, end)
	b.add(x)
}

// addShared adds a family of s with the texts of all snapshots that have it, of which s is
// the first.
func (b *Body) addShared(s *Snapshot, family int, snapshots []*Snapshot) {
	x := section{families: s.resource.table.Schema().Families[family : family+1], shared: []*text{}}
	for _, other := range snapshots {
		families := other.resource.table.Schema().Families
		i := slices.IndexFunc(families, func(d metric.Desc) bool { return d.Name == x.families[0].Name })
		if i < 0 {
			continue
		}
		for _, block := range other.blocks {
			x.shared = append(x.shared, block[i])
		}
	}
	x.heads = b.heads(&x, s, family, family+1)
	b.add(x)
}

// heads returns what precedes the samples of families first to end of a snapshot.
func (b *Body) heads(x *section, s *Snapshot, first, end int) []*text {
	if b.format == exposition.Protobuf {
		return b.protobufHeads(x)
	}
	return s.resource.head(b.format)[first:end]
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
	each := s.parts() / len(s.heads)
	family, i := i/each, i%each
	if i == 0 {
		return part{text: s.heads[family]}
	}
	return part{s.text(family, i-1), &s.families[family]}
}

// protobufHeads returns what precedes the metrics of each family. A message starts with
// its length, so the total size of its metrics must be known first. A family without
// samples has no message: some parsers reject one without metrics.
func (b *Body) protobufHeads(s *section) []*text {
	heads := make([]*text, len(s.families))
	for i := range heads {
		if size := b.protobufSize(s, i); size > 0 {
			heads[i] = newText(exposition.AppendProtobufHead(nil, &s.families[i], size))
		}
	}
	return heads
}

// protobufSize returns the size of a family in protobuf.
func (b *Body) protobufSize(s *section, i int) int {
	var total atomic.Int64
	var unknown []*text
	family := &s.families[i]
	for n := range len(s.blocks) + len(s.shared) {
		if t := s.text(i, n); t == nil {
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

// Encode prepares the body for Write in an encoding: what is not stored in that
// encoding yet is encoded, on several cores, and stored. It returns the length of the
// encoded body; known is false if that is only known after writing.
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
