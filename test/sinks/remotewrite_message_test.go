package sinks

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/s2"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"

	"github.com/kubestate/kubestate/internal/sinktest"
	"github.com/kubestate/kubestate/sink/remotewrite"
	"github.com/kubestate/kubestate/test/e2e/harness"
	"github.com/kubestate/kubestate/test/prometheus"
)

// metadata is the metadata of a metric: type, unit and help.
type metadata struct{ kind, unit, help string }

// metadataOfPods is the metadata of podSeries.
var metadataOfPods = map[string]metadata{
	"kube_pod_status_phase":               {"GAUGE", "", "The phase of a pod."},
	"kubernetes_state_container_restarts": {"COUNTER", "", "How often it was restarted."},
	"k8s_container_memory_limit":          {"GAUGE", "bytes", ""},
}

// metadataReceiver accepts remote write of both versions, using the messages of
// Prometheus, and keeps the metadata.
type metadataReceiver struct {
	t   *testing.T
	mu  sync.Mutex
	got map[string]metadata
}

func startMetadataReceiver(t *testing.T) (*metadataReceiver, string) {
	t.Helper()
	m := &metadataReceiver{t: t, got: map[string]metadata{}}
	server := httptest.NewServer(m)
	t.Cleanup(server.Close)
	return m, server.URL
}

func (m *metadataReceiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	compressed, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender gave up
	}
	body, err := s2.Decode(nil, compressed)
	if err != nil {
		m.t.Error(err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if r.Header.Get("Content-Type") == "application/x-protobuf" {
		var request prompb.WriteRequest
		if err := request.Unmarshal(body); err != nil {
			m.t.Error(err)
		}
		for _, one := range request.Metadata {
			m.got[one.MetricFamilyName] = metadata{one.Type.String(), one.Unit, one.Help}
		}
		return
	}
	var request writev2.Request
	if err := request.Unmarshal(body); err != nil {
		m.t.Error(err)
	}
	for _, series := range request.Timeseries {
		name := ""
		for i := 0; i < len(series.LabelsRefs); i += 2 {
			if request.Symbols[series.LabelsRefs[i]] == "__name__" {
				name = request.Symbols[series.LabelsRefs[i+1]]
			}
		}
		meta := series.Metadata
		kind := meta.Type.String()[len("METRIC_TYPE_"):]
		m.got[name] = metadata{kind, request.Symbols[meta.UnitRef], request.Symbols[meta.HelpRef]}
	}
	w.Header().Set("X-Prometheus-Remote-Write-Samples-Written", fmt.Sprint(len(request.Timeseries)))
}

func (m *metadataReceiver) check() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if diff := cmp.Diff(metadataOfPods, m.got, cmp.AllowUnexported(metadata{})); diff != "" {
		return fmt.Errorf("metadata (-want +got):\n%s", diff)
	}
	return nil
}

// Metadata is decoded with the messages of Prometheus, since no Prometheus server
// stores that of version 1.0.
func TestRemoteWriteMetadata(t *testing.T) {
	for _, version := range []remotewrite.Version{remotewrite.V1, remotewrite.V2} {
		receiver, url := startMetadataReceiver(t)
		s := remoteWriteSink(t, &prometheus.Server{URL: url}, remotewrite.Config{Version: version})
		sinktest.Send(t, s, runOf(time.Now(), podSeries(2, time.Time{}), nil))
		if err := receiver.check(); err != nil {
			t.Errorf("version %d: %v", version, err)
		}
	}
}

// A Prometheus forwards the metadata it received. Its API has only the metadata of
// scrapes.
func TestRemoteWriteMetadataPassedOn(t *testing.T) {
	receiver, url := startMetadataReceiver(t)
	server := startPrometheusWith(t, fmt.Sprintf(`
remote_write:
- url: %s/api/v1/write
  protobuf_message: io.prometheus.write.v2.Request
  metadata_config: {send: false}
  queue_config: {batch_send_deadline: 100ms, min_shards: 1, max_shards: 1}
`, url), "--enable-feature=metadata-wal-records")
	s := remoteWriteSink(t, server, remotewrite.Config{})
	sinktest.Send(t, s, runOf(time.Now(), podSeries(2, time.Time{}), nil))
	harness.Eventually(t, time.Minute, "Prometheus passes on the metadata", receiver.check)
	server.CheckLog(t)
}
