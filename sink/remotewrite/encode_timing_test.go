package remotewrite

import (
	"fmt"
	"testing"
	"time"

	"github.com/klauspost/compress/s2"

	"github.com/kubestate/kubestate/internal/sinktest"
)

// BenchmarkEncode encodes runs with 15 shared tags and 3 of their own, into requests of
// the default size. compressed includes snappy.
func BenchmarkEncode(b *testing.B) {
	series := sinktest.Pods(400, 25)
	for _, version := range []Version{V1, V2} {
		for _, compressed := range []bool{false, true} {
			b.Run(fmt.Sprintf("version=%d/compressed=%t", version, compressed), func(b *testing.B) {
				e := newTestEncoder(Config{})
				e.beginRequest(version)
				e.beginRun(time.UnixMilli(1_700_000_000_000))
				scratch, sent := make([]byte, s2.MaxEncodedLen(4<<20)), 0
				b.ReportAllocs()
				n := 0
				for b.Loop() {
					e.add(&series[n%len(series)], false)
					if n++; n%2000 != 0 {
						continue
					}
					if message := e.message(); compressed {
						sent += len(s2.EncodeSnappy(scratch, message))
					} else {
						sent += len(message)
					}
					e.beginRequest(version)
				}
				b.ReportMetric(float64(sent)/float64(n), "B/series")
			})
		}
	}
}
