package exposition

import (
	"bytes"
	"testing"

	"github.com/kubestate/kubestate/metric"
)

// timedLines are typical lines of a cluster.
var timedLines = []struct {
	name  string
	desc  metric.Desc
	lines string // one line
}{
	{"phase", metric.Desc{Name: "kube_pod_status_phase", Type: metric.Gauge},
		`kube_pod_status_phase{namespace="shop",pod="cart-7d4b9c6f5d-x2x8k",uid="7d0f6b1e-2f5c-4a58-9d1a-0a4b8e1f2c3d",phase="Running"} 1`},
	{"timestamp", metric.Desc{Name: "kube_pod_created", Type: metric.Gauge},
		`kube_pod_created{namespace="shop",pod="cart-7d4b9c6f5d-x2x8k",uid="7d0f6b1e-2f5c-4a58-9d1a-0a4b8e1f2c3d"} 1.740823200e+09`},
	{"many labels", metric.Desc{Name: "kube_pod_container_info", Type: metric.Info},
		`kube_pod_container_info{namespace="shop",pod="cart-7d4b9c6f5d-x2x8k",uid="7d0f6b1e-2f5c-4a58-9d1a-0a4b8e1f2c3d",container="cart",` +
			`image_spec="registry.example.com/cart:1.4",image="registry.example.com/cart:1.4",` +
			`image_id="registry.example.com/cart@sha256:9b2d6f6f8e8f6a6e1f0f9d1f0a7f0b7a4c0d3a0f1e2d3c4b5a69788796a5b4c3",container_id="containerd://4f1c"} 1`},
	{"escaped", metric.Desc{Name: "kube_pod_annotations", Type: metric.Gauge},
		`kube_pod_annotations{namespace="shop",pod="cart",uid="7d0f6b1e",annotation_config="{\"a\":\"b\\\\c\",\"d\":[1,2,3]}\nlast"} 1`},
}

func BenchmarkAppendProtobuf(b *testing.B) {
	for _, c := range timedLines {
		b.Run(c.name, func(b *testing.B) {
			const n = 64
			lines := bytes.Repeat([]byte(c.lines+"\n"), n)
			dst := make([]byte, 0, ProtobufSize(lines, &c.desc))
			b.ReportAllocs()
			b.SetBytes(int64(len(lines)))
			for b.Loop() {
				dst = AppendProtobuf(dst[:0], lines, &c.desc)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/line")
		})
	}
}

func BenchmarkProtobufSize(b *testing.B) {
	for _, c := range timedLines {
		b.Run(c.name, func(b *testing.B) {
			const n = 64
			lines := bytes.Repeat([]byte(c.lines+"\n"), n)
			b.ReportAllocs()
			b.SetBytes(int64(len(lines)))
			for b.Loop() {
				ProtobufSize(lines, &c.desc)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/line")
		})
	}
}
