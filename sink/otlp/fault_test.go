package otlp

import (
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kubestate/kubestate/internal/sinktest"
	"github.com/kubestate/kubestate/sink"
)

func subject(p Protocol) sinktest.Subject {
	s := sinktest.Subject{
		Protocol: protocol,
		New: func(t testing.TB, o sinktest.Options) sink.Sink {
			c := Config{
				Connection: sink.Connection{Client: o.Client, CAFile: o.CAFile, Buffer: o.Buffer, Timeout: o.Timeout, Attempts: o.Attempts}, Protocol: p, MaxSeries: o.MaxSeries, MaxBytes: o.Buffer,
			}
			if p == GRPC {
				c.TokenFile = o.SecretFile
			} else if o.SecretFile != "" {
				c.HeaderFiles = map[string]string{"X-Key": o.SecretFile}
			}
			return newTestSink(t, c, o.URL)
		},
		Lines: linesOf,
		HTTP2: p == GRPC,
	}
	s.Path, s.Unreadable = "/secret", "read header X-Key"
	if p == GRPC {
		s.Path, s.Unreadable = "", "read token"
	}
	return s
}

func TestFaults(t *testing.T) {
	onBoth(t, func(t *testing.T, p Protocol) { sinktest.Faults(t, subject(p)) })
}

// These responses are retried, after the given pause.
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
			subject(test.protocol).TriesAgain(t, test.pause, test.answer.write)
		})
	}
}

// Unauthenticated requests are retried with the current content of the file.
func TestUnauthenticated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		receiver := sinktest.New(t, protocol, func(w http.ResponseWriter, r sinktest.Request) int {
			if r.Header.Get("Authorization") == "Bearer old" {
				return answer{code: 16}.write(w, r)
			}
			return sinktest.Success
		})
		n := &sinktest.Network{Receiver: receiver}
		file := filepath.Join(t.TempDir(), "token")
		sinktest.Write(t, file, "old")
		s := newTestSink(t, Config{Connection: sink.Connection{TokenFile: file, Client: n.Client()}, Protocol: GRPC}, "http://receiver")
		sinktest.CheckError(t, sinktest.SendWithin(t, s, time.Minute, sinktest.Run(0, someSeries, nil)), "UNAUTHENTICATED")
		sinktest.Write(t, file, "new")
		if stats := sinktest.CloseAndCount(t, s, 2); stats.Series != 2 {
			t.Errorf("stats %+v", stats)
		}
	})
}
