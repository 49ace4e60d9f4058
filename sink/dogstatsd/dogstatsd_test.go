package dogstatsd

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kubestate/kubestate/internal/sinktest"
	"github.com/kubestate/kubestate/sink"
)

func TestDelivery(t *testing.T) {
	transports(t, func(t *testing.T, scheme, path string) {
		n := 3000
		if scheme == "udp" {
			n = 1000 // fits into the buffer of any receiver
		}
		r := listen(t, scheme, path)
		s := newSink(t, Config{Address: r.address})
		run := numbered(0, n, 100)
		run.Checks = func(yield func(*sink.Check) bool) {
			yield(&sink.Check{Name: "ready", Status: sink.OK, Block: &sink.Block{Host: "h"}})
		}
		sinktest.Send(t, s, run)
		lines := r.lines(t, n+1)
		if last := lines[n]; last != "_sc|ready|0|h:h" {
			t.Errorf("last line %q", last)
		}
		if got := numbers(t, lines[:n]); !slices.Equal(got, upTo(0, n)) {
			t.Errorf("got %d of %d series", len(got), n)
		}
		stats := s.Stats()
		expected := sink.Stats{Series: uint64(n + 1), Payloads: uint64(len(r.packets)), Bytes: uint64(len(strings.Join(r.packets, "")))}
		if stats != expected {
			t.Errorf("stats %+v, want %+v", stats, expected)
		}
	})
}

// Packets are as full as possible and never too large.
func TestPacking(t *testing.T) {
	line := len("m.100000:100000|g|#host:h,t:xxxxxxx")
	transports(t, func(t *testing.T, scheme, path string) {
		limits := map[int]int{0: 8192} // documented default
		if scheme == "udp" {
			limits[0] = 1432
		}
		for size := 100; size < 100+line+1; size++ {
			limits[size] = size
		}
		for size, limit := range limits {
			r := listen(t, scheme, path)
			s := newSink(t, Config{Address: r.address, MaxPacket: size})
			sinktest.Send(t, s, numbered(100000, 300, 7))
			r.lines(t, 300)
			for i, p := range r.packets {
				if len(p) > limit || i < len(r.packets)-1 && len(p)+1+line <= limit {
					t.Errorf("max %d: packet %d of %d has %d bytes", limit, i, len(r.packets), len(p))
				}
			}
			r.close()
		}
	})
}

// The receiver is down at first and restarted later; a Unix socket loses nothing.
func TestReceiverDownAndBack(t *testing.T) {
	for _, scheme := range []string{"unix", "unixstream"} {
		t.Run(scheme, func(t *testing.T) {
			path := t.TempDir() + "/s"
			var log bytes.Buffer
			s := newSink(t, Config{Address: scheme + "://" + path, Timeout: time.Hour, Logger: slog.New(slog.NewTextHandler(&log, nil))})
			sendAndFail(t, s, numbered(0, 1000, 100))
			if stats := s.Stats(); stats.Series != 0 || stats.Buffered == 0 || stats.Dropped != 0 {
				t.Fatalf("stats without receiver: %+v", stats)
			}
			r := listen(t, scheme, path)
			if got := numbers(t, r.lines(t, 1000)); !slices.Equal(got, upTo(0, 1000)) {
				t.Errorf("first receiver: %d of 1000 series", len(got))
			}
			s.queue.drain(t.Context())

			r.close()
			sendAndFail(t, s, numbered(1000, 1000, 100))
			r2 := listen(t, scheme, path)
			_ = sinktest.Try(t, s, numbered(2000, 1000, 100)) // may not be connected yet
			s.queue.drain(t.Context())
			got := numbers(t, append(r.lines(t, 0), r2.lines(t, 2000)...))
			_ = s.Close(t.Context())
			if !slices.Equal(got, upTo(0, 3000)) {
				t.Errorf("%d of 3000 series", len(got))
			}
			if n := strings.Count(log.String(), "is unavailable"); n != 2 {
				t.Errorf("unavailable logged %d times:\n%s", n, &log)
			}
			if n := strings.Count(log.String(), "is available again"); n != 2 {
				t.Errorf("back logged %d times:\n%s", n, &log)
			}
			if stats := s.Stats(); stats.Dropped != 0 || stats.Retries == 0 {
				t.Errorf("stats %+v", stats)
			}
		})
	}
}

// sendAndFail sends a run to a receiver that does not accept all of it.
func sendAndFail(t *testing.T, s *Sink, r *sink.Run) {
	t.Helper()
	sinktest.CheckError(t, sinktest.Try(t, s, r), "buffered packets: ")
}

// If nobody listens, UDP learns that from ICMP and keeps the buffer.
func TestNobodyListens(t *testing.T) {
	r := listen(t, "udp", "")
	s := newSink(t, Config{Address: r.address})
	r.close()
	sendAndFail(t, s, numbered(0, 1000, 100))
	if stats := s.Stats(); stats.Retries == 0 || stats.Buffered == 0 {
		t.Errorf("stats %+v, want nothing rejected", stats)
	}
}

