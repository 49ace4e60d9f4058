package store

import (
	"sync"
	"sync/atomic"

	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/internal/piece"
	"github.com/kubestate/kubestate/metric"
)

// A text is a stretch of a body that never changes: the lines of a cell as they
// were at one time, or the head of a family. Only its form changes, from open to
// sealed. It is safe for concurrent use.
type text struct {
	size int
	seen bool // by a snapshot, which may read it at any time; guarded by the lock of the feed
	form atomic.Pointer[form]

	sealing  sync.Mutex   // one changes the form at a time
	protobuf atomic.Int64 // 1 + the size of its metrics in protobuf, once known
}

// form is how a text is kept: open or sealed, and as zstd too once that was asked
// for.
type form struct {
	open   []byte
	sealed *piece.Deflated // in place of open
	zstd   []byte
}

func newText(open []byte) *text {
	t := &text{size: len(open)}
	t.form.Store(&form{open: open})
	return t
}

// seal compresses the text if it is open, and returns it compressed.
func (t *text) seal(p *piece.Packer) *piece.Deflated {
	if t.form.Load().sealed == nil {
		t.takeOpen(p)
	}
	return t.form.Load().sealed
}

// takeOpen compresses the text if it is open, and returns what it was. Of several
// callers only one gets that, because its memory may become that of another text.
func (t *text) takeOpen(p *piece.Packer) []byte {
	t.sealing.Lock()
	defer t.sealing.Unlock()
	f := t.form.Load()
	if f.sealed == nil {
		t.form.Store(&form{sealed: p.Deflate(f.open), zstd: f.zstd})
	}
	return f.open
}

// zstd returns the text as a zstd frame. It is made when it is asked for first
// and kept as long as the text.
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

// append appends the text to dst. It allocates only where dst lacks room.
func (t *text) append(dst []byte, p *piece.Packer) []byte {
	f := t.form.Load()
	if f.sealed == nil {
		return append(dst, f.open...)
	}
	dst, err := p.Inflate(dst, f.sealed)
	if err != nil {
		panic("store: " + err.Error()) // memory went bad; whoever stores an object or answers a scrape recovers
	}
	return dst
}

// protobufSize returns how many bytes the lines of family d take in protobuf. It
// uses scratch, and returns it for the next.
func (t *text) protobufSize(d *metric.Desc, p *piece.Packer, scratch []byte) (size int, _ []byte) {
	if known := t.protobuf.Load(); known > 0 {
		return int(known - 1), scratch
	}
	scratch = t.append(scratch[:0], p)
	size = exposition.ProtobufSize(scratch, d)
	t.protobuf.Store(int64(size) + 1)
	return size, scratch
}
