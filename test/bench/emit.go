package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/sink/datadog"
	"github.com/kubestate/kubestate/sink/dogstatsd"
	"github.com/kubestate/kubestate/sink/otlp"
)

// maxEmission is the time limit for a receiver on the same machine to accept a run.
const maxEmission = 5 * time.Minute

// emission is a sink that is measured.
type emission struct {
	name     string
	noChecks bool // the protocol has no service checks
	sink     func(r *receivers, dir string) (sink.Sink, error)
}

func emissions() []emission {
	return []emission{
		{"DogStatsD", false, func(r *receivers, _ string) (sink.Sink, error) {
			return dogstatsd.New(dogstatsd.Config{Address: "unixstream://" + r.Socket})
		}},
		{"Datadog intake", false, func(r *receivers, dir string) (sink.Sink, error) {
			key := filepath.Join(dir, "key")
			if err := os.WriteFile(key, []byte("key"), 0o600); err != nil {
				return nil, err
			}
			return datadog.New(datadog.Config{Connection: r.connection(), KeyFile: key})
		}},
		{"OTLP", true, func(r *receivers, _ string) (sink.Sink, error) {
			return otlp.New(otlp.Config{Connection: r.connection()})
		}},
		{"OTLP without compression", true, func(r *receivers, _ string) (sink.Sink, error) {
			return otlp.New(otlp.Config{Connection: r.connection(), NoCompression: true})
		}},
	}
}

func (r *receivers) connection() sink.Connection {
	return sink.Connection{URL: r.URL, Logger: slog.New(slog.DiscardHandler)}
}

// emit sends all series to each sink, once to warm up and once to measure: CPU time of
// this process, including system time. The receivers run in another process and discard
// everything.
func (m *agentMeasurement) emit(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "kubestate-bench-")
	if err != nil {
		return fmt.Errorf("emit: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // a directory left among temporary ones
	ctx, cancel := context.WithTimeout(ctx, maxEmission)
	defer cancel()
	r, err := startReceivers(ctx, dir)
	if err != nil {
		return fmt.Errorf("emit: %w", err)
	}
	defer r.process.end()
	for _, e := range emissions() {
		if err := m.emitTo(ctx, e, r, dir); err != nil {
			return fmt.Errorf("emit to %s: %w", e.name, errors.Join(err, r.process.died()))
		}
	}
	return nil
}

func (m *agentMeasurement) emitTo(ctx context.Context, e emission, r *receivers, dir string) error {
	s, err := e.sink(r, dir)
	if err != nil {
		return err
	}
	run := m.reader.Run(time.Now())
	if err := s.Send(ctx, run); err != nil {
		return errors.Join(err, s.Close(ctx))
	}
	run = m.reader.Run(time.Now())
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	sent := s.Stats().Bytes
	start, err1 := ownTime()
	err = errors.Join(s.Send(ctx, run), s.Close(ctx))
	end, err2 := ownTime()
	took := end - start
	runtime.ReadMemStats(&after)
	stats := s.Stats()
	lost := stats.Dropped + stats.Rejected
	if e.noChecks {
		lost -= 2 * uint64(m.Checks)
	}
	if lost > 0 {
		err = errors.Join(err, fmt.Errorf("%d series were dropped or rejected", lost))
	}
	each := 1 / float64(m.Series+m.Checks)
	m.Rows = append(m.Rows,
		row{What: e.name + ": processor time of a series of a full run", Figure: took.Seconds() * each, Unit: secondsUnit, Aim: 150e-9, Pass: true},
		row{What: e.name + ": allocations for it", Figure: float64(after.Mallocs-before.Mallocs) * each, Unit: allocationsUnit, Pass: true},
		row{What: e.name + ": bytes of it on the wire", Figure: float64(stats.Bytes-sent) * each, Unit: bytesUnit, Pass: true})
	return errors.Join(err, err1, err2)
}
