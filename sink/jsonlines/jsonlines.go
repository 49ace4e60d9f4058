// Package jsonlines writes series and service checks for humans: one JSON object per
// line, to a file or stream. It does not know what the series mean, and keeps no state:
// each line is self-contained.
//
//	{"name":"m","type":"gauge","value":1,"tags":["a:b","c:d"],"host":"node-1"}
//	{"name":"c","type":"service_check","value":0,"tags":[],"host":"","status":"ok","message":""}
//
// The type is gauge, counter, updown (a sum that may fall) or service_check. Tags,
// including those of Block.Resource, are sorted as text. JSON has no NaN or infinities:
// they are the strings "NaN", "+Inf" and "-Inf", as in Prometheus. The status is ok,
// warning, critical or unknown, with values 0 to 3. Ended series are not written.
// Invalid UTF-8 is replaced with U+FFFD.
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

// Config configures a Sink. Exactly one of Path and Output must be set.
type Config struct {
	// Path is a file, which is created or appended to.
	Path string
	// Output is written to in chunks of complete lines and never closed.
	Output io.Writer
	// Tags are added to all lines.
	Tags []sink.Tag
}

// Sink is a sink.Sink. Send returns when the run is written; nothing is buffered.
type Sink struct {
	output  io.Writer
	file    *os.File // nil: Output is not ours to close
	encoder encoder
	buf     []byte
	cut     bool // the last write ended within a line

	mu    sync.Mutex
	stats sink.Stats
}

// pieceSize is the approximate number of bytes per write.
const pieceSize = 64 << 10

// New returns a Sink and opens the file.
func New(c Config) (*Sink, error) {
	if (c.Path == "") == (c.Output == nil) {
		return nil, errors.New("jsonlines: exactly one of Path and Output must be set")
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

// Send writes a run. It checks ctx between writes, but cannot interrupt a write that
// blocks, such as to a pipe that nobody reads. An error reports how many lines were not
// written. It does not allocate per series.
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

// piece is the part of a run in Sink.buf.
type piece struct {
	ctx   context.Context
	sink  *Sink
	lines uint64
	lost  uint64
	err   error // the first error
}

func (p *piece) added() {
	p.lines++
	if len(p.sink.buf) >= pieceSize {
		p.flush()
	}
}

// flush writes the piece, unless a write failed before: nothing must follow a truncated
// piece.
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

// Close closes the file. It may be called twice.
func (s *Sink) Close(context.Context) error {
	if s.file == nil {
		return nil
	}
	if err := s.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("jsonlines: %w", err)
	}
	return nil
}
