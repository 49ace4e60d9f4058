// Package otlp sends runs by the protocol of OpenTelemetry, over HTTP or gRPC:
// https://opentelemetry.io/docs/specs/otlp/. It does not know where series come
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
	"github.com/kubestate/kubestate/sink/internal/client"
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
	q := push.NewConfig("otlp", c.Connection)
	poster, err := client.New(client.Config{Connection: c.Connection, HTTP2: c.Protocol == GRPC})
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
	e := s.encoder
	e.beginRun(r.Time)
	e.beginRequest()
	batch := push.Batch{
		Queue: s.queue, MaxItems: s.config.MaxSeries, MaxBytes: s.config.MaxBytes, Begin: e.beginRequest,
		Put: func(points int) { s.put(e.message(), points) },
	}
	for series, ended := range push.EndedFirst(r) {
		batch.Add(ctx, e.size()+e.bound(series))
		e.add(series, ended)
	}
	err := batch.End(ctx)
	e.forget()
	s.queue.LeaveOutChecks(r.Checks)
	return errors.Join(err, s.queue.Flush(ctx))
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
