// Package compare parses two expositions of one cluster and reports which samples
// differ. It streams the bodies and keeps only a hash and a value per sample.
//
// Two exporters of a live cluster cannot be scraped at exactly the same time, so a
// difference counts only if it persists when both are scraped again.
package compare

import (
	"context"
	"fmt"
	"hash/maphash"
	"io"
	"time"
)

// Source is one side of a comparison.
type Source struct {
	Name string
	// Open starts reading the exposition from the beginning.
	Open func(ctx context.Context) (io.ReadCloser, error)
}

// Config configures a comparison.
type Config struct {
	A, B Source // the old and the new exporter
	// Static is set if neither side changes, as for files: differences count at once.
	Static bool
	// Rounds is the maximum number of scrapes of both; less than 2 means 5.
	Rounds int
	// Pause is the time between two rounds; zero means 2 s.
	Pause time.Duration
	// Details is called for each difference that counts, in exposition order; may be
	// nil. The difference is valid only during the call.
	Details func(Difference)
	// Progress is called from time to time with the number of samples so far; may be
	// nil.
	Progress func(samples int)
}

// Kind is how a sample differs.
type Kind int

// Kinds of differences.
const (
	Missing   Kind = iota // only in A
	Extra                 // only in B
	Different             // value differs
	Repeated              // number of occurrences differs
)

var kindNames = [...]string{"missing", "extra", "different", "repeated"}

func (k Kind) String() string { return kindNames[k] }

// Difference is one sample that differs.
type Difference struct {
	Kind   Kind
	Family string
	Labels string // as exposed, between the braces
	A, B   float64
	Repair string // name of the documented repair that explains it; empty: none
}

// entry is what is kept of a sample: 24 bytes in addition to its key.
type entry struct {
	value  float64 // of the first occurrence
	family uint32
	a, b   uint16 // number of occurrences
	differ bool
}

type comparer struct {
	Config
	seed     maphash.Seed
	families families
	samples  int
	suspects map[uint64]*suspect
	kept     int // label sets of suspects
	repairs  []Repair
}

// Run compares A and B. The error names the source that could not be read, and the line
// that is not valid exposition.
func Run(ctx context.Context, c Config) (*Report, error) {
	if c.Rounds < 2 {
		c.Rounds = 5
	}
	if c.Pause == 0 {
		c.Pause = 2 * time.Second
	}
	x := &comparer{Config: c, seed: maphash.MakeSeed(), families: families{index: map[string]uint32{}}, repairs: Repairs(), suspects: map[uint64]*suspect{}}
	if err := x.first(ctx); err != nil {
		return nil, err
	}
	unsettled := len(x.suspects)
	for round := 2; unsettled > 0 && round <= c.Rounds; round++ {
		var err error
		if unsettled, err = x.again(ctx); err != nil {
			return nil, err
		}
	}
	return x.report(), nil
}

// read calls each for every sample of a source, and returns the types of families.
func (x *comparer) read(ctx context.Context, source Source, each func(*sample)) (types map[string]string, err error) {
	body, err := source.Open(ctx)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", source.Name, err)
	}
	defer func() { _ = body.Close() }()
	s := newScanner(body, x.seed)
	for s.next() {
		each(&s.now)
		if x.samples++; x.samples%10_000 == 0 && x.Progress != nil {
			x.Progress(x.samples)
		}
	}
	if s.err != nil {
		return nil, fmt.Errorf("read %s: %w", source.Name, s.err)
	}
	return s.types, nil
}

// first reads both sides completely. Samples that differ are suspects.
func (x *comparer) first(ctx context.Context) error {
	entries := map[uint64]entry{}
	typesA, err := x.read(ctx, x.A, func(s *sample) {
		e, ok := entries[s.key]
		if !ok {
			e.value, e.family = s.value, x.families.of(s.name)
		}
		e.a++
		entries[s.key] = e
	})
	if err != nil {
		return err
	}
	typesB, err := x.read(ctx, x.B, func(s *sample) {
		e, ok := entries[s.key]
		switch {
		case !ok:
			e.value, e.family = s.value, x.families.of(s.name)
		case e.b == 0:
			e.differ = !same(e.value, s.value)
		}
		e.b++
		entries[s.key] = e
	})
	if err != nil {
		return err
	}
	for key, e := range entries {
		if e.differ || e.a != e.b {
			x.suspects[key] = &suspect{family: e.family}
		} else {
			x.families.list[e.family].Equal++
		}
	}
	x.families.compareTypes(typesA, typesB)
	return nil
}

// again reads both sides and checks only the suspects. It returns how many of them
// differ in another way than last time.
func (x *comparer) again(ctx context.Context) (unsettled int, err error) {
	if err := x.pause(ctx); err != nil {
		return 0, err
	}
	for _, s := range x.suspects {
		s.last, s.now = s.now, state{}
	}
	for i, source := range []Source{x.A, x.B} {
		if _, err := x.read(ctx, source, func(s *sample) {
			if v, ok := x.suspects[s.key]; ok {
				x.note(v, s, i)
			}
		}); err != nil {
			return 0, err
		}
	}
	for key, s := range x.suspects {
		switch {
		case s.now == state{}: // removed from both
			delete(x.suspects, key)
		case s.now.equal():
			x.families.list[s.family].Equal++
			delete(x.suspects, key)
		case x.Static:
			s.last = s.now
		case s.now != s.last:
			unsettled++
		}
	}
	return unsettled, nil
}

func (x *comparer) pause(ctx context.Context) error {
	if x.Static {
		return nil
	}
	select {
	case <-time.After(x.Pause):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
