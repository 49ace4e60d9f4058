// Package jsonlines writes series and service checks for people to look at: one
// JSON object per line, to a file or a stream. It does not know what the series
// are about, and keeps nothing: each line is whole.
//
//	{"name":"m","type":"gauge","value":1,"tags":["a:b","c:d"],"host":"node-1"}
//	{"name":"c","type":"service_check","value":0,"tags":[],"host":"","status":"ok","message":""}
//
// The type is gauge, counter, updown (a sum that may fall) or service_check. Tags,
// among them what Block.Resource says, are sorted as they stand. JSON has no NaN
// and no infinities: their values are the strings "NaN", "+Inf" and "-Inf", as
// Prometheus spells them. A status is ok, warning, critical or unknown, with the
// values 0 to 3. That a series has ended is not written. Bytes that are not UTF-8
// become U+FFFD.
package jsonlines

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/kubestate/kubestate/sink"
)

// Config says where to write. Either Path or Output is set.
type Config struct {
	// Path is a file. It is created, or appended to.
	Path string
	// Output is written to in pieces of whole lines; it stays open.
	Output io.Writer
	// Tags are added to everything.
	Tags []sink.Tag
}

// A Sink writes runs. Send returns when the run is written, so that nothing is
// ever buffered. Stats may be called at any time.
type Sink struct {
	output  io.Writer
	file    *os.File // nil: output is not ours
	encoder encoder
	buf     []byte
	cut     bool // the last write ended within a line

	mu    sync.Mutex
	stats sink.Stats
}

// pieceSize is about how many bytes are written at once.
const pieceSize = 64 << 10

// New opens the file.
func New(c Config) (*Sink, error) {
	if (c.Path == "") == (c.Output == nil) {
		return nil, errors.New("jsonlines: want either a path or an output")
	}
	s := &Sink{output: c.Output, encoder: newEncoder(c.Tags)}
	if c.Path != "" {
		file, err := os.OpenFile(c.Path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return nil, fmt.Errorf("jsonlines: %w", err)
		}
		s.output, s.file = file, file
	}
	return s, nil
}

// Send writes a run. It stops between two writes when ctx ends, but a write that
// blocks, to a pipe that nobody reads, it cannot end. An error says how many lines
// are not written. It allocates nothing for a series.
func (s *Sink) Send(ctx context.Context, r *sink.Run) error {
	p := piece{ctx: ctx, sink: s}
	s.buf = s.buf[:0]
	if s.cut {
		s.buf = append(s.buf, '\n')
	}
	for series := range r.Series {
		s.buf = s.encoder.appendSeries(s.buf, series)
		p.added()
	}
	for check := range r.Checks {
		s.buf = s.encoder.appendCheck(s.buf, check)
		p.added()
	}
	p.flush()
	if p.err != nil {
		return fmt.Errorf("write JSON lines: %d lines lost: %w", p.lost, p.err)
	}
	return nil
}

// A piece is the part of a run that waits in Sink.buf to be written.
type piece struct {
	ctx   context.Context
	sink  *Sink
	lines uint64
	lost  uint64
	err   error // the first
}

func (p *piece) added() {
	p.lines++
	if len(p.sink.buf) >= pieceSize {
		p.flush()
	}
}

// flush writes the piece, unless something went wrong before: a piece that is cut
// short must not be followed by another.
func (p *piece) flush() {
	n := 0
	if p.err == nil {
		p.err = p.ctx.Err()
	}
	if p.err == nil && p.lines > 0 {
		n, p.err = p.sink.output.Write(p.sink.buf)
		p.sink.cut = p.err != nil && (n > 0 || p.sink.cut)
	}
	p.sink.mu.Lock()
	defer p.sink.mu.Unlock()
	stats := &p.sink.stats
	stats.Bytes += uint64(n)
	if p.err == nil {
		stats.Series += p.lines
		stats.Payloads += p.lines
	} else {
		stats.Dropped += p.lines
		p.lost += p.lines
	}
	p.sink.buf, p.lines = p.sink.buf[:0], 0
}

// Yield does nothing: nothing is buffered.
func (s *Sink) Yield() {}

// Stats counts lines, as series and as payloads.
func (s *Sink) Stats() sink.Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

// Close closes the file; again it does nothing.
func (s *Sink) Close(context.Context) error {
	if s.file == nil {
		return nil
	}
	if err := s.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("jsonlines: %w", err)
	}
	return nil
}
