package otlp

import (
	"context"
	"errors"
	"fmt"
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
	arriving := r.Clone(r.Context())
	arriving.ProtoMajor = 2
	n.receiver.ServeHTTP(w, arriving)
	return w.Result(), nil
}

func newFaultySink(t *testing.T, c Config, n *network) *Sink {
	t.Helper()
	c.Client = &http.Client{Transport: n}
	c.MaxPoints = 10
	return newTestSink(t, c, "http://receiver")
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

// TestTemporaryErrors has answers after which one tries again, and when.
func TestTemporaryErrors(t *testing.T) {
	after := func(seconds string) map[string]string { return map[string]string{"Retry-After": seconds} }
	tests := []struct {
		protocol Protocol
		answer   answer
		pause    time.Duration // at least
	}{
		{HTTP, answer{status: 429, header: after("7")}, 7 * time.Second},
		{HTTP, answer{status: 502}, 0},
		{HTTP, answer{status: 503, header: after("100")}, 100 * time.Second},
		{HTTP, answer{status: 504}, 0},
		{GRPC, answer{code: 1}, 0},
		{GRPC, answer{code: 4}, 0},
		{GRPC, answer{code: 8, details: retryInfo("RetryInfo", 20, 500_000_000)}, 20*time.Second + 500*time.Millisecond},
		{GRPC, answer{code: 8, details: retryInfo("RetryInfo", 9, 0) + "==", success: []byte{}}, 9 * time.Second},
		{GRPC, answer{code: 10}, 0},
		{GRPC, answer{code: 11}, 0},
		{GRPC, answer{code: 14, details: retryInfo("RetryInfo", 3, 0)}, 3 * time.Second},
		{GRPC, answer{code: 14, details: retryInfo("Help", 3, 0)}, 0},
		{GRPC, answer{code: 15}, 0},
		{GRPC, answer{status: 503}, 0},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%d/%d/%d/%s", test.protocol, test.answer.status, test.answer.code, test.pause), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var failed []time.Time
				receiver := &testReceiver{t: t, answer: func(request) answer {
					if failed = append(failed, time.Now()); len(failed)%3 != 0 {
						return test.answer
					}
					return answer{}
				}}
				s := newFaultySink(t, Config{Protocol: test.protocol}, &network{receiver: receiver})
				r := runOf(0, clusterSeries(1, 35), nil)
				if err := sendWithin(t, s, time.Hour, r); err != nil {
					t.Errorf("send: %v", err)
				}
				if pause := failed[1].Sub(failed[0]); pause < test.pause || pause > test.pause+time.Second {
					t.Errorf("the pause was %s, want at least %s and little more", pause, test.pause)
				}
				if diff := cmp.Diff(linesOf(t, r), receiver.lines()); diff != "" {
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
			onBoth(t, func(t *testing.T, p Protocol) {
				synctest.Test(t, func(t *testing.T) {
					receiver := &testReceiver{t: t}
					n := &network{receiver: receiver}
					s := newFaultySink(t, Config{Protocol: p, Timeout: time.Second}, n)
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
					if diff := cmp.Diff(linesOf(t, runs...), receiver.lines()); diff != "" {
						t.Errorf("series (-want +got):\n%s", diff)
					}
				})
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
		s := newFaultySink(t, Config{Buffer: 10_000}, n)
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
		last := linesOf(t, runs[len(runs)-1])
		if diff := cmp.Diff(last, got[max(0, len(got)-len(last)):]); diff != "" {
			t.Errorf("the last run is not whole (-want +got):\n%s", diff)
		}
		all := linesOf(t, runs...)
		for _, line := range got {
			i := slices.Index(all, line)
			if i < 0 {
				t.Fatalf("out of order: %s", line)
			}
			all = all[i+1:]
		}
	})
}

// TestHeaderComesLater has a header whose file is not there yet, as a secret that
// is mounted late.
func TestHeaderComesLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		receiver := &testReceiver{t: t}
		file := t.TempDir() + "/token"
		s := newFaultySink(t, Config{HeaderFiles: map[string]string{"Authorization": file}}, &network{receiver: receiver})
		err := sendWithin(t, s, time.Minute, runOf(0, someSeries, nil))
		if err == nil || !strings.Contains(err.Error(), "read the header Authorization: open "+file) {
			t.Errorf("error %v", err)
		}
		write(t, file, "secret")
		if stats := closeAndCount(t, s, 2); stats.Series != 2 {
			t.Errorf("stats %+v", stats)
		}
	})
}

func TestErrorHasNoSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{}
		n.down.Store(true)
		s := newTestSink(t, Config{Client: &http.Client{Transport: n}, Attempts: 1}, "http://receiver/secret")
		err := sendWithin(t, s, time.Hour, runOf(0, someSeries, nil))
		if err == nil || !strings.Contains(err.Error(), "receiver: network is down") || strings.Contains(err.Error(), "secret") {
			t.Errorf("error %v", err)
		}
	})
}
