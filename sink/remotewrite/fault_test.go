package remotewrite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate/sink"
)

// network carries requests to a receiver within the process, so that the time of
// a test can be one that passes by itself. It fails or dawdles while told so.
type network struct {
	receiver http.Handler
	down     atomic.Bool
	slow     atomic.Int64 // nanoseconds
}

func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	if n.down.Load() {
		return nil, errors.New("network is down")
	}
	select {
	case <-r.Context().Done():
		return nil, r.Context().Err()
	case <-time.After(time.Duration(n.slow.Load())):
	}
	w := httptest.NewRecorder()
	n.receiver.ServeHTTP(w, r)
	return w.Result(), nil
}

func newFaultySink(t *testing.T, c Config, n *network) *Sink {
	t.Helper()
	c.Client = &http.Client{Transport: n}
	c.MaxSeries = 10
	return newTestSink(t, c, "http://receiver/")
}

// sendWithin sends a run and gives it a time, after which it is left to the
// buffer.
func sendWithin(t *testing.T, s *Sink, d time.Duration, r *sink.Run) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	return s.Send(ctx, r)
}

// closeAndCount closes the sink after everything was sent, and checks that every
// series has one fate.
func closeAndCount(t *testing.T, s *Sink, sent int) sink.Stats {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	_ = s.Close(ctx) // what is lost is in the numbers
	stats := s.Stats()
	if stats.Series+stats.Dropped+stats.Rejected != uint64(sent) || stats.Buffered != 0 {
		t.Errorf("stats %+v do not tell of %d series", stats, sent)
	}
	return stats
}

func linesOf(t *testing.T, version Version, runs ...*sink.Run) []string {
	var all []string
	for _, r := range runs {
		for s := range r.Series {
			e := newTestEncoder(Config{})
			e.beginRun(r.Time)
			e.beginRequest(version)
			e.add(s, false)
			all = append(all, decode(t, version, e.message())...)
		}
	}
	return all
}

func TestTemporaryErrors(t *testing.T) {
	for _, status := range []int{http.StatusInternalServerError, http.StatusServiceUnavailable, http.StatusTooManyRequests} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				failed := 0
				receiver := &testReceiver{t: t, answer: func(w http.ResponseWriter, _ request) int {
					if failed++; failed%3 != 0 {
						w.Header().Set("Retry-After", "1")
						return status
					}
					return 0
				}}
				s := newFaultySink(t, Config{}, &network{receiver: receiver})
				r := runOf(0, clusterSeries(1, 35), nil)
				begin := time.Now()
				if err := sendWithin(t, s, time.Hour, r); err != nil {
					t.Errorf("send: %v", err)
				}
				if took := time.Since(begin); took < 8*time.Second {
					t.Errorf("Send took %s, though the receiver asked eight times for a second", took)
				}
				if diff := cmp.Diff(linesOf(t, V2, r), receiver.lines()); diff != "" {
					t.Errorf("series (-want +got):\n%s", diff)
				}
				if stats := closeAndCount(t, s, 35); stats.Series != 35 || stats.Retries != 8 {
					t.Errorf("stats %+v", stats)
				}
			})
		})
	}
}

// TestOutage has the network fail for some runs. What fits into the buffer is
// there in the end.
func TestOutage(t *testing.T) {
	faults := map[string]func(n *network, on bool){
		"down": func(n *network, on bool) { n.down.Store(on) },
		"slow": func(n *network, on bool) { n.slow.Store(map[bool]int64{true: int64(time.Hour)}[on]) },
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				receiver := &testReceiver{t: t}
				n := &network{receiver: receiver}
				s := newFaultySink(t, Config{Timeout: time.Second, Attempts: 1000}, n)
				var runs []*sink.Run
				fault(n, true)
				for i := range 10 {
					runs = append(runs, runOf(15*i, clusterSeries(1, 20), nil))
					begin := time.Now()
					_ = sendWithin(t, s, 5*time.Second, runs[i]) // it may say that time was up
					if took := time.Since(begin); took > 5*time.Second {
						t.Errorf("Send took %s of the 5 s that it had", took)
					}
				}
				if stats := s.Stats(); stats.Buffered != 20 || stats.Dropped != 0 {
					t.Errorf("stats %+v in the outage, which has 20 requests to buffer", stats)
				}
				fault(n, false)
				closeAndCount(t, s, 200)
				if diff := cmp.Diff(linesOf(t, V2, runs...), receiver.lines()); diff != "" {
					t.Errorf("series (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestOverflow has more wait than the buffer takes: old ones go, and are counted.
func TestOverflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		receiver := &testReceiver{t: t}
		n := &network{receiver: receiver}
		n.down.Store(true)
		s := newFaultySink(t, Config{Attempts: 1000, Buffer: 10_000}, n)
		var runs []*sink.Run
		for i := range 10 {
			runs = append(runs, runOf(15*i, clusterSeries(1, 20), nil))
			_ = sendWithin(t, s, time.Second, runs[i]) // it may say what was lost
		}
		n.down.Store(false)
		stats := closeAndCount(t, s, 200)
		if stats.Dropped == 0 || stats.Dropped == 200 {
			t.Errorf("%d of 200 series were dropped", stats.Dropped)
		}
		got := receiver.lines()
		if uint64(len(got)) != stats.Series {
			t.Errorf("%d series have arrived, %d are counted", len(got), stats.Series)
		}
		last := linesOf(t, V2, runs[len(runs)-1])
		if diff := cmp.Diff(last, got[max(0, len(got)-len(last)):]); diff != "" {
			t.Errorf("the last run is not whole (-want +got):\n%s", diff)
		}
		all := linesOf(t, V2, runs...)
		for _, line := range got {
			i := slices.Index(all, line)
			if i < 0 {
				t.Fatalf("out of order: %s", line)
			}
			all = all[i+1:]
		}
	})
}

func TestErrorHasNoSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{}
		n.down.Store(true)
		s := newTestSink(t, Config{Client: &http.Client{Transport: n}, Attempts: 1}, "http://receiver/write?token=secret")
		err := sendWithin(t, s, time.Hour, runOf(0, someSeries, nil))
		if err == nil || !strings.Contains(err.Error(), "receiver: network is down") || strings.Contains(err.Error(), "secret") {
			t.Errorf("error %v", err)
		}
	})
}

