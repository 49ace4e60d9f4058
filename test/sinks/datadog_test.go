package sinks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/DataDog/agent-payload/v5/gogen"
	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/kubestate/kubestate/internal/sinktest"
	"github.com/kubestate/kubestate/sink"
	"github.com/kubestate/kubestate/sink/datadog"
)

// Limits of one request to the Datadog intake. It requires less than 5 MiB before
// compression: https://docs.datadoghq.com/api/latest/metrics/submit-metrics/
const (
	intakePoints     = 10_000
	intakeBytes      = 5_242_879
	intakeCompressed = 512_000
)

// intake is a server with the rules of the Datadog intake, which decodes series with
// Datadog's own message definition.
type intake struct {
	t       *testing.T
	key     string
	refused func() // called for a request with a wrong key; may be nil

	mu       sync.Mutex
	series   []string // in the form of seriesLine
	checks   []checkRun
	requests int
}

// checkRun is a service check as in the API:
// https://docs.datadoghq.com/api/latest/service-checks/
type checkRun struct {
	Check     string   `json:"check"`
	HostName  string   `json:"host_name"`
	Message   string   `json:"message"`
	Status    int      `json:"status"`
	Tags      []string `json:"tags"`
	Timestamp int64    `json:"timestamp"`
}

func (i *intake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.requests++
	status, err := i.take(r)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err == nil {
		err = errors.New("")
	}
	_ = json.NewEncoder(w).Encode(map[string][]string{"errors": {err.Error()}})
}

func (i *intake) take(r *http.Request) (status int, err error) {
	body, err := io.ReadAll(r.Body)
	switch {
	case err != nil:
		return http.StatusBadRequest, err
	case r.Method != http.MethodPost:
		return http.StatusMethodNotAllowed, nil
	case r.Header.Get("DD-API-KEY") != i.key:
		if i.refused != nil {
			i.refused()
		}
		return http.StatusForbidden, errors.New("forbidden")
	case len(body) > intakeCompressed:
		return http.StatusRequestEntityTooLarge, errors.New("payload too large")
	case r.URL.Path == "/api/v2/series":
		return i.takeSeries(r.Header, body)
	case r.URL.Path == "/api/v1/check_run" && r.Header.Get("Content-Type") == "application/json":
		var checks []checkRun
		decoder := json.NewDecoder(strings.NewReader(string(body)))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&checks); err != nil {
			return http.StatusBadRequest, err
		}
		i.checks = append(i.checks, checks...)
		return http.StatusAccepted, nil
	}
	return http.StatusNotFound, errors.New("not found")
}

func (i *intake) takeSeries(header http.Header, body []byte) (status int, err error) {
	if header.Get("Content-Type") != "application/x-protobuf" || header.Get("Content-Encoding") != "zstd" {
		return http.StatusUnsupportedMediaType, fmt.Errorf("headers %v", header)
	}
	decompressor, err := zstd.NewReader(nil)
	if err != nil {
		return http.StatusInternalServerError, err
	}
	defer decompressor.Close()
	if body, err = decompressor.DecodeAll(body, nil); err != nil {
		return http.StatusBadRequest, err
	}
	var payload gogen.MetricPayload
	if err := payload.Unmarshal(body); err != nil {
		return http.StatusBadRequest, err
	}
	points := 0
	for _, s := range payload.Series {
		points += len(s.Points)
		i.series = append(i.series, seriesLine(s))
	}
	if len(body) > intakeBytes || points > intakePoints {
		return http.StatusRequestEntityTooLarge, fmt.Errorf("%d bytes, %d points", len(body), points)
	}
	// Fields missing from the definition would be lost.
	if again, err := payload.Marshal(); err != nil || len(again) > len(body) {
		return http.StatusBadRequest, fmt.Errorf("%d bytes instead of %d, error %w", len(again), len(body), err)
	}
	return http.StatusAccepted, nil
}

func seriesLine(s *gogen.MetricPayload_MetricSeries) string {
	resources := map[string]string{}
	for _, r := range s.Resources {
		resources[r.Type] = r.Name
	}
	line := fmt.Sprintf("%s %s%q %s %q", labelText(resources), s.Metric, s.Tags, s.Type, s.Unit)
	for _, p := range s.Points {
		line += fmt.Sprintf(" %v at %d", p.Value, p.Timestamp)
	}
	return line + fmt.Sprintf(" source %q interval %d metadata %v", s.SourceTypeName, s.Interval, s.Metadata)
}

