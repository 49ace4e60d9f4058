package datadog

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kubestate/kubestate/internal/sinktest"
	"github.com/kubestate/kubestate/sink"
)

func TestFaults(t *testing.T) {
	sinktest.Faults(t, sinktest.Subject{
		Protocol: protocol,
		New: func(t testing.TB, o sinktest.Options) sink.Sink {
			return newTestSink(t, Config{
				Connection: sink.Connection{Client: o.Client, CAFile: o.CAFile, Buffer: o.Buffer, Timeout: o.Timeout, Attempts: o.Attempts}, KeyFile: o.SecretFile, MaxSeries: o.MaxSeries, MaxCompressed: o.Buffer,
			}, o.URL)
		},
		Lines:      linesOf,
		Temporary:  []int{http.StatusInternalServerError, http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusRequestTimeout},
		Path:       "/secret",
		Unreadable: "read header DD-API-KEY",
	})
}

// The intake silently drops what waited for more than an hour, so it is not sent.
func TestTooOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		receiver := sinktest.New(t, protocol, nil)
		n := &sinktest.Network{Receiver: receiver}
		n.Down.Store(true)
		s := newTestSink(t, Config{Connection: sink.Connection{Client: n.Client()}}, "http://receiver")
		_ = sinktest.SendWithin(t, s, 50*time.Minute, sinktest.Run(0, sinktest.Pods(1, 10), nil)) // fails: still waiting
		young := sinktest.Run(3000, sinktest.Pods(1, 5), nil)
		sinktest.CheckError(t, sinktest.SendWithin(t, s, 50*time.Minute, young), "dropped 10 series in 1 payload: too old for the receiver")
		n.Down.Store(false)
		if stats := sinktest.CloseAndCount(t, s, 15); stats.Dropped != 10 {
			t.Errorf("stats %+v", stats)
		}
		sinktest.CheckLines(t, "series", linesOf(t, young), receiver.Lines())
	})
}

// One half of a split request fails for a while.
func TestHalfFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failures := 0
		receiver := sinktest.New(t, protocol, func(_ http.ResponseWriter, r sinktest.Request) int {
			switch {
			case len(r.Lines) > 5:
				return http.StatusRequestEntityTooLarge
			case strings.HasPrefix(r.Lines[0], "kubernetes_state.container.metric_5{") && failures < 2:
				failures++
				return http.StatusServiceUnavailable
			}
			return sinktest.Success
		})
		n := &sinktest.Network{Receiver: receiver}
		s := newTestSink(t, Config{Connection: sink.Connection{Client: n.Client()}, MaxSeries: 10}, "http://receiver")
		r := sinktest.Run(0, sinktest.Pods(1, 10), nil)
		sinktest.CheckError(t, sinktest.SendWithin(t, s, time.Hour, r), "")
		all := linesOf(t, r)
		sinktest.CheckLines(t, "series", slices.Concat(all[:5], all[:5], all), receiver.Lines())
		if stats := sinktest.CloseAndCount(t, s, 10); stats.Series != 10 {
			t.Errorf("stats %+v", stats)
		}
	})
}
