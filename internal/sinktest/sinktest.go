// Package sinktest has what tests of sinks share: realistic series, a scriptable
// receiver, and the faults that every sink that sends requests must survive. It does
// not know any protocol.
package sinktest

import (
	"context"
	"encoding/pem"
	"fmt"
	"iter"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kubestate/kubestate/sink"
)

// Seconds is the time of the first run, in seconds since 1970.
const Seconds = 1_700_000_000

// Tags parses tags of the form key=value.
func Tags(pairs ...string) []sink.Tag {
	var all []sink.Tag
	for _, p := range pairs {
		key, value, _ := strings.Cut(p, "=")
		all = append(all, sink.Tag{Key: key, Value: value})
	}
	return all
}

// Run returns a run that many seconds after Seconds.
func Run(seconds int, series, ended []sink.Series, checks ...sink.Check) *sink.Run {
	return &sink.Run{
		Time: time.Unix(Seconds+int64(seconds), 0), Series: Each(series), Ended: Each(ended), Checks: Each(checks),
	}
}

// Each yields pointers to all elements.
func Each[T any](all []T) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		for i := range all {
			if !yield(&all[i]) {
				return
			}
		}
	}
}

// Pods returns realistic series of some Pods, grouped by block, each with 15 shared
// tags and 3 of its own.
func Pods(pods, metrics int) []sink.Series {
	all := make([]*sink.Metric, metrics)
	for i := range all {
		all[i] = &sink.Metric{
			Name: fmt.Sprintf("kubernetes_state.container.metric_%d", i), Type: sink.Type(i % 3),
			Help: "How much of something the container has.",
		}
	}
	var series []sink.Series
	for i := range pods {
		block := &sink.Block{Host: fmt.Sprintf("node-%d", i%20)}
		for _, key := range []string{
			"env", "kube_app_component", "kube_app_instance", "kube_app_managed_by", "kube_app_name", "kube_app_part_of", "kube_cluster_name",
			"kube_deployment", "kube_namespace", "kube_ownerref_name", "kube_replica_set", "pod_name", "service", "uid", "version",
		} {
			value := fmt.Sprintf("%s-value-%d", key, i%7)
			if key == "pod_name" || key == "uid" {
				value = fmt.Sprintf("%s-%08x-%04x", key, i*2654435761, i)
			}
			block.Tags = append(block.Tags, sink.Tag{Key: key, Value: value})
		}
		for j, m := range all {
			series = append(series, sink.Series{
				Metric: m, Block: block, Value: float64(i * j), Start: 1_690_000_000_000,
				Tags: []sink.Tag{
					{Key: "container", Value: fmt.Sprintf("app-%d", j%3)},
					{Key: "image_tag", Value: fmt.Sprintf("v1.%d", i%30)},
					{Key: "resource", Value: [...]string{"cpu", "memory"}[j%2]},
				},
			})
		}
	}
	return series
}

// Typical returns a run of n realistic series; n is a multiple of 20.
func Typical(n int) *sink.Run { return Run(0, Pods(n/20, 20), nil) }

// Send sends a run and fails the test on an error.
func Send(t testing.TB, s sink.Sink, r *sink.Run) {
	t.Helper()
	if err := Try(t, s, r); err != nil {
		t.Fatalf("send: %v", err)
	}
}

// Try sends a run with a deadline of a minute, so that a test cannot hang.
func Try(t testing.TB, s sink.Sink, r *sink.Run) error {
	t.Helper()
	return SendWithin(t, s, time.Minute, r)
}

// SendWithin sends a run with a deadline, after which it is left to the buffer.
func SendWithin(t testing.TB, s sink.Sink, d time.Duration, r *sink.Run) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	return s.Send(ctx, r)
}

// Forget closes a sink at the end of the test, ignoring what is left in it.
func Forget(t testing.TB, s sink.Sink) {
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = s.Close(ctx) // may report losses
	})
}

// Write writes a file.
func Write(t testing.TB, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// WriteCA writes the certificate of a TLS server to a file.
func WriteCA(t testing.TB, server *httptest.Server) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "ca.pem")
	Write(t, file, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	return file
}
