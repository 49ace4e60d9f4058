// Package store keeps the rendered samples of objects, ready to be written family by
// family. An object is rendered once, when it changes; an update touches only the families
// whose text changed; a scrape writes stored text.
//
// A Resource stores the objects of one kind. Each source of objects (one watch, or one for
// each namespace) has a Feed, which keeps its objects in blocks of slots:
//
//	Resource ─┬─ Feed ─┬─ block 0        slot 0    slot 1    …  slot 127     an object each
//	          │        │                 shop/a    shop/b       shop/z
//	          │        │                ┌───────────────────────────────┐
//	          │        │   family 0     │ line      line line    line   │  cell → text
//	          │        │   family 1     │ line                   line   │  cell → text
//	          │        │   …            │                               │
//	          │        │   family n     │ line      line         line   │  cell → text
//	          │        │                └───────────────────────────────┘
//	          │        └─ block 1 …
//	          └─ Feed (another namespace) …
//
// A cell has the sample lines of one family for the objects of one block, in the order of
// slots, and for each slot the number of its lines and a hash of them. A text is a version
// of a cell that never changes, because a Snapshot may have it. Its form is
//
//	open      the lines as they were rendered
//	sealed    the lines compressed, as one piece of a gzip body (package piece)
//
// and a change to a cell opens it: its sealed text is decompressed into a buffer that may
// change. A Snapshot is a list of references to texts, so a scrape writes without a lock.
// A Body writes snapshots in the order
//
//	for each family: HELP and TYPE, then its text in block 0, block 1, …
//
// as sealed pieces (gzip), as zstd frames that are kept as well, or converted while it is
// written (plain text, protobuf).
//
// feed.go handles changes of objects, block.go and text.go lay out lines, seal.go decides
// when texts are sealed, snapshot.go takes the state of a Resource, body.go makes a response
// of it, convert.go and converter.go convert responses within a memory budget, and
// validate.go checks the invariants in tests. The package does not know where objects come
// from.
package store

import (
	"log/slog"
	"os"
	"slices"
	"sync"

	"github.com/kubestate/kubestate/exposition"
	"github.com/kubestate/kubestate/internal/piece"
	"github.com/kubestate/kubestate/kind"
	"github.com/kubestate/kubestate/metric"
)

// Config configures a Resource.
type Config struct {
	Table  *kind.Table
	Packer *piece.Packer // shared by several resources; nil: its own
	Logger *slog.Logger  // receives errors about objects with families that cannot be computed
	// Observer is called after every change; may be nil.
	Observer Observer
	// Labeler adds labels to the lines of objects; may be nil.
	Labeler Labeler
	// Position is the index of the Resource among all. It shifts which slice the first
	// block is in, so that small resources are not all in the first slice.
	Position int
}

// Resource is the store of one kind. It is safe for concurrent use.
type Resource struct {
	table     *kind.Table
	packer    *piece.Packer
	logger    *slog.Logger
	observer  Observer
	labeler   Labeler
	tailOf    []int     // for each family its index in Labels.Tails; nil without a labeler
	renderers sync.Pool // of *renderer
	first     int       // Config.Position
	validate  bool      // check invariants after each change; see validate.go

	mu    sync.Mutex
	feeds []*Feed
	made  int                           // number of feeds made so far
	heads map[exposition.Format][]*text // HELP and TYPE lines by family, made on first use
}

// New returns an empty store.
func New(c Config) *Resource {
	if c.Packer == nil {
		c.Packer = piece.NewPacker()
	}
	r := &Resource{
		table: c.Table, packer: c.Packer, logger: c.Logger, observer: c.Observer, first: c.Position,
		labeler: c.Labeler, tailOf: tailsOf(c),
		validate: os.Getenv("KUBESTATE_VALIDATE") == "1",
		heads:    map[exposition.Format][]*text{},
	}
	r.renderers.New = func() any { return newRenderer(c.Table.Schema()) }
	return r
}

// Table returns the table of the kind that is stored.
func (r *Resource) Table() *kind.Table { return r.table }

// NewFeed returns a new Feed. Its objects follow those of earlier feeds in a body.
func (r *Resource) NewFeed() *Feed {
	f := newFeed(r)
	r.mu.Lock()
	defer r.mu.Unlock()
	f.first = r.first + r.made
	r.made++
	r.feeds = append(r.feeds, f)
	return f
}

// remove takes a feed out of the resource.
func (r *Resource) remove(f *Feed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.Index(r.feeds, f); i >= 0 {
		r.feeds = slices.Delete(slices.Clone(r.feeds), i, i+1)
	}
}

func (r *Resource) allFeeds() []*Feed {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clip(r.feeds)
}

// Stats describes what a Resource stores.
type Stats struct {
	Objects, Series, Bytes int
	Failures               uint64 // objects with a family that could not be computed, since the start
	Synced                 bool   // there is a feed, and each has had its first Commit
}

// Stats returns the sum over all feeds. Bytes is the size of all sample lines, uncompressed.
func (r *Resource) Stats() Stats {
	feeds := r.allFeeds()
	s := Stats{Synced: len(feeds) > 0}
	for _, f := range feeds {
		f.mu.Lock()
		s.Objects += len(f.index)
		s.Series += f.series
		s.Bytes += f.bytes
		s.Failures += f.failures
		s.Synced = s.Synced && f.published
		f.mu.Unlock()
	}
	return s
}

// renderer renders one object after another and reuses its buffers.
type renderer struct {
	lines   *exposition.Writer
	emitter *metric.Emitter
	tails   [][]byte // of the current object, by family
}

func newRenderer(s *metric.Schema) *renderer {
	w := exposition.NewWriter(s)
	return &renderer{lines: w, emitter: metric.NewEmitter(w)}
}

// renderer returns a renderer without lines, which the caller puts back into the pool.
func (r *Resource) renderer() *renderer {
	x := r.renderers.Get().(*renderer)
	x.lines.Reset() // an object of a wrong type must not get the lines of the previous one
	x.lines.Tails(nil)
	return x
}
