package datadog

import (
	"fmt"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/kubestate/kubestate/internal/sinktest"
)

// BenchmarkEncode encodes runs with 15 shared tags and 3 of their own, into payloads of
// the default size. compressed includes zstd.
func BenchmarkEncode(b *testing.B) {
	series := sinktest.Pods(400, 25)
	for _, compressed := range []bool{false, true} {
		b.Run(fmt.Sprintf("compressed=%t", compressed), func(b *testing.B) {
			e := newEncoder(nil)
			e.begin(time.Unix(1_700_000_000, 0))
			compressor, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
			if err != nil {
				b.Fatal(err)
			}
			var payload, scratch []byte
			n, sent := 0, 0
			b.ReportAllocs()
			for b.Loop() {
				size := e.prepare(&series[n%len(series)])
				if n++; len(payload)+size > 5<<20 {
					if compressed {
						scratch = compressor.EncodeAll(payload, scratch[:0])
						sent += len(scratch)
					} else {
						sent += len(payload)
					}
					payload = payload[:0]
				}
				payload = e.append(payload)
			}
			b.ReportMetric(float64(sent)/float64(n), "B/series")
		})
	}
}
