package otlp

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/kubestate/kubestate/internal/sinktest"
)

// BenchmarkEncode encodes runs with 15 shared tags and 3 of their own, into requests of
// the default size. compressed includes gzip.
func BenchmarkEncode(b *testing.B) {
	series := sinktest.Pods(400, 25)
	for _, compressed := range []bool{false, true} {
		b.Run(fmt.Sprintf("compressed=%t", compressed), func(b *testing.B) {
			e := newEncoder(Config{})
			e.beginRun(time.Unix(1_700_000_000, 0))
			e.beginRequest()
			var buf bytes.Buffer
			compressor, err := gzip.NewWriterLevel(&buf, gzip.BestSpeed)
			if err != nil {
				b.Fatal(err)
			}
			n, sent := 0, 0
			b.ReportAllocs()
			for b.Loop() {
				s := &series[n%len(series)]
				if e.size()+e.bound(s) > 4<<20 {
					message := e.message()
					if compressed {
						buf.Reset()
						compressor.Reset(&buf)
						_, _ = compressor.Write(message)
						_ = compressor.Close()
						sent += buf.Len()
					} else {
						sent += len(message)
					}
					e.beginRequest()
				}
				e.add(s, false)
				n++
			}
			b.ReportMetric(float64(sent)/float64(n), "B/series")
		})
	}
}
