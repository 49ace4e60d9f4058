package kubewatch

import (
	"bytes"
	"io"
	"log/slog"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/watch"

	"github.com/kubestate/kubestate/kind"
)

// discard is a store that keeps nothing.
type discard struct{}

func (discard) Begin()                {}
func (discard) Put(kind.Object)       {}
func (discard) Delete(string, string) {}
func (discard) Commit()               {}

// BenchmarkConsume reads events of one object each. What it costs beyond the
// object's Unmarshal, BenchmarkUnmarshal, is ours.
func BenchmarkConsume(b *testing.B) {
	body := bytes.Repeat(protobufFrame(b, watch.Added, replicaSet("a")), b.N)
	w, err := newWatcher(nil, Watch{Table: kind.ReplicaSets, Store: discard{}}, newWorkers(), newOutage(slog.New(slog.DiscardHandler)), slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	a := &answer{
		codec: protobufCodec{}, idle: time.Hour, timer: time.NewTimer(time.Hour),
		body: io.NopCloser(bytes.NewReader(body)),
	}
	b.ReportAllocs()
	b.ResetTimer()
	if err := w.consume(a); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkUnmarshal(b *testing.B) {
	raw := marshal(b, replicaSet("a"))
	b.ReportAllocs()
	for b.Loop() {
		if err := kind.ReplicaSets.New().Unmarshal(raw); err != nil {
			b.Fatal(err)
		}
	}
}
