package remotewrite

import (
	"fmt"
	"testing"
	"time"

	"github.com/klauspost/compress/s2"

	"github.com/kubestate/kubestate/sink"
)

// BenchmarkEncode encodes runs as a cluster has them, with 15 shared tags and 3
// own ones, into requests of the default size. compressed includes snappy.
func BenchmarkEncode(b *testing.B) {
	series := clusterSeries(400, 25)
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
					if n++; e.count < 2000 {
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

// clusterSeries returns the series of some pods, block by block.
func clusterSeries(blocks, metrics int) []sink.Series {
	all := make([]*sink.Metric, metrics)
	for i := range all {
		all[i] = &sink.Metric{
			Name: fmt.Sprintf("kubernetes_state.container.metric_%d", i), Type: sink.Type(i % 3),
			Help: "How much of something the container has.",
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
