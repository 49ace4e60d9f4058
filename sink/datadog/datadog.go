// Package datadog sends series and service checks to Datadog without an agent: series
// to version 2 of the intake (POST /api/v2/series), service checks to
// /api/v1/check_run. It does not know where they come from or what their names mean.
//
// Every series is a gauge: counts of the intake are increments since the last point,
// while series here are totals. The kubernetes_state_core check of the Datadog Agent
// also sends totals as gauges. The host of a series is its resource of type host. Tags
// and entity attributes become tags.
//
// The intake has no NaN, no infinities and no way to end a series: such values are
// dropped and counted, and Run.Ended is ignored. It ignores points older than an hour,
// so requests that waited longer are dropped.
package datadog

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"strings"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/sink/internal/client"
	"github.com/kubestate/kubestate/sink/internal/push"
)

// Sink is a sink.Sink. A request that may or may not have arrived is sent again, which
// is harmless for gauges.
type Sink struct {
	config  Config
	encoder *encoder
	intake  *intake
	queue   *push.Queue

	payload    []byte // uncompressed, being filled
	compressed []byte // scratch
	check      []byte // scratch

	dropped atomic.Uint64
}

// New returns a Sink. It does not connect, so the receiver may be down. The error lists
// everything that is wrong with the Config.
func New(c Config) (*Sink, error) {
	c.fillDefaults()
	q := push.NewConfig("datadog", c.Connection)
	connection := c.Connection
	connection.HeaderFiles = maps.Clone(c.HeaderFiles)
	if connection.HeaderFiles == nil {
		connection.HeaderFiles = map[string]string{}
	}
	connection.HeaderFiles["DD-API-KEY"] = c.KeyFile
	poster, err := client.New(client.Config{Connection: connection})
	if err := errors.Join(err, c.check(), q.Check("MaxCompressed", c.MaxCompressed)); err != nil {
		return nil, fmt.Errorf("datadog: %w", err)
	}
	// No concurrency: leave the other cores to the rest of the program.
	compressor, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("datadog: start zstd: %w", err)
	}
	i := &intake{url: strings.TrimSuffix(c.URL, "/"), keyFile: c.KeyFile, client: poster, compressor: compressor}
	q.Send = i.send
	return &Sink{config: c, encoder: newEncoder(c.Tags), intake: i, queue: push.New(q)}, nil
}

// maxAge is the maximum age of points on arrival. The intake drops older ones and
// reports success.
const maxAge = time.Hour

// Send encodes the run and waits until it is sent or ctx ends; the rest stays in the
// buffer. The error reports what was rejected or lost, and whether ctx ended first.
func (s *Sink) Send(ctx context.Context, r *sink.Run) error {
	var lost losses
	errs := []error{s.sendSeries(ctx, r, &lost), s.sendChecks(ctx, r, &lost)}
	s.encoder.forget()
	s.dropped.Add(lost.total())
	return errors.Join(append(errs, s.queue.Flush(ctx), lost.err())...)
}

func (s *Sink) sendSeries(ctx context.Context, r *sink.Run, lost *losses) error {
	batch := push.Batch{
		Queue: s.queue, MaxItems: s.config.MaxSeries, MaxBytes: s.config.MaxBytes, Begin: s.begin,
		Put: func(series int) { s.putSeries(s.payload, series, lost) },
	}
	s.begin()
	s.encoder.begin(r.Time)
	for series := range r.Series {
		if math.IsNaN(series.Value) || math.IsInf(series.Value, 0) {
			lost.noNumber++
			continue
		}
		size := s.encoder.prepare(series)
		if size > s.config.MaxBytes {
			lost.tooLarge++
			continue
		}
		batch.Add(ctx, len(s.payload)+size)
		s.payload = s.encoder.append(s.payload)
	}
	return batch.End(ctx)
}

func (s *Sink) begin() { s.payload = s.payload[:0] }

// putSeries compresses series and puts them into the queue, split into several requests
// if they are too large for one.
func (s *Sink) putSeries(series []byte, count int, lost *losses) {
	s.compressed = s.intake.compressor.EncodeAll(series, s.compressed[:0])
	switch {
	case len(s.compressed) <= s.config.MaxCompressed:
		s.put(s.compressed, count, kindSeries)
	case count == 1:
		lost.tooLarge++
	default:
		half := offset(series, count/2)
		s.putSeries(series[:half], count/2, lost)
		s.putSeries(series[half:], count-count/2, lost)
	}
}

// sendChecks sends the service checks as uncompressed JSON arrays.
func (s *Sink) sendChecks(ctx context.Context, r *sink.Run, lost *losses) error {
	batch := push.Batch{
		Queue: s.queue, MaxItems: s.config.MaxSeries, MaxBytes: s.config.MaxCompressed, Begin: s.begin,
		Put: func(checks int) { s.put(append(s.payload, ']'), checks, kindChecks) },
	}
	s.begin()
	for check := range r.Checks {
		s.check = appendCheck(s.check[:0], check, s.config.Tags, r.Time)
		if len(s.check)+len("[]") > s.config.MaxCompressed {
			lost.tooLarge++
			continue
		}
		separator := byte(',')
		if batch.Add(ctx, len(s.payload)+len(s.check)+len(",]")) {
			separator = '['
		}
		s.payload = append(append(s.payload, separator), s.check...)
	}
	return batch.End(ctx)
}

// put copies a request into the queue.
func (s *Sink) put(body []byte, series int, kind uint8) {
	p := push.Payload{Body: append(make([]byte, 0, len(body)), body...), Series: series, Kind: kind}
	if kind == kindSeries {
		p.Expires = time.Now().Add(maxAge)
	}
	s.queue.Put(p)
}

// Stats returns the counts since the start. Service checks count as series.
func (s *Sink) Stats() sink.Stats {
	stats := s.queue.Stats()
	stats.Dropped += s.dropped.Load()
	return stats
}

// Yield does nothing: all data has a timestamp.
func (s *Sink) Yield() {}

// Close sends what is buffered until ctx ends.
func (s *Sink) Close(ctx context.Context) error {
	defer s.intake.client.Close()
	return s.queue.Close(ctx)
}

// losses counts series of a run that cannot be sent.
type losses struct{ noNumber, tooLarge uint64 }

func (l *losses) total() uint64 { return l.noNumber + l.tooLarge }

func (l *losses) err() error {
	var why []string
	if l.noNumber > 0 {
		why = append(why, fmt.Sprintf("%d NaN or infinite", l.noNumber))
	}
	if l.tooLarge > 0 {
		why = append(why, fmt.Sprintf("%d larger than the maximum request", l.tooLarge))
	}
	if why == nil {
		return nil
	}
	return fmt.Errorf("datadog: %d series lost: %s", l.total(), strings.Join(why, ", "))
}
