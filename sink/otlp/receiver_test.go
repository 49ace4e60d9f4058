package otlp

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/kubestate/kubestate/sink"
)

// request is what a test receiver has got.
type request struct {
	protocol Protocol
	path     string
	header   http.Header
	size     int      // before compression
	lines    []string // as decode returns them
}

// answer is what a receiver says. The zero answer is a success.
type answer struct {
	status  int // of HTTP
	header  map[string]string
	code    int // of gRPC
	details string
	message string // in HTTP the text of a status
	success []byte // an ExportMetricsServiceResponse
	lost    bool   // the request is not taken
}

// testReceiver takes requests of both protocols.
type testReceiver struct {
	t      *testing.T
	answer func(r request) answer // nil: all are taken
	URL    string

	mu       sync.Mutex
	accepted []request
	refused  []request
}

func newTestReceiver(t *testing.T, answer func(r request) answer) *testReceiver {
	t.Helper()
	receiver := &testReceiver{t: t, answer: answer}
	server := httptest.NewUnstartedServer(receiver)
	server.Config.Protocols = &http.Protocols{}
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	t.Cleanup(server.Close)
	receiver.URL = server.URL
	return receiver
}

func (receiver *testReceiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	got, err := read(receiver.t, r)
	if err != nil {
		return // the client has given up
	}
	var a answer
	if receiver.answer != nil {
		a = receiver.answer(got)
	}
	receiver.mu.Lock()
	defer receiver.mu.Unlock()
	if a.lost || a.status/100 > 2 || a.code != 0 {
		receiver.refused = append(receiver.refused, got)
	} else {
		receiver.accepted = append(receiver.accepted, got)
	}
	for name, value := range a.header {
		w.Header().Set(name, value)
	}
	if got.protocol == GRPC {
		answerGRPC(w, a)
	} else {
		answerHTTP(w, a)
	}
}

func answerHTTP(w http.ResponseWriter, a answer) {
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/x-protobuf")
	}
	body := a.success
	if a.message != "" {
		body = appendString(nil, 2<<3|sized, a.message)
	}
	w.WriteHeader(max(a.status, http.StatusOK))
	_, _ = w.Write(body)
}

func answerGRPC(w http.ResponseWriter, a answer) {
	w.Header().Set("Content-Type", "application/grpc")
	if a.status != 0 {
		w.WriteHeader(a.status)
		return
	}
	prefix := http.TrailerPrefix
	if a.code != 0 && a.success == nil {
		prefix = "" // there is nothing but headers
	}
	w.Header().Set(prefix+"Grpc-Status", fmt.Sprint(a.code))
	if a.message != "" {
		w.Header().Set(prefix+"Grpc-Message", a.message)
	}
	if a.details != "" {
		w.Header().Set(prefix+"Grpc-Status-Details-Bin", a.details)
	}
	if prefix != "" {
		frame := append(make([]byte, 5), a.success...)
		binary.BigEndian.PutUint32(frame[1:], uint32(len(a.success)))
		_, _ = w.Write(frame)
	}
}

func read(t *testing.T, r *http.Request) (request, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return request{}, err
	}
	got := request{path: r.URL.Path, header: r.Header}
	encoding := r.Header.Get("Content-Encoding")
	switch kind := r.Header.Get("Content-Type"); kind {
	case "application/x-protobuf":
	case "application/grpc":
		got.protocol, encoding = GRPC, r.Header.Get("Grpc-Encoding")
		if r.ProtoMajor != 2 || r.Header.Get("Te") != "trailers" {
			t.Errorf("a call over %s with headers %v", r.Proto, r.Header)
		}
		if len(body) < 5 || (body[0] == 1) != (encoding == "gzip") || int(binary.BigEndian.Uint32(body[1:])) != len(body)-5 {
			t.Fatalf("the frame begins % x and has %d bytes", body[:min(5, len(body))], len(body))
		}
		body = body[5:]
	default:
		t.Errorf("the content type is %q", kind)
	}
	if encoding == "gzip" {
		if body, err = gunzip(body); err != nil {
			t.Errorf("decompress: %v", err)
		}
	}
	got.size, got.lines = len(body), decode(t, body)
	return got, nil
}

func gunzip(body []byte) ([]byte, error) {
	decompressor, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(decompressor)
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

// partial returns an ExportMetricsServiceResponse.
func partial(rejected int64, message string) []byte {
	inner := protowire.AppendVarint([]byte{1 << 3}, uint64(rejected))
	inner = appendString(inner, 2<<3|sized, message)
	return protowire.AppendBytes([]byte{1<<3 | sized}, inner)
}

// newTestSink returns a Sink that sends to url and is closed in the end.
func newTestSink(t *testing.T, c Config, url string) *Sink {
	t.Helper()
	c.URL = url
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
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
func runOf(seconds int, series, ended []sink.Series) *sink.Run {
	return &sink.Run{
		Time: time.Unix(now+int64(seconds), 0), Series: each(series), Ended: each(ended), Checks: each([]sink.Check{{}}),
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

// linesOf returns the lines that the series of runs must become, of which each was
// alone in its block.
func linesOf(t *testing.T, runs ...*sink.Run) []string {
	var all []string
	for _, r := range runs {
		for s := range r.Series {
			e := newEncoder(Config{})
			e.beginRun(r.Time)
			e.add(s, false)
			all = append(all, decode(t, e.message())...)
		}
	}
	return all
}