// Without a receiver the oldest lines are dropped, and every line is either sent or
// counted as dropped.
func TestFullBuffer(t *testing.T) {
	path := t.TempDir() + "/s"
	s := newSink(t, Config{Address: "unix://" + path, MaxPacket: 1000, Buffer: 50_000, Timeout: time.Hour})
	first, n := 0, 1000
	for range 3 {
		err := s.Send(t.Context(), numbered(first, n, 100))
		first += n
		if err == nil || !strings.Contains(err.Error(), "lines lost: ") {
			t.Errorf("error %v", err)
		}
	}
	if stats := s.Stats(); stats.Buffered != 50 {
		t.Errorf("%d packets of 1000 bytes in a buffer of 50000", stats.Buffered)
	}
	r := listen(t, "unix", path)
	left := first - int(s.Stats().Dropped)
	if got := numbers(t, r.lines(t, left)); left == 0 || !slices.Equal(got, upTo(first-left, first)) {
		t.Errorf("got %d series, want the last %d of %d", len(got), left, first)
	}
}

// A receiver that does not read delays Send only until ctx ends; what does not fit into
// the buffer is dropped and counted, and the rest arrives when it reads again.
func TestSlowReceiver(t *testing.T) {
	for _, scheme := range []string{"unix", "unixstream"} {
		t.Run(scheme, func(t *testing.T) {
			path := t.TempDir() + "/s"
			stalled := stall(t, scheme, path)
			s := newSink(t, Config{Address: scheme + "://" + path, Buffer: 80_000, Timeout: time.Hour})
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			const n = 10_000
			if err := s.Send(ctx, numbered(0, n, 100)); err == nil {
				t.Fatal("no error although the receiver does not read")
			}
			stats := s.Stats()
			if stats.Dropped == 0 || stats.Buffered == 0 || stats.Buffered > 10 {
				t.Errorf("stats %+v", stats)
			}
			lines := stalled(n - int(stats.Dropped))
			got := numbers(t, lines)
			if len(got) != n-int(stats.Dropped) || !slices.Contains(got, n-1) {
				t.Errorf("%d of %d series arrived, %d dropped", len(got), n, stats.Dropped)
			}
		})
	}
}

// Packets that a receiver does not accept within Timeout are kept and arrive when it
// reads again.
func TestStalledReceiver(t *testing.T) {
	for _, scheme := range []string{"unix", "unixstream"} {
		t.Run(scheme, func(t *testing.T) {
			path := t.TempDir() + "/s"
			stalled := stall(t, scheme, path)
			s := newSink(t, Config{Address: scheme + "://" + path, Timeout: 20 * time.Millisecond})
			const n = 10_000
			sendAndFail(t, s, numbered(0, n, 100))
			if stats := s.Stats(); stats.Dropped != 0 || stats.Buffered == 0 {
				t.Errorf("stats %+v", stats)
			}
			if got := numbers(t, stalled(n)); !slices.Equal(got, upTo(0, n)) {
				t.Errorf("%d of %d series arrived", len(got), n)
			}
			if err := s.Close(t.Context()); err != nil {
				t.Error(err)
			}
			if stats := s.Stats(); stats.Series != n || stats.Dropped != 0 {
				t.Errorf("stats %+v, want %d series", stats, n)
			}
		})
	}
}

// Close gives up when ctx ends, and counts what is left.
func TestCloseWithStalledReceiver(t *testing.T) {
	for _, scheme := range []string{"unix", "unixstream"} {
		t.Run(scheme, func(t *testing.T) {
			path := t.TempDir() + "/s"
			stall(t, scheme, path)
			s := newSink(t, Config{Address: scheme + "://" + path, Timeout: 20 * time.Millisecond})
			const n = 10_000
			sendAndFail(t, s, numbered(0, n, 100))
			if err := s.Close(canceled(t)); !errors.Is(err, context.Canceled) {
				t.Errorf("error %v although lines are left", err)
			}
			if stats := s.Stats(); stats.Series+stats.Dropped != n || stats.Dropped == 0 || stats.Buffered != 0 {
				t.Errorf("stats %+v: %d sent or dropped of %d", stats, stats.Series+stats.Dropped, n)
			}
		})
	}
}

