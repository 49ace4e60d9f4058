package remotewrite

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kubestate/kubestate/internal/sinktest"
	"github.com/kubestate/kubestate/sink"
)

func subject() sinktest.Subject {
	return sinktest.Subject{
		Protocol: protocol,
		New: func(t testing.TB, o sinktest.Options) sink.Sink {
			return newTestSink(t, Config{
				Connection: sink.Connection{Client: o.Client, CAFile: o.CAFile, TokenFile: o.SecretFile, Buffer: o.Buffer, Timeout: o.Timeout, Attempts: o.Attempts}, MaxSeries: o.MaxSeries, MaxBytes: o.Buffer,
			}, o.URL)
		},
		Lines:       func(t testing.TB, runs ...*sink.Run) []string { return linesOf(t, V2, runs...) },
		Temporary:   []int{http.StatusInternalServerError, http.StatusServiceUnavailable, http.StatusTooManyRequests},
		Path:        "/write?token=secret",
		Unreadable:  "read token",
		TakenHeader: writtenHeader + ": 20",
	}
}

func TestFaults(t *testing.T) { sinktest.Faults(t, subject()) }

// The connection breaks within the body of an error whose headers report success.
func TestBreaksOff(t *testing.T) {
	subject().BreaksOff(t, "HTTP/1.1 400 Bad Request\r\n"+writtenHeader+": 20\r\nContent-Length: 100\r\n\r\nhalf of", false)
}

// Requests of version 2.0 are buffered for a receiver that accepts only 1.0.
func TestFallbackInOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		receiver := sinktest.New(t, protocol, only1)
		n := &sinktest.Network{Receiver: receiver}
		n.Down.Store(true)
		s := newTestSink(t, Config{Connection: sink.Connection{Client: n.Client()}, MaxSeries: 10}, "http://receiver/")
		r := sinktest.Run(0, sinktest.Pods(1, 20), nil)
		_ = sinktest.SendWithin(t, s, time.Second, r) // may report the deadline
		n.Down.Store(false)
		sinktest.CloseAndCount(t, s, 20)
		sinktest.CheckLines(t, "series", linesOf(t, V1, r), receiver.Lines())
	})
}
