package store

import (
	"sync"
	"sync/atomic"

	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/internal/piece"
	"github.com/kubestate/kubestate/metric"
)

// A text is a stretch of a body that never changes: the lines of a cell at one moment, or
// the head of a family. Only its form changes, from open to sealed. It is safe for
// concurrent use.
type text struct {
	size int
	seen bool // a snapshot has it and may read it at any time; guarded by Feed.mu
	form atomic.Pointer[form]

	sealing  sync.Mutex   // held to change the form
	protobuf atomic.Int64 // 1 + the size of its metrics in protobuf; 0: unknown
}

// form is the representation of a text: open or sealed, and also zstd once a client has
// asked for that.
type form struct {
	open   []byte
	sealed *piece.Deflated // instead of open
	zstd   []byte
}

func newText(open []byte) *text {
	t := &text{size: len(open)}
	t.form.Store(&form{open: open})
	return t
}

// seal seals the text if it is open, and returns it compressed.
func (t *text) seal(p *piece.Packer) *piece.Deflated {
	if t.form.Load().sealed == nil {
		t.takeOpen(p)
	}
	return t.form.Load().sealed
}

// takeOpen seals the text if it is open, and returns the buffer that it was in. Only one of
// several callers gets it, because the buffer may be reused.
func (t *text) takeOpen(p *piece.Packer) []byte {
	t.sealing.Lock()
	defer t.sealing.Unlock()
	f := t.form.Load()
	if f.sealed == nil {
		t.form.Store(&form{sealed: p.Deflate(f.open), zstd: f.zstd})
	}
	return f.open
}

// zstd returns the text as a zstd frame, which is made on first use and kept with the text.
func (t *text) zstd(p *piece.Packer) []byte {
	if z := t.form.Load().zstd; z != nil {
		return z
	}
	t.sealing.Lock()
	defer t.sealing.Unlock()
	f := t.form.Load()
	if f.zstd == nil {
		whole := f.open
		if f.sealed != nil {
			whole = t.append(nil, p)
		}
		f = &form{open: f.open, sealed: f.sealed, zstd: p.Zstd(nil, whole)}
		t.form.Store(f)
	}
	return f.zstd
}

// append appends the text to dst. It allocates only where dst lacks capacity.
func (t *text) append(dst []byte, p *piece.Packer) []byte {
	f := t.form.Load()
	if f.sealed == nil {
		return append(dst, f.open...)
	}
	dst, err := p.Inflate(dst, f.sealed)
	if err != nil {
		panic("store: " + err.Error()) // memory is corrupt; callers that store an object or answer a scrape recover
	}
	return dst
}

// protobufSize returns the size of the lines of family d in protobuf. It uses scratch, and
// returns it for the next call.
func (t *text) protobufSize(d *metric.Desc, p *piece.Packer, scratch []byte) (size int, _ []byte) {
	if known := t.protobuf.Load(); known > 0 {
		return int(known - 1), scratch
	}
	scratch = t.append(scratch[:0], p)
	size = exposition.ProtobufSize(scratch, d)
	t.protobuf.Store(int64(size) + 1)
	return size, scratch
}
