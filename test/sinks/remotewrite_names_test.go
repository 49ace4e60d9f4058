package sinks

import (
	"testing"
	"time"

	"github.com/kubestate/kubestate/internal/sinktest"
	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/sink/remotewrite"
)

// oddSeries returns a series with unusual names.
func oddSeries(name string, tags ...sink.Tag) sink.Series {
	return sink.Series{Metric: &sink.Metric{Name: name, Type: sink.Gauge}, Block: &sink.Block{Tags: tags}, Value: 1}
}

var oddNames = []sink.Series{
	oddSeries("kubernetes_state.pod.é", sink.Tag{Key: "app.kubernetes.io/name", Value: "a"}),
	oddSeries("1 starts with a digit", sink.Tag{Key: "2nd", Value: "b"}),
	oddSeries("recorded:by:rule", sink.Tag{Key: "a:b", Value: "c"}),
	oddSeries("quoted \"\\\n", sink.Tag{Key: "{}=,", Value: "d"}),
	oddSeries("日本", sink.Tag{Key: "🙂", Value: "e"}),
	oddSeries("reserved", sink.Tag{Key: "__name__", Value: "f"}, sink.Tag{Key: "job", Value: "g"}, sink.Tag{Key: "instance", Value: "h"}),
}

// Names that PromQL accepts only in quotes are sent unchanged and rewritten.
func TestRemoteWriteNames(t *testing.T) {
	server := startPrometheus(t)
	tests := map[string]struct {
		utf8 bool
		want state
	}{
		"utf8": {true, state{
			labelText(map[string]string{"__name__": "kubernetes_state.pod.é", "app.kubernetes.io/name": "a"}): 1,
			labelText(map[string]string{"__name__": "1 starts with a digit", "2nd": "b"}):                     1,
			labelText(map[string]string{"__name__": "recorded:by:rule", "a:b": "c"}):                          1,
			labelText(map[string]string{"__name__": "quoted \"\\\n", "{}=,": "d"}):                            1,
			labelText(map[string]string{"__name__": "日本", "🙂": "e"}):                                          1,
			labelText(map[string]string{"__name__": "reserved", "job": "g", "instance": "h"}):                 1,
		}},
		"plain": {false, state{
			labelText(map[string]string{"__name__": "kubernetes_state_pod__", "app_kubernetes_io_name": "a"}): 1,
			labelText(map[string]string{"__name__": "_1_starts_with_a_digit", "_2nd": "b"}):                   1,
			labelText(map[string]string{"__name__": "recorded:by:rule", "a_b": "c"}):                          1,
			labelText(map[string]string{"__name__": "quoted____", "____": "d"}):                               1,
			labelText(map[string]string{"__name__": "__", "_": "e"}):                                          1,
			labelText(map[string]string{"__name__": "reserved", "job": "g", "instance": "h"}):                 1,
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, version := range []remotewrite.Version{remotewrite.V1, remotewrite.V2} {
				s := remoteWriteSink(t, server, remotewrite.Config{Version: version, UTF8Names: test.utf8})
				now := time.Now().Truncate(time.Millisecond).Add(time.Duration(version) * time.Second)
				sinktest.Send(t, s, runOf(now, oddNames, nil))
				compare(t, "names", instant(t, server, now), test.want)
				sinktest.Send(t, s, runOf(now.Add(time.Second), nil, oddNames))
				compare(t, "when all have ended", instant(t, server, now.Add(time.Second)), state{})
			}
		})
	}
	server.CheckLog(t)
}

// A Pod moves to another host, which is not in its labels: for Prometheus the series
// continues.
func TestRemoteWriteMoved(t *testing.T) {
	server := startPrometheus(t)
	for _, version := range []remotewrite.Version{remotewrite.V1, remotewrite.V2} {
		s := remoteWriteSink(t, server, remotewrite.Config{Version: version, HostLabel: remotewrite.NoHost})
		now := time.Now().Truncate(time.Millisecond).Add(time.Duration(version) * time.Minute)
		metric := &sink.Metric{Name: "up"}
		before := []sink.Series{{Metric: metric, Block: &sink.Block{Host: "node-1"}, Value: 1}}
		after := []sink.Series{{Metric: metric, Block: &sink.Block{Host: "node-2"}, Value: 2}}
		sinktest.Send(t, s, runOf(now, before, nil))
		sinktest.Send(t, s, runOf(now.Add(time.Second), after, before))
		compare(t, "after the move", instant(t, server, now.Add(time.Second)), state{`{"__name__":"up"}`: 2})
	}
}
