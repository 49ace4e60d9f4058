package otlp

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"testing"

	"github.com/klauspost/compress/gzip"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/kubestate/kubestate/internal/sinktest"
	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/sink/internal/protobuf"
)

// The test receiver accepts both protocols.
var protocol = sinktest.Protocol{Read: read, Succeed: func(w http.ResponseWriter, r sinktest.Request) { answer{}.write(w, r) }}

func read(t testing.TB, r *http.Request, body []byte) (lines []string, size int) {
	encoding := r.Header.Get("Content-Encoding")
	switch kind := r.Header.Get("Content-Type"); kind {
	case "application/x-protobuf":
	case "application/grpc":
		encoding = r.Header.Get("Grpc-Encoding")
		if r.ProtoMajor != 2 || r.Header.Get("Te") != "trailers" {
			t.Errorf("call over %s with headers %v", r.Proto, r.Header)
		}
		if len(body) < 5 || (body[0] == 1) != (encoding == "gzip") || int(binary.BigEndian.Uint32(body[1:])) != len(body)-5 {
			t.Fatalf("frame starts with % x and has %d bytes", body[:min(5, len(body))], len(body))
		}
		body = body[5:]
	default:
		t.Errorf("content type %q", kind)
	}
	if encoding == "gzip" {
		var err error
		if body, err = gunzip(body); err != nil {
			t.Errorf("decompress: %v", err)
		}
	}
	return decode(t, body), len(body)
}

func gunzip(body []byte) ([]byte, error) {
	decompressor, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(decompressor)
}

// answer is the response of a receiver. The zero answer is a success.
type answer struct {
	status  int // of HTTP
	header  map[string]string
	code    int // of gRPC
	details string
	message string // for HTTP in a google.rpc.Status
	success []byte // an ExportMetricsServiceResponse
	lost    bool   // the request is not accepted
}

// write is a sinktest.Answer.
func (a answer) write(w http.ResponseWriter, r sinktest.Request) int {
	for name, value := range a.header {
		w.Header().Set(name, value)
	}
	if r.Header.Get("Content-Type") == "application/grpc" {
		a.writeGRPC(w)
	} else {
		a.writeHTTP(w)
	}
	if a.lost || a.status/100 > 2 || a.code != 0 {
		return sinktest.Refused
	}
	return sinktest.Taken
}

func (a answer) writeHTTP(w http.ResponseWriter) {
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/x-protobuf")
	}
	body := a.success
	if a.message != "" {
		body = protowire.AppendString([]byte{2<<3 | protobuf.Sized}, a.message)
	}
	w.WriteHeader(max(a.status, http.StatusOK))
	_, _ = w.Write(body)
}

func (a answer) writeGRPC(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/grpc")
	if a.status != 0 {
		w.WriteHeader(a.status)
		return
	}
	prefix := http.TrailerPrefix
	if a.code != 0 && a.success == nil {
		prefix = "" // headers only
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

// partial returns an ExportMetricsServiceResponse.
func partial(rejected int64, message string) []byte {
	inner := protowire.AppendVarint([]byte{1 << 3}, uint64(rejected))
	inner = protowire.AppendString(append(inner, 2<<3|protobuf.Sized), message)
	return protowire.AppendBytes([]byte{1<<3 | protobuf.Sized}, inner)
}

func listen(t *testing.T, a answer) *sinktest.Receiver { return sinktest.Listen(t, protocol, a.write) }

// newTestSink returns a Sink that sends to url and is closed at the end of the test.
func newTestSink(t testing.TB, c Config, url string) *Sink {
	t.Helper()
	c.URL = url
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	sinktest.Forget(t, s)
	return s
}

// linesOf returns the lines expected for the series of runs, each series being alone in
// its block.
func linesOf(t testing.TB, runs ...*sink.Run) []string {
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
