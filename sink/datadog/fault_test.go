package datadog

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
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

func TestTemporaryErrors(t *testing.T) {
	for _, status := range []int{http.StatusInternalServerError, http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusRequestTimeout} {
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
				r := runOf(0, clusterSeries(1, 35))
				if err := sendWithin(t, s, time.Hour, r); err != nil {
					t.Errorf("send: %v", err)
				}
				if diff := cmp.Diff(linesOf(r), receiver.lines()); diff != "" {
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
				s := newFaultySink(t, Config{Timeout: time.Second}, n)
				var runs []*sink.Run
				fault(n, true)
				for i := range 10 {
					runs = append(runs, runOf(15*i, clusterSeries(1, 20)))
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
				if diff := cmp.Diff(linesOf(runs...), receiver.lines()); diff != "" {
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
		s := newFaultySink(t, Config{Buffer: 8_000}, n)
		var runs []*sink.Run
		for i := range 10 {
			runs = append(runs, runOf(15*i, clusterSeries(1, 20)))
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
		last := linesOf(runs[len(runs)-1])
		if diff := cmp.Diff(last, got[max(0, len(got)-len(last)):]); diff != "" {
			t.Errorf("the last run is not whole (-want +got):\n%s", diff)
		}
		all := linesOf(runs...)
		for _, line := range got {
			i := slices.Index(all, line)
			if i < 0 {
				t.Fatalf("out of order: %s", line)
			}
			all = all[i+1:]
		}
	})
}

// TestKeyComesLater has a key file that is not there yet, as a secret that is
// mounted late.
func TestKeyComesLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		receiver := &testReceiver{t: t}
		file := t.TempDir() + "/key"
		s := newFaultySink(t, Config{KeyFile: file}, &network{receiver: receiver})
		for _, content := range []string{"", "one\ntwo"} {
			if content != "" {
				write(t, file, content)
			}
			err := sendWithin(t, s, time.Minute, runOf(0, someSeries))
			if err == nil || !strings.Contains(err.Error(), "read the API key") || strings.Contains(err.Error(), "one\ntwo") {
				t.Errorf("error %v", err)
			}
		}
		write(t, file, testKey)
		if stats := closeAndCount(t, s, 4); stats.Series != 4 {
			t.Errorf("stats %+v", stats)
		}
		if err := os.Remove(file); err != nil {
			t.Error(err)
		}
	})
}

// TestHalfFails has one half of a request that was too large fail for a while.
func TestHalfFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failures := 0
		receiver := &testReceiver{t: t, answer: func(_ http.ResponseWriter, r request) int {
			switch {
			case len(r.lines) > 5:
				return http.StatusRequestEntityTooLarge
			case strings.HasPrefix(r.lines[0], "kubernetes_state.container.metric_5{") && failures < 2:
				failures++
				return http.StatusServiceUnavailable
			}
			return 0
		}}
		s := newFaultySink(t, Config{}, &network{receiver: receiver})
		r := runOf(0, clusterSeries(1, 10))
		if err := sendWithin(t, s, time.Hour, r); err != nil {
			t.Errorf("send: %v", err)
		}
		first := linesOf(r)[:5]
		if diff := cmp.Diff(slices.Concat(first, first, linesOf(r)), receiver.lines()); diff != "" {
			t.Errorf("series (-want +got):\n%s", diff)
		}
		if stats := closeAndCount(t, s, 10); stats.Series != 10 {
			t.Errorf("stats %+v", stats)
		}
	})
}

func TestErrorHasNoSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{}
		n.down.Store(true)
		s := newTestSink(t, Config{Client: &http.Client{Transport: n}, Attempts: 1}, "http://receiver/secret")
		err := sendWithin(t, s, time.Hour, runOf(0, someSeries))
		if err == nil || !strings.Contains(err.Error(), "receiver: network is down") || strings.Contains(err.Error(), "secret") {
			t.Errorf("error %v", err)
		}
	})
}
