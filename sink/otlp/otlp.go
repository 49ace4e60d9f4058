// Package otlp sends runs by the protocol of OpenTelemetry, over HTTP or gRPC:
// https://opentelemetry.io/docs/specs/otlp/. It refuses to know where series come
// from and what their names mean.
//
// Block.Resource and the host, as host.name, are the attributes of the resource;
// Block.Tags and the tags of a series are those of its point. The protocol demands
// that keys are unique: a key that occurs more than once becomes one attribute
// whose value is the array of the different values, and a tag of the series itself
// takes the place of those of the block. A counter is a monotonic cumulative sum,
// an UpDown one that is not monotonic. A series that has ended is sent once more,
// with the flag that says that there is no value, a millisecond before the time of
// the run. Service checks have no place in the protocol and are dropped.
package otlp

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/klauspost/compress/gzip"

	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/sink/internal/push"
)

// scopeText is the name of the scope of all metrics.
const scopeText = "github.com/kubestate/kubestate"

// Sink is a sink.Sink. Send is for one goroutine at a time, the rest for any.
type Sink struct {
	config   Config
	encoder  *encoder
	receiver *receiver
	queue    *push.Queue

	compressor *gzip.Writer
	compressed bytes.Buffer // scratch
}

// New returns a Sink. It does not connect: the receiver may come later. The error
// names everything that is wrong with the Config.
func New(c Config) (*Sink, error) {
	c.fillDefaults()
	q := push.Config{Buffer: c.Buffer, Timeout: c.Timeout, Attempts: c.Attempts, Logger: c.Logger, Name: "otlp"}
	poster, err := c.client()
	if err := errors.Join(err, c.check(), q.Check("MaxBytes", c.MaxBytes)); err != nil {
		return nil, fmt.Errorf("otlp: %w", err)
	}
	compressor, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil {
		return nil, fmt.Errorf("otlp: start gzip: %w", err)
	}
	r := &receiver{config: c, url: c.target(), client: poster}
	q.Send = r.send
	return &Sink{config: c, encoder: newEncoder(c), receiver: r, compressor: compressor, queue: push.New(q)}, nil
}

// Send encodes the run and waits until it is sent, or ctx ends; what is left then
// stays in the buffer. The error says what the receiver has refused, what was
// lost, and whether ctx ended first.
func (s *Sink) Send(ctx context.Context, r *sink.Run) error {
	var errs []error
	s.encoder.beginRun(r.Time)
	s.encoder.beginRequest()
	add := func(series *sink.Series, ended bool) {
		if s.isFull(series) {
			errs = append(errs, s.finish(ctx))
		}
		s.encoder.add(series, ended)
	}
	// The ended ones first, a little before the time of the run: if two series are one
	// for the receiver, which was not so where they come from, it sees one that goes on.
	for series := range r.Ended {
		add(series, true)
	}
	for series := range r.Series {
		add(series, false)
	}
	errs = append(errs, s.finish(ctx))
	s.encoder.forget()
	s.queue.LeaveOutChecks(r.Checks)
	return errors.Join(append(errs, s.queue.Flush(ctx))...)
}

// isFull says whether the request must end before the series.
func (s *Sink) isFull(series *sink.Series) bool {
	e := s.encoder
	return e.count > 0 && (e.count >= s.config.MaxSeries || e.size()+e.bound(series) > s.config.MaxBytes)
}

// finish hands the request to the queue and begins another.
func (s *Sink) finish(ctx context.Context) error {
	if s.encoder.count > 0 {
		s.put(s.encoder.message(), s.encoder.count)
	}
	s.encoder.beginRequest()
	return s.queue.Throttle(ctx)
}

// put compresses a request and puts it into the queue, with what goes before it in
// gRPC.
func (s *Sink) put(request []byte, points int) {
	s.compressed.Reset()
	if s.config.Protocol == GRPC {
		s.compressed.Write(make([]byte, frameHeader))
	}
	if s.config.NoCompression {
		s.compressed.Write(request)
	} else {
		s.compressor.Reset(&s.compressed)
		_, _ = s.compressor.Write(request) // memory takes everything
		_ = s.compressor.Close()
	}
	body := bytes.Clone(s.compressed.Bytes())
	if s.config.Protocol == GRPC {
		setFrameHeader(body, !s.config.NoCompression)
	}
	s.queue.Put(push.Payload{Body: body, Series: points})
}

// Stats returns what became of everything since the start.
func (s *Sink) Stats() sink.Stats { return s.queue.Stats() }

// Yield does nothing: everything sent has a time.
func (s *Sink) Yield() {}

// Close sends what is buffered until ctx ends.
func (s *Sink) Close(ctx context.Context) error {
	defer s.receiver.client.Close()
	return s.queue.Close(ctx)
}
