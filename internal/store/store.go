// Package store keeps the rendered samples of objects, ready to be written family
// by family. An object is rendered once, when it changes; an update touches only
// the families whose text really changed; a scrape only hands out what is there.
//
// A Resource holds the objects of one kind. Its Feeds receive them, one Feed for
// each source (one for each namespace, where only some are watched). A Feed keeps
// its objects in blocks of slots; a cell is the text of one family for one block.
// A text is open, as it was rendered, or sealed: compressed, as gzip bodies have
// it. Texts that a Snapshot has seen never change, so that a scrape writes without
// a lock.
//
// feed.go is what happens to objects, block.go and text.go are where their lines
// are, seal.go says when texts are sealed, snapshot.go takes a state and body.go
// makes a response of it; validate.go checks all of that in tests. The package
// refuses to know where objects come from.
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

// Config says what a Resource is made of.
type Config struct {
	Table  *kind.Table
	Packer *piece.Packer // compresses, for any number of resources; nil: one of its own
	Logger *slog.Logger  // told of objects that a row cannot cope with
	// Observer is told of every change; nil: nobody.
	Observer Observer
	// Labeler gives labels to the lines of objects; nil: nobody.
	Labeler Labeler
	// Position is the place of the Resource among others; slices begin there, so
	// that small resources do not all fall into the first.
	Position int
}

// Resource is the store of one kind. It is safe for concurrent use.
type Resource struct {
	table     *kind.Table
	packer    *piece.Packer
	logger    *slog.Logger
	observer  Observer
	labeler   Labeler
	tailOf    []int     // per family, of Labels.Tails; nil without a labeler
	renderers sync.Pool // of *renderer
	first     int       // the slice that its first block is in, modulo their number
	validate  bool      // check all invariants after each change; see validate.go

	mu    sync.Mutex
	feeds []*Feed
	heads map[exposition.Format][]*text // per family, made when they are asked for
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

// Table returns the table whose objects the Resource keeps.
func (r *Resource) Table() *kind.Table { return r.table }

// NewFeed returns a further Feed. What it receives is written behind that of the
// feeds before it.
func (r *Resource) NewFeed() *Feed {
	f := newFeed(r)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.feeds = append(r.feeds, f)
	return f
}

func (r *Resource) allFeeds() []*Feed {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clip(r.feeds)
}

// Stats says how much a Resource holds.
type Stats struct {
	Objects, Series, Bytes int
	Failures               uint64 // objects that a row could not cope with, since the start
	Synced                 bool   // every feed has been read completely at least once
}

// Stats returns the sum over all feeds. Bytes is the length of all sample lines.
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

// renderer renders one object after another, reusing memory.
type renderer struct {
	lines   *exposition.Writer
	emitter *metric.Emitter
	tails   [][]byte // per family, of the current object
}

func newRenderer(s *metric.Schema) *renderer {
	w := exposition.NewWriter(s)
	return &renderer{lines: w, emitter: metric.NewEmitter(w)}
}

// renderer returns a renderer without lines, which the caller gives back to the pool.
func (r *Resource) renderer() *renderer {
	x := r.renderers.Get().(*renderer)
	x.lines.Reset() // an object of a wrong type must not get the lines of the one before
	x.lines.Tails(nil)
	return x
}