func canceled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// Packets buffered when another instance takes over are dropped; later ones are sent.
func TestYield(t *testing.T) {
	path := t.TempDir() + "/s"
	var log bytes.Buffer
	s := newSink(t, Config{Address: "unix://" + path, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	s.Yield()
	sendAndFail(t, s, numbered(0, 100, 10))
	s.Yield()
	if stats := s.Stats(); stats.Dropped != 100 || stats.Buffered != 0 {
		t.Errorf("stats %+v, want 100 dropped", stats)
	}
	r := listen(t, "unix", path)
	err := sinktest.Try(t, s, numbered(100, 100, 10)) // may not be connected yet
	if err != nil && strings.Contains(err.Error(), "lost") {
		t.Errorf("error %v repeats an earlier one", err)
	}
	if got := numbers(t, r.lines(t, 100)); !slices.Equal(got, upTo(100, 200)) {
		t.Errorf("got %v, want 100 to 199", got)
	}
	s.Yield()
	_ = s.Close(t.Context()) // nothing writes to the log afterwards
	if n := strings.Count(log.String(), "lines=100"); n != 1 {
		t.Errorf("dropped lines logged %d times:\n%s", n, &log)
	}
}

// Each Send reports what was lost since the last, and why.
func TestLossesAreReported(t *testing.T) {
	r := listen(t, "udp", "")
	s := newSink(t, Config{Address: r.address})
	s.count.dropped.Add(12) // between two runs
	s.count.oversize.Add(5)
	sinktest.CheckError(t, sinktest.Try(t, s, numbered(0, 1, 1)),
		"12 lines lost: 5 in packets too large for the network, 7 while the receiver was unavailable or too slow")
	sinktest.CheckError(t, sinktest.Try(t, s, numbered(0, 1, 1)), "")
}

func TestUnsendable(t *testing.T) {
	transports(t, func(t *testing.T, scheme, path string) {
		r := listen(t, scheme, path)
		s := newSink(t, Config{Address: r.address})
		many := &sink.Block{Host: "h", Tags: slices.Repeat(tags("t", strings.Repeat("x", 100)), 1000)}
		few := &sink.Block{Host: "h", Tags: tags("t", "x")}
		metric := &sink.Metric{Name: "m.1"}
		run := &sink.Run{
			Series: slices.Values([]*sink.Series{
				{Metric: metric, Block: many, Value: 1},
				{Metric: metric, Block: few, Value: math.NaN()},
				{Metric: metric, Block: few, Value: math.Inf(1)},
				{Metric: metric, Block: few, Value: 1},
			}),
			Checks: slices.Values([]*sink.Check{{Name: "c", Block: few, Message: strings.Repeat("x", 10_000)}}),
		}
		err := s.Send(t.Context(), run)
		if err == nil || !strings.Contains(err.Error(), "4 lines lost: 2 NaN or infinite, 2 longer than a packet of") {
			t.Errorf("error %v", err)
		}
		if got := r.lines(t, 1); !slices.Equal(got, []string{"m.1:1|g|#host:h,t:x"}) {
			t.Errorf("got %q", got)
		}
		if stats := s.Stats(); stats.Series != 1 || stats.Dropped != 4 {
			t.Errorf("stats %+v", stats)
		}
	})
}

func TestClose(t *testing.T) {
	path := t.TempDir() + "/s"
	s := newSink(t, Config{Address: "unix://" + path})
	sendAndFail(t, s, numbered(0, 100, 10))
	r := listen(t, "unix", path)
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := numbers(t, r.lines(t, 100)); len(got) != 100 {
		t.Errorf("got %d of 100 series", len(got))
	}
	if err := s.Send(t.Context(), numbered(0, 100, 10)); err == nil {
		t.Error("closed sink accepted a run")
	}
	if err := s.Close(t.Context()); err != nil {
		t.Errorf("close again: %v", err)
	}
}

func TestCloseWithoutReceiver(t *testing.T) {
	s := newSink(t, Config{Address: "unix://" + t.TempDir() + "/s"})
	sendAndFail(t, s, numbered(0, 100, 10))
	if err := s.Close(canceled(t)); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "100 lines") {
		t.Errorf("error %v", err)
	}
	if stats := s.Stats(); stats.Dropped != 100 || stats.Buffered != 0 {
		t.Errorf("stats %+v", stats)
	}
}

func TestSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run := numbered(0, 1000, 0)
		p := newPace(run, 10*time.Second)
		start := time.Now()
		for i := range 100 {
			p.wait(t.Context(), 10)
			due := time.Duration(i) * 100 * time.Millisecond
			if early := due - time.Since(start); early > burst || early < -burst {
				t.Fatalf("after %d lines: %s, want %s", i*10, time.Since(start), due)
			}
		}
	})
}

// Pauses lose nothing.
func TestSpreadDelivers(t *testing.T) {
	r := listen(t, "udp", "")
	s := newSink(t, Config{Address: r.address, Spread: 100 * time.Millisecond})
	sinktest.Send(t, s, numbered(0, 1000, 100))
	if got := numbers(t, r.lines(t, 1000)); len(got) != 1000 {
		t.Errorf("%d of 1000 series", len(got))
	}
}

func TestSendAllocs(t *testing.T) {
	transports(t, func(t *testing.T, scheme, path string) {
		s := newSink(t, Config{Address: discard(t, scheme, path)})
		run := sinktest.Typical(5000)
		// The context, a timer and the closures of a run.
		const perRun = 40
		sinktest.CheckAllocs(t, perRun, func() {
			if err := s.Send(t.Context(), run); err != nil {
				t.Error(err)
			}
		})
	})
}
