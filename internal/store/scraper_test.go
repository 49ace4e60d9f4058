package store

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/kubestate/kubestate/exposition"
)

// scraper takes snapshots until done: each shows every object in one version, and
// writes the same whenever it is asked, in every format and encoding.
type scraper struct {
	resource *Resource
	bodies   int
	early    *Snapshot
	bodyOf   map[exposition.Format]string // of early
}

func (s *scraper) run(t *testing.T, started *sync.WaitGroup, done *atomic.Bool) {
	s.scrape(t)
	started.Done()
	for !done.Load() && !t.Failed() {
		s.scrape(t)
	}
	t.Logf("%d concurrent snapshots", s.bodies)
}

func (s *scraper) scrape(t *testing.T) {
	now := s.resource.Snapshot(Slice{})
	if _, err := versions(s.body(t, now, exposition.OpenMetrics, exposition.Identity)); err != nil {
		t.Error(err)
	}
	if s.bodies%10 == 0 {
		s.early, s.bodyOf = now, map[exposition.Format]string{}
	}
	format, encoding := formats[s.bodies%len(formats)], encodings[s.bodies/len(formats)%len(encodings)]
	s.bodies++
	got := s.body(t, s.early, format, encoding)
	if before, known := s.bodyOf[format]; known && got != before {
		t.Errorf("a snapshot changed in format %d, encoding %d:\n%s", format, encoding, cmp.Diff(before, got))
	}
	s.bodyOf[format] = got
}

func (s *scraper) body(t *testing.T, of *Snapshot, f exposition.Format, e exposition.Encoding) string {
	var b bytes.Buffer
	if err := write(&b, of, f, e); err != nil {
		t.Error(err)
	}
	return decode(t, b.Bytes(), e)
}

var formats = []exposition.Format{exposition.Text, exposition.OpenMetrics, exposition.Protobuf}

var encodings = []exposition.Encoding{exposition.Identity, exposition.Gzip, exposition.Zstd}

// inAllEncodings returns the body of a snapshot, which must be the same in every
// encoding and as long as it was said to be.
func inAllEncodings(t *testing.T, s *Snapshot, f exposition.Format) string {
	t.Helper()
	var whole string
	for _, e := range encodings {
		var got bytes.Buffer
		b := NewBody(NewConverter(s.resource.packer), f, []*Snapshot{s}, nil)
		length, known := b.Encode(e)
		if err := b.Write(&got, e); err != nil {
			t.Fatal(err)
		}
		if known && length != got.Len() {
			t.Fatalf("format %d, encoding %d: %d bytes announced, %d written", f, e, length, got.Len())
		}
		decoded := decode(t, got.Bytes(), e)
		if e == exposition.Identity {
			whole = decoded
		}
		if decoded != whole {
			t.Fatalf("format %d, encoding %d (-identity +decoded):\n%s", f, e, cmp.Diff(whole, decoded))
		}
	}
	return whole
}

// decode decodes a body; of gzip it takes one member and nothing behind it.
func decode(t *testing.T, body []byte, e exposition.Encoding) string {
	t.Helper()
	var r io.Reader = bytes.NewReader(body)
	switch e {
	case exposition.Gzip:
		source := bytes.NewReader(body)
		member, err := gzip.NewReader(source)
		if err != nil {
			t.Error(err)
			return ""
		}
		member.Multistream(false)
		r = io.MultiReader(member, source)
	case exposition.Zstd:
		frames, err := zstd.NewReader(bytes.NewReader(body))
		if err != nil {
			t.Error(err)
			return ""
		}
		defer frames.Close()
		r = frames
	}
	decoded, err := io.ReadAll(r)
	if err != nil {
		t.Error(err)
	}
	return string(decoded)
}

// protobuf returns what a body of the text format is in protobuf.
func protobuf(r *Resource, text string) string {
	families := r.table.Schema().Families
	var b []byte
	for i := range families {
		var lines []byte
		for l := range strings.Lines(text) {
			if strings.HasPrefix(l, families[i].Name+"{") {
				lines = append(lines, l...)
			}
		}
		if len(lines) == 0 {
			continue
		}
		b = exposition.AppendProtobufHead(b, &families[i], exposition.ProtobufSize(lines, &families[i]))
		b = exposition.AppendProtobuf(b, lines, &families[i])
	}
	return string(b)
}
