package otlp

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/kubestate/kubestate/sink"
)

// BenchmarkEncode encodes runs as a cluster has them, with 15 shared tags and 3
// own ones, into requests of the default size. compressed includes gzip.
func BenchmarkEncode(b *testing.B) {
	series := clusterSeries(400, 25)
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

// clusterSeries returns the series of some pods, block by block.
func clusterSeries(blocks, metrics int) []sink.Series {
	all := make([]*sink.Metric, metrics)
	for i := range all {
		all[i] = &sink.Metric{
			Name: fmt.Sprintf("k8s.container.metric_%d", i), Type: sink.Type(i % 3), Help: "How much of something the container has.",
		}
	}
	var series []sink.Series
	for i := range blocks {
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
