package remotewrite

import (
	"context"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/s2"

	"github.com/kubestate/kubestate/sink"
)

// request is what a test receiver has got.
type request struct {
	version Version
	header  http.Header
	size    int      // before compression
	lines   []string // as decode returns them
}

func (r request) series() int {
	n := 0
	for _, line := range r.lines {
		if strings.HasPrefix(line, "{") {
			n++
		}
	}
	return n
}

func setWritten(w http.ResponseWriter, samples int) {
	w.Header().Set("X-Prometheus-Remote-Write-Samples-Written", fmt.Sprint(samples))
	w.Header().Set("X-Prometheus-Remote-Write-Histograms-Written", "0")
	w.Header().Set("X-Prometheus-Remote-Write-Exemplars-Written", "0")
}

// testReceiver takes requests of both versions, unless answer, which may be nil,
// returns a status for them.
type testReceiver struct {
	t      *testing.T
	answer func(w http.ResponseWriter, r request) (status int)
	URL    string

	mu       sync.Mutex
	accepted []request
	refused  []request
}

func newTestReceiver(t *testing.T, answer func(w http.ResponseWriter, r request) (status int)) *testReceiver {
	t.Helper()
	receiver := &testReceiver{t: t, answer: answer}
	server := httptest.NewServer(receiver)
	t.Cleanup(server.Close)
	receiver.URL = server.URL
	return receiver
}

func (receiver *testReceiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	got := read(receiver.t, r)
	status := 0
	if receiver.answer != nil {
		status = receiver.answer(w, got)
	}
	receiver.mu.Lock()
	defer receiver.mu.Unlock()
	if status/100 > 2 {
		receiver.refused = append(receiver.refused, got)
		http.Error(w, "no thanks", status)
		return
	}
	if status == 0 && got.version == V2 {
		setWritten(w, got.series())
	}
	receiver.accepted = append(receiver.accepted, got)
	w.WriteHeader(http.StatusNoContent)
}

func read(t *testing.T, r *http.Request) request {
	compressed, err := io.ReadAll(r.Body)
	if err != nil {
		return request{} // the client has given up
	}
	body, err := s2.Decode(nil, compressed)
	if err != nil {
		t.Errorf("decompress: %v", err)
	}
	got := request{header: r.Header, size: len(body), version: V1}
	switch r.Header.Get("Content-Type") + " " + r.Header.Get("X-Prometheus-Remote-Write-Version") + " " + r.Header.Get("Content-Encoding") {
	case "application/x-protobuf 0.1.0 snappy":
	case "application/x-protobuf;proto=io.prometheus.write.v2.Request 2.0.0 snappy":
		got.version = V2
	default:
		t.Errorf("headers %v", r.Header)
	}
	got.lines = decode(t, got.version, body)
	return got
}

// lines returns what was accepted, and forgets it.
func (receiver *testReceiver) lines() []string {
	receiver.mu.Lock()
	defer receiver.mu.Unlock()
	var all []string
	for _, request := range receiver.accepted {
		all = append(all, request.lines...)
	}
	receiver.accepted = nil
	return all
}

// newTestSink returns a Sink that sends to url and is closed in the end.
func newTestSink(t *testing.T, c Config, url string) *Sink {
	t.Helper()
	c.URL, c.Logger = url, slog.New(slog.DiscardHandler)
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = s.Close(ctx) // what is left is of no interest
	})
	return s
}

// runOf returns a run at a number of seconds after now.
func runOf(seconds int, series, ended []sink.Series) *sink.Run {
	each := func(all []sink.Series) iter.Seq[*sink.Series] {
		return func(yield func(*sink.Series) bool) {
			for i := range all {
				if !yield(&all[i]) {
					return
				}
			}
		}
	}
	return &sink.Run{
		Time: time.UnixMilli(now).Add(time.Duration(seconds) * time.Second), Series: each(series), Ended: each(ended),
		Checks: func(func(*sink.Check) bool) {},
	}
}

// send sends a run and fails the test if it cannot.
func send(t *testing.T, s *Sink, r *sink.Run) {
	t.Helper()
	if err := s.Send(t.Context(), r); err != nil {
		t.Fatalf("send: %v", err)
	}
}