// TestFallbackInOutage has requests of version 2.0 wait for a receiver that
// knows only 1.0.
func TestFallbackInOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		receiver := &testReceiver{t: t, answer: func(_ http.ResponseWriter, r request) int {
			return map[Version]int{V2: http.StatusUnsupportedMediaType}[r.version]
		}}
		n := &network{receiver: receiver}
		n.down.Store(true)
		s := newFaultySink(t, Config{Attempts: 1000}, n)
		r := runOf(0, clusterSeries(1, 20), nil)
		_ = sendWithin(t, s, time.Second, r) // it may say that time was up
		n.down.Store(false)
		closeAndCount(t, s, 20)
		if diff := cmp.Diff(linesOf(t, V1, r), receiver.lines()); diff != "" {
			t.Errorf("series (-want +got):\n%s", diff)
		}
	})
}

// TestBreaksOff has connections end at bad moments. What the receiver has said
// that it took is not sent again, all else is.
func TestBreaksOff(t *testing.T) {
	tests := map[string]struct {
		says  string // before the connection ends
		again bool
	}{
		"within the request":            {"", true},
		"within the answer":             {"HTTP/1.1 204 No", true},
		"within the body of an error":   {"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 100\r\n\r\nhalf of", true},
		"within the body of a success":  {"HTTP/1.1 200 OK\r\n" + writtenHeader + ": 20\r\nContent-Length: 100\r\n\r\nhalf of", false},
		"within the body of a refusal":  {"HTTP/1.1 400 Bad Request\r\n" + writtenHeader + ": 20\r\nContent-Length: 100\r\n\r\nhalf of", false},
		"within the body of a redirect": {"HTTP/1.1 308 Permanent Redirect\r\nLocation: /\r\nContent-Length: 100\r\n\r\nhalf of", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // each has a pause in real time
			receiver := &testReceiver{t: t}
			var attempts atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if attempts.Add(1) > 1 {
					receiver.ServeHTTP(w, r)
					return
				}
				connection, _, err := w.(http.Hijacker).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.WriteString(connection, test.says)
				_ = connection.Close()
			}))
			defer server.Close()
			s := newTestSink(t, Config{}, server.URL)
			r := runOf(0, clusterSeries(1, 20), nil)
			_ = s.Send(t.Context(), r) // it repeats the refusal
			if got := s.Stats(); got.Series != 20 || got.Dropped != 0 || got.Rejected != 0 {
				t.Errorf("stats %+v", got)
			}
			want := linesOf(t, V2, r)
			if !test.again {
				want = nil
			}
			if diff := cmp.Diff(want, receiver.lines()); diff != "" {
				t.Errorf("series of the second attempt (-want +got):\n%s", diff)
			}
		})
	}
}

// TestLateReceiver: the receiver begins to listen after the first run, goes, and
// comes back at the same address.
func TestLateReceiver(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close() // nobody is there
	receiver := &testReceiver{t: t}
	serve := func() *http.Server {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: receiver, ReadHeaderTimeout: time.Minute}
		go func() { _ = server.Serve(listener) }() // it ends with Close
		return server
	}
	s := newTestSink(t, Config{}, "http://"+address)
	var runs []*sink.Run
	attempt := func() {
		runs = append(runs, runOf(15*len(runs), clusterSeries(1, 20), nil))
		if err := sendWithin(t, s, time.Millisecond, runs[len(runs)-1]); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("nobody listens: error %v", err)
		}
	}
	for range 2 {
		attempt()
		server := serve()
		runs = append(runs, runOf(15*len(runs), clusterSeries(1, 20), nil))
		send(t, s, runs[len(runs)-1])
		_ = server.Close()
	}
	if diff := cmp.Diff(linesOf(t, V2, runs...), receiver.lines()); diff != "" {
		t.Errorf("series (-want +got):\n%s", diff)
	}
	closeAndCount(t, s, 80)
}
