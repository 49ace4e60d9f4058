package datadog

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/kubestate/kubestate/sink"
)

// request is what a test receiver has got.
type request struct {
	path             string
	key              string
	size, compressed int      // bytes
	lines            []string // of series or checks
}

// testReceiver takes requests, unless answer, which may be nil, returns a status
// for them.
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
	got, err := read(receiver.t, r)
	if err != nil {
		return // the client has given up
	}
	status := 0
	if receiver.answer != nil {
		status = receiver.answer(w, got)
	}
	receiver.mu.Lock()
	defer receiver.mu.Unlock()
	if status/100 > 2 {
		receiver.refused = append(receiver.refused, got)
		http.Error(w, "no thanks for "+got.key, status)
		return
	}
	receiver.accepted = append(receiver.accepted, got)
	w.WriteHeader(http.StatusAccepted)
}

func read(t *testing.T, r *http.Request) (request, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return request{}, err
	}
	got := request{path: r.URL.Path, key: r.Header.Get("Dd-Api-Key"), compressed: len(body), size: len(body)}
	switch got.path + " " + r.Header.Get("Content-Type") + " " + r.Header.Get("Content-Encoding") {
	case "/api/v2/series application/x-protobuf zstd":
		decoder, err := zstd.NewReader(nil)
		if err != nil {
			t.Fatal(err)
		}
		defer decoder.Close()
		if body, err = decoder.DecodeAll(body, nil); err != nil {
			t.Errorf("decompress: %v", err)
		}
		got.size, got.lines = len(body), decode(t, body)
	case "/api/v1/check_run application/json ":
		var checks []json.RawMessage
		if err := json.Unmarshal(body, &checks); err != nil {
			t.Errorf("decode %s: %v", body, err)
		}
		for _, c := range checks {
			got.lines = append(got.lines, string(c))
		}
	default:
		t.Errorf("path %s, headers %v", r.URL.Path, r.Header)
	}
	return got, nil
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

const testKey = "0123456789abcdef"

// newTestSink returns a Sink that sends to url and is closed in the end.
func newTestSink(t *testing.T, c Config, url string) *Sink {
	t.Helper()
	c.URL, c.Logger = url, slog.New(slog.DiscardHandler)
	if c.KeyFile == "" {
		c.KeyFile = filepath.Join(t.TempDir(), "key")
		write(t, c.KeyFile, testKey+"\n")
	}
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

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// runOf returns a run at a number of seconds after now.
func runOf(seconds int, series []sink.Series, checks ...sink.Check) *sink.Run {
	return &sink.Run{
		Time: time.Unix(now+int64(seconds), 0), Series: each(series), Checks: each(checks), Ended: each([]sink.Series(nil)),
	}
}

func each[T any](all []T) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		for i := range all {
			if !yield(&all[i]) {
				return
			}
		}
	}
}

// send sends a run and fails the test if it cannot.
func send(t *testing.T, s *Sink, r *sink.Run) {
	t.Helper()
	if err := s.Send(t.Context(), r); err != nil {
		t.Fatalf("send: %v", err)
	}
}

// linesOf returns the lines that the series of runs must become.
func linesOf(runs ...*sink.Run) []string {
	var lines []string
	for _, r := range runs {
		for s := range r.Series {
			var tags []string
			for _, tag := range append(append([]sink.Tag(nil), s.Block.Tags...), s.Tags...) {
				tags = append(tags, tag.Key+":"+tag.Value)
			}
			line := fmt.Sprintf("%s{%s} 3 %v  @%d", s.Metric.Name, strings.Join(tags, ","), s.Value, r.Time.Unix())
			if s.Block.Host != "" {
				line += " host=" + s.Block.Host
			}
			lines = append(lines, line)
		}
	}
	return lines
}
