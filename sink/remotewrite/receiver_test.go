package remotewrite

import (
	"fmt"
	"log/slog"
	"net/http"
	"testing"

	"github.com/klauspost/compress/s2"

	"github.com/kubestate/kubestate/internal/sinktest"
	"github.com/kubestate/kubestate/sink"
)

// The test receiver accepts both versions.
var protocol = sinktest.Protocol{
	Read: func(t testing.TB, r *http.Request, body []byte) (lines []string, size int) {
		body, err := s2.Decode(nil, body)
		if err != nil {
			t.Errorf("decompress: %v", err)
		}
		switch r.Header.Get("Content-Type") + " " + r.Header.Get("X-Prometheus-Remote-Write-Version") + " " + r.Header.Get("Content-Encoding") {
		case "application/x-protobuf 0.1.0 snappy":
			return decode(t, V1, body), len(body)
		case "application/x-protobuf;proto=io.prometheus.write.v2.Request 2.0.0 snappy":
			return decode(t, V2, body), len(body)
		}
		t.Errorf("headers %v", r.Header)
		return nil, 0
	},
	Succeed: func(w http.ResponseWriter, r sinktest.Request) {
		if versionOf(r) == V2 {
			setWritten(w, r.Series())
		}
		w.WriteHeader(http.StatusNoContent)
	},
}

func versionOf(r sinktest.Request) Version {
	if r.Header.Get("X-Prometheus-Remote-Write-Version") == "2.0.0" {
		return V2
	}
	return V1
}

func setWritten(w http.ResponseWriter, samples int) {
	w.Header().Set("X-Prometheus-Remote-Write-Samples-Written", fmt.Sprint(samples))
	w.Header().Set("X-Prometheus-Remote-Write-Histograms-Written", "0")
	w.Header().Set("X-Prometheus-Remote-Write-Exemplars-Written", "0")
}

// only1 is the response of a receiver that does not support version 2.0 and says so.
func only1(_ http.ResponseWriter, r sinktest.Request) int {
	if versionOf(r) == V2 {
		return http.StatusUnsupportedMediaType
	}
	return sinktest.Success
}

func listen(t *testing.T, answer sinktest.Answer) *sinktest.Receiver {
	return sinktest.Listen(t, protocol, answer)
}

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

// linesOf returns the lines expected for the series of runs.
func linesOf(t testing.TB, version Version, runs ...*sink.Run) []string {
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
