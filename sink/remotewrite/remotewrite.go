// Package remotewrite sends runs by Prometheus remote write, version 1.0 or 2.0. It
// does not know where series come from or what their names mean.
//
// Version 1.0 is https://prometheus.io/docs/specs/prw/remote_write_spec/, 2.0 is
// https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/ as of 2.0-rc.4, where the
// start of a counter is part of its samples. Service checks do not exist in either and
// are dropped.
package remotewrite

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/klauspost/compress/s2"

	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/sink/internal/client"
	"github.com/kubestate/kubestate/sink/internal/push"
)

// Sink is a sink.Sink.
type Sink struct {
	config   Config
	encoder  *encoder
	receiver *receiver
	queue    *push.Queue

	compressed []byte // scratch
}

// New returns a Sink. It does not connect, so the receiver may be down. The error lists
// everything that is wrong with the Config.
func New(c Config) (*Sink, error) {
	c.fillDefaults()
	q := push.NewConfig("remote write", c.Connection)
	poster, err := client.New(client.Config{Connection: c.Connection})
	if err := errors.Join(err, c.check(), q.Check("MaxBytes", c.MaxBytes)); err != nil {
		return nil, fmt.Errorf("remote write: %w", err)
	}
	r := &receiver{config: c, client: poster}
	q.Send = r.send
	return &Sink{config: c, encoder: newEncoder(c), receiver: r, queue: push.New(q)}, nil
}

// Send encodes the run and waits until it is sent or ctx ends; the rest stays in the
// buffer. The error reports what was rejected or lost, and whether ctx ended first.
func (s *Sink) Send(ctx context.Context, r *sink.Run) error {
	e := s.encoder
	begin := func() { e.beginRequest(s.receiver.version()) }
	e.beginRun(r.Time)
	begin()
	batch := push.Batch{
		Queue: s.queue, MaxItems: s.config.MaxSeries, MaxBytes: s.config.MaxBytes, Begin: begin,
		Put: func(series int) { s.put(e.version, e.message(), series) },
	}
	clashes, clash := 0, [2]*sink.Metric{}
	for series, ended := range push.EndedFirst(r) {
		if other := e.clash(series); other != nil {
			if !ended {
				clashes++
				clash = [2]*sink.Metric{other, series.Metric}
			}
			continue
		}
		batch.Add(ctx, e.size()+e.bound(series))
		e.add(series, ended)
	}
	err := batch.End(ctx)
	if clashes > 0 {
		s.queue.LeaveOut(clashes, fmt.Errorf("metrics %q and %q have the same name in Prometheus", clash[0].Name, clash[1].Name))
	}
	if e.version == V1 {
		e.metadata(s.config.MetadataInterval, s.config.MaxBytes, func(request []byte) { s.put(V1, request, 0) })
	}
	e.forget()
	s.queue.LeaveOutChecks(r.Checks)
	return errors.Join(err, s.queue.Flush(ctx))
}

// put compresses a request and puts it into the queue.
func (s *Sink) put(version Version, request []byte, series int) {
	if n := s2.MaxEncodedLen(len(request)); len(s.compressed) < n {
		s.compressed = make([]byte, n)
	}
	compressed := s2.EncodeSnappy(s.compressed, request)
	s.queue.Put(push.Payload{Body: bytes.Clone(compressed), Series: series, Kind: uint8(version)})
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