// datadogLines returns what the intake should receive of a run.
func datadogLines(at time.Time, series []sink.Series) (lines []string) {
	for _, s := range series {
		if math.IsNaN(s.Value) || math.IsInf(s.Value, 0) {
			continue
		}
		m := &gogen.MetricPayload_MetricSeries{Metric: s.Metric.Name, Type: gogen.MetricPayload_GAUGE}
		if s.Block.Host != "" {
			m.Resources = []*gogen.MetricPayload_Resource{{Type: "host", Name: s.Block.Host}}
		}
		for _, tags := range [][]sink.Tag{{{Key: "env", Value: "prod"}}, s.Block.Tags, s.Block.Resource, s.Tags} {
			for _, t := range tags {
				m.Tags = append(m.Tags, t.Key+":"+t.Value)
			}
		}
		m.Unit = map[string]string{"By": "byte"}[s.Metric.Unit]
		m.Points = []*gogen.MetricPayload_MetricPoint{{Value: s.Value, Timestamp: at.Unix()}}
		lines = append(lines, seriesLine(m))
	}
	return lines
}

// Two runs are sent to a server with the limits of the intake, which decodes with
// agent-payload.
func TestDatadog(t *testing.T) {
	peer := &intake{t: t, key: "0123456789abcdef0123456789abcdef"}
	server := httptest.NewServer(peer)
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "key")
	writeFile(t, file, peer.key+"\n")
	s, err := datadog.New(datadog.Config{Connection: sink.Connection{URL: server.URL}, KeyFile: file, Tags: []sink.Tag{{Key: "env", Value: "prod"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeSink(t, s) })

	now := time.Now()
	series := podSeries(5000, now.Add(-time.Minute))
	run := runOf(now, series, nil,
		sink.Check{Name: "kubernetes_state.node.ready", Status: sink.OK, Block: series[0].Block, Tags: sinktest.Tags("condition=ready")},
		sink.Check{Name: "kubernetes_state.cronjob.complete", Status: sink.Critical, Message: "\"quoted\" \n é", Block: &sink.Block{}})
	want := datadogLines(now, series)
	err = s.Send(t.Context(), run)
	if lost := fmt.Sprintf("%d series lost: %d NaN or infinite", len(series)-len(want), len(series)-len(want)); err == nil || !strings.HasSuffix(err.Error(), lost) {
		t.Errorf("error %v, want %s", err, lost)
	}
	if diff := cmp.Diff(want, peer.series); diff != "" {
		t.Errorf("series (-want +got):\n%s", diff)
	}
	wantChecks := []checkRun{
		{
			Check: "kubernetes_state.node.ready", HostName: "node-0", Timestamp: now.Unix(),
			Tags: []string{
				"env:prod", "Zone:upper case sorts first", "empty:", "pod_name:pod-0", "quoted:\" \\ \n é 日本", "team:block",
				"k8s.pod.uid:uid-0", "team:resource", "condition:ready",
			},
		},
		{Check: "kubernetes_state.cronjob.complete", Status: 2, Message: "\"quoted\" \n é", Timestamp: now.Unix(), Tags: []string{"env:prod"}},
	}
	if diff := cmp.Diff(wantChecks, peer.checks); diff != "" {
		t.Errorf("service checks (-want +got):\n%s", diff)
	}
	got := s.Stats()
	if got.Series != uint64(len(want)+2) || got.Dropped != uint64(len(series)-len(want)) || got.Rejected+got.Retries != 0 || got.Payloads != uint64(peer.requests) {
		t.Errorf("stats %+v of %d series in %d requests", got, len(want), peer.requests)
	}
	t.Logf("%d series in %d requests, %d bytes", len(want), peer.requests, got.Bytes)
}

// The API key is invalid until it is replaced.
func TestDatadogKey(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	attempts := 0
	peer := &intake{t: t, key: "0123456789abcdef0123456789abcdef", refused: func() {
		if attempts++; attempts > 1 { // the outcome of the first attempt is known
			cancel()
		}
	}}
	server := httptest.NewServer(peer)
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "key")
	writeFile(t, file, "old")
	s, err := datadog.New(datadog.Config{Connection: sink.Connection{URL: server.URL}, KeyFile: file})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeSink(t, s) })
	series := podSeries(1, time.Time{})[1:3]
	if err := s.Send(ctx, runOf(time.Now(), series, nil)); err == nil || !strings.Contains(err.Error(), "check that the API key in "+file+" is valid") {
		t.Errorf("error %v", err)
	}
	writeFile(t, file, peer.key)
	sinktest.Send(t, s, runOf(time.Now(), series, nil))
	if got := s.Stats(); got.Series != 4 || got.Rejected+got.Dropped != 0 || len(peer.series) != 4 {
		t.Errorf("stats %+v, %d series received", got, len(peer.series))
	}
}
