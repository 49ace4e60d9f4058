// Package otlp sends runs by OTLP, the OpenTelemetry protocol, over HTTP or gRPC:
// https://opentelemetry.io/docs/specs/otlp/. It does not know where series come from or
// what their names mean.
//
// Block.Resource and the host, as host.name, are resource attributes; Block.Tags and
// the tags of a series are data point attributes. OTLP requires unique keys: a repeated
// key becomes one attribute with an array of the distinct values, and tags of the
// series override those of the block. A Counter is a monotonic cumulative sum, an
// UpDown a non-monotonic one. An ended series is sent once more, flagged as having no
// value, a millisecond before the time of the run. Service checks do not exist in OTLP
// and are dropped.
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

// Sink is a sink.Sink.
type Sink struct {
	config   Config
	encoder  *encoder
	receiver *receiver
	queue    *push.Queue

	compressor *gzip.Writer
	compressed bytes.Buffer // scratch
}

// New returns a Sink. It does not connect, so the receiver may be down. The error lists
// everything that is wrong with the Config.
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

// Send encodes the run and waits until it is sent or ctx ends; the rest stays in the
// buffer. The error reports what was rejected or lost, and whether ctx ended first.
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

// put compresses a request and puts it into the queue, for gRPC with a frame header.
func (s *Sink) put(request []byte, points int) {
	s.compressed.Reset()
	if s.config.Protocol == GRPC {
		s.compressed.Write(make([]byte, frameHeader))
	}
	if s.config.NoCompression {
		s.compressed.Write(request)
	} else {
		s.compressor.Reset(&s.compressed)
		_, _ = s.compressor.Write(request) // writes to memory do not fail
		_ = s.compressor.Close()
	}
	body := bytes.Clone(s.compressed.Bytes())
	if s.config.Protocol == GRPC {
		setFrameHeader(body, !s.config.NoCompression)
	}
	s.queue.Put(push.Payload{Body: body, Series: points})
}

// Stats returns the counts since the start.
func (s *Sink) Stats() sink.Stats { return s.queue.Stats() }

// Yield does nothing: all data has a timestamp.
func (s *Sink) Yield() {}

// Close sends what is buffered until ctx ends.
func (s *Sink) Close(ctx context.Context) error {
	defer s.receiver.client.Close()
	return s.queue.Close(ctx)
}
