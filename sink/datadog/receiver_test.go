package datadog

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/kubestate/kubestate/internal/sinktest"
	"github.com/kubestate/kubestate/sink"
)

const testKey = "0123456789abcdef"

var protocol = sinktest.Protocol{
	Read:    read,
	Succeed: func(w http.ResponseWriter, _ sinktest.Request) { w.WriteHeader(http.StatusAccepted) },
}

func read(t testing.TB, r *http.Request, body []byte) (lines []string, size int) {
	switch r.URL.Path + " " + r.Header.Get("Content-Type") + " " + r.Header.Get("Content-Encoding") {
	case "/api/v2/series application/x-protobuf zstd":
		decoder, err := zstd.NewReader(nil)
		if err != nil {
			t.Fatal(err)
		}
		defer decoder.Close()
		if body, err = decoder.DecodeAll(body, nil); err != nil {
			t.Errorf("decompress: %v", err)
		}
		lines = decode(t, body)
	case "/api/v1/check_run application/json ":
		var checks []json.RawMessage
		if err := json.Unmarshal(body, &checks); err != nil {
			t.Errorf("decode %s: %v", body, err)
		}
		for _, c := range checks {
			lines = append(lines, string(c))
		}
	default:
		t.Errorf("path %s, headers %v", r.URL.Path, r.Header)
	}
	return lines, len(body)
}

func listen(t *testing.T, answer sinktest.Answer) *sinktest.Receiver {
	return sinktest.Listen(t, protocol, answer)
}

func keyOf(r sinktest.Request) string { return r.Header.Get("DD-API-KEY") }

// newTestSink returns a Sink that sends to url and is closed at the end of the test.
func newTestSink(t testing.TB, c Config, url string) *Sink {
	t.Helper()
	c.URL, c.Logger = url, slog.New(slog.DiscardHandler)
	if c.KeyFile == "" {
		c.KeyFile = filepath.Join(t.TempDir(), "key")
		sinktest.Write(t, c.KeyFile, testKey+"\n")
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	sinktest.Forget(t, s)
	return s
}

// linesOf returns the lines expected for the series of runs.
func linesOf(_ testing.TB, runs ...*sink.Run) []string {
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
