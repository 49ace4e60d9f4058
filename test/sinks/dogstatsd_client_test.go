package sinks

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/DataDog/datadog-go/v5/statsd"
	"github.com/google/go-cmp/cmp"

	"github.com/kubestate/kubestate/internal/sinktest"
	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/sink/dogstatsd"
)

// The sink writes the same lines as Datadog's own client for the same series and
// checks, on every transport, including framed streams and service checks, which
// statsd_exporter does not support.
func TestDogStatsDClient(t *testing.T) {
	for _, scheme := range []string{"udp", "unix", "unixstream"} {
		t.Run(scheme, func(t *testing.T) {
			address, received := recordDogStatsD(t, scheme)
			sendByClient(t, strings.TrimPrefix(address, "udp://"))
			want := received(clientLines)
			address, received = recordDogStatsD(t, scheme)
			sendBySink(t, address)
			if diff := cmp.Diff(want, received(clientLines)); diff != "" {
				t.Errorf("lines (-client +sink):\n%s", diff)
			}
		})
	}
}

const (
	clientSeries = 500
	clientLines  = clientSeries + 4
)

var clientValues = []float64{0, 1, -2.5, 0.1, 1501569018.25, 1e15, 123456.789}

func sendByClient(t *testing.T, address string) {
	t.Helper()
	client, err := statsd.New(address, statsd.WithoutTelemetry(), statsd.WithoutClientSideAggregation(), statsd.WithoutOriginDetection(),
		statsd.WithWorkersCount(1), statsd.WithTags([]string{}))
	if err != nil {
		t.Fatal(err)
	}
	for i := range clientSeries {
		tags := []string{fmt.Sprint("host:node-", i%7), "env:prod", fmt.Sprint("pod_name:pod-", i), "image:registry.example.com:5000/é"}
		if err := client.Gauge(fmt.Sprint("kubernetes_state.pod.family_", i%10), clientValues[i%len(clientValues)], tags, 1); err != nil {
			t.Fatal(err)
		}
	}
	for status := range 4 {
		err := client.ServiceCheck(&statsd.ServiceCheck{
			Name: "kubernetes_state.node.ready", Status: statsd.ServiceCheckStatus(status), Hostname: "node-1",
			Message: "two\nlines", Tags: []string{"env:prod", "node:node-1", "condition:ready"},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
}

func sendBySink(t *testing.T, address string) {
	t.Helper()
	s, err := dogstatsd.New(dogstatsd.Config{Address: address, Tags: []sink.Tag{{Key: "env", Value: "prod"}}})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Send(t.Context(), &sink.Run{
		Series: func(yield func(*sink.Series) bool) {
			for i := range clientSeries {
				if !yield(&sink.Series{
					Metric: &sink.Metric{Name: fmt.Sprint("kubernetes_state.pod.family_", i%10)}, Value: clientValues[i%len(clientValues)],
					Block: &sink.Block{Host: fmt.Sprint("node-", i%7), Tags: []sink.Tag{{Key: "pod_name", Value: fmt.Sprint("pod-", i)}}},
					Tags:  []sink.Tag{{Key: "image", Value: "registry.example.com:5000/é"}},
				}) {
					return
				}
			}
		},
		Checks: func(yield func(*sink.Check) bool) {
			for status := range 4 {
				if !yield(&sink.Check{
					Name: "kubernetes_state.node.ready", Status: sink.Status(status), Message: "two\nlines",
					Block: &sink.Block{Host: "node-1", Tags: []sink.Tag{{Key: "node", Value: "node-1"}}},
					Tags:  []sink.Tag{{Key: "condition", Value: "ready"}},
				}) {
					return
				}
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// recordDogStatsD listens for one sender and returns a function that waits for a number
// of lines. Datagrams may end in a line feed.
func recordDogStatsD(t *testing.T, scheme string) (address string, received func(n int) []string) {
	t.Helper()
	packets := make(chan string, 1000)
	got := func(packet string) { packets <- packet }
	path := filepath.Join(t.TempDir(), "s")
	address = scheme + "://" + path
	if scheme == "unixstream" {
		listener, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = listener.Close() })
		go func() {
			if c, err := listener.Accept(); err == nil {
				_ = sinktest.ReadFrames(c, got) // a truncated frame is missing
			}
		}()
	} else {
		var c net.PacketConn
		var err error
		if scheme == "unix" {
			c, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
		} else {
			c, err = net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		}
		if err != nil {
			t.Fatal(err)
		}
		if scheme == "udp" {
			address = "udp://" + c.LocalAddr().String()
		}
		t.Cleanup(func() { _ = c.Close() })
		go sinktest.ReadDatagrams(c, got)
	}
	return address, func(n int) []string { return linesOf(t, packets, n) }
}

func linesOf(t *testing.T, packets <-chan string, n int) (lines []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for len(lines) < n {
		select {
		case p := <-packets:
			lines = append(lines, strings.Split(strings.TrimSuffix(p, "\n"), "\n")...)
		case <-ctx.Done():
			t.Fatalf("got %d of %d lines", len(lines), n)
		}
	}
	return lines
}
