package exposition

import (
	"net/http"
	"strings"
	"testing"

	"github.com/kubestate/kubestate/metric"
)

func BenchmarkWriter(b *testing.B) {
	w := NewWriter(widgets)
	e := metric.NewEmitter(w)
	emitWidget(e, "cart")
	b.ReportAllocs()
	b.SetBytes(int64(len(w.buf)))
	for b.Loop() {
		emitWidget(e, "cart")
	}
}

func BenchmarkAppendValue(b *testing.B) {
	for name, v := range map[string]string{
		"plain": "cart-7d4b9c6f5d-x2x8k", "escaped": "a\"b\\c\nd", "unicode": "日本語のラベル", "invalid": "a\xffb",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var dst []byte
			for b.Loop() {
				dst = appendValue(dst[:0], v)
			}
		})
	}
}

func BenchmarkAppendFloat(b *testing.B) {
	for name, v := range map[string]float64{"small integer": 42, "timestamp": 1501569018, "fraction": 0.25} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var dst []byte
			for b.Loop() {
				dst = AppendFloat(dst[:0], v)
			}
		})
	}
}

// BenchmarkNegotiate negotiates with the header of Prometheus and with one of a
// megabyte, the default limit of net/http.
func BenchmarkNegotiate(b *testing.B) {
	for name, accept := range map[string]string{
		"prometheus": om + ";escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4," +
			"text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
		"megabyte of */*":   strings.Repeat("*/*;q=0.1,", 100_000),
		"megabyte of json":  strings.Repeat("application/json;q=0.1,", 45_000),
		"megabyte of comma": strings.Repeat(",", 1_000_000),
		"one megabyte":      "text/plain;a=" + strings.Repeat("b", 1_000_000),
	} {
		b.Run(name, func(b *testing.B) {
			h := http.Header{"Accept": {accept}}
			b.ReportAllocs()
			for b.Loop() {
				Negotiate(h)
			}
		})
	}
}
