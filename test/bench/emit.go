package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/sink/datadog"
	"github.com/kubestate/kubestate/sink/dogstatsd"
	"github.com/kubestate/kubestate/sink/otlp"
)

// maxEmission is how long a receiver on the same machine may take for a run.
const maxEmission = 5 * time.Minute

// receiver is a sink and who reads what it sends, in this process.
type receiver struct {
	name  string
	start func(dir string) (sink.Sink, error)
	close func() error // ends who reads
}

// emit sends all series to each sink once to warm it up and once for the figures:
// processor time, with that of the receiver in this process, which reads and
// forgets.
func (m *agentMeasurement) emit(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "kubestate-bench-")
	if err != nil {
		return fmt.Errorf("emit: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // a directory left among temporary ones
	ctx, cancel := context.WithTimeout(ctx, maxEmission)
	defer cancel()
	for _, r := range receivers() {
		if err := m.emitTo(ctx, &r, dir); err != nil {
			return fmt.Errorf("emit to %s: %w", r.name, err)
		}
	}
	return nil
}

func (m *agentMeasurement) emitTo(ctx context.Context, r *receiver, dir string) error {
	s, err := r.start(dir)
	if err != nil {
		return err
	}
	run := m.reader.Run(time.Now())
	if err := s.Send(ctx, run); err != nil {
		return errors.Join(err, s.Close(ctx), r.close())
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
	if stats.Dropped+stats.Rejected > 0 {
		err = errors.Join(err, fmt.Errorf("%d series were dropped and %d rejected", stats.Dropped, stats.Rejected))
	}
	each := 1 / float64(m.Series+m.Checks)
	m.Rows = append(m.Rows,
		row{What: r.name + ": processor time of a series of a full run", Figure: took.Seconds() * each, Unit: secondsUnit, Aim: 150e-9, Pass: true},
		row{What: r.name + ": allocations for it", Figure: float64(after.Mallocs-before.Mallocs) * each, Unit: allocationsUnit, Pass: true},
		row{What: r.name + ": bytes of it on the wire", Figure: float64(stats.Bytes-sent) * each, Unit: bytesUnit, Pass: true})
	return errors.Join(err, err1, err2, r.close())
}

func receivers() []receiver {
	return []receiver{dogStatsD(), overHTTP("Datadog intake", newIntake), overHTTP("OTLP", newOTLP),
		overHTTP("OTLP without compression", newPlainOTLP)}
}

func dogStatsD() receiver {
	var l net.Listener
	return receiver{"DogStatsD", func(dir string) (sink.Sink, error) {
		path := filepath.Join(dir, "dogstatsd")
		var err error
		if l, err = net.Listen("unix", path); err != nil {
			return nil, err
		}
		go forget(l)
		return dogstatsd.New(dogstatsd.Config{Address: "unixstream://" + path})
	}, func() error { return l.Close() }}
}

// overHTTP is a receiver that says yes to every request.
func overHTTP(name string, newSink func(url, dir string) (sink.Sink, error)) receiver {
	var server *http.Server
	return receiver{name, func(dir string) (sink.Sink, error) {
		var url string
		var err error
		if server, url, err = serveAndForget(); err != nil {
			return nil, err
		}
		return newSink(url, dir)
	}, func() error { return server.Close() }}
}

func newIntake(url, dir string) (sink.Sink, error) {
	key := filepath.Join(dir, "key")
	if err := os.WriteFile(key, []byte("key"), 0o600); err != nil {
		return nil, err
	}
	return datadog.New(datadog.Config{URL: url, KeyFile: key, Logger: slog.New(slog.DiscardHandler)})
}

func newOTLP(url, _ string) (sink.Sink, error) {
	return otlp.New(otlp.Config{URL: url, Logger: slog.New(slog.DiscardHandler)})
}

func newPlainOTLP(url, _ string) (sink.Sink, error) {
	return otlp.New(otlp.Config{URL: url, NoCompression: true, Logger: slog.New(slog.DiscardHandler)})
}

// forget reads what one client sends, until it goes or the listener is closed.
func forget(l net.Listener) {
	c, err := l.Accept()
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, c)
	_ = c.Close()
}

// serveAndForget accepts every request of the intake and of OTLP.
func serveAndForget() (server *http.Server, url string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	server = &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if strings.HasPrefix(r.URL.Path, "/v1/") { // OTLP, for which an empty answer is a success
			w.Header().Set("Content-Type", "application/x-protobuf")
			return
		}
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, `{"errors":[]}`)
	})}
	go func() { _ = server.Serve(l) }() // its error is that it was closed
	return server, "http://" + l.Addr().String(), nil
}
