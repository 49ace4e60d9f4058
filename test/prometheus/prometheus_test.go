package prometheus

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/kubestate/kubestate/test/e2e/harness"
)

const pods = 300 // of the simulated cluster

// configuration scrapes a cluster that stands still, %[1]s, in each format, a
// cluster that changes, %[2]s, and the telemetry port of the first, %[3]s.
const configuration = `
global: {scrape_interval: 500ms, scrape_timeout: 500ms}
scrape_configs:
- {job_name: text, scrape_protocols: [PrometheusText0.0.4], static_configs: [{targets: ["%[1]s"]}]}
- {job_name: text1, scrape_protocols: [PrometheusText1.0.0], static_configs: [{targets: ["%[1]s"]}]}
- {job_name: openmetrics, scrape_protocols: [OpenMetricsText1.0.0], static_configs: [{targets: ["%[1]s"]}]}
- {job_name: openmetrics0, scrape_protocols: [OpenMetricsText0.0.1], static_configs: [{targets: ["%[1]s"]}]}
- {job_name: default, static_configs: [{targets: ["%[1]s"]}]}
- {job_name: changing, static_configs: [{targets: ["%[2]s"]}]}
- {job_name: telemetry, static_configs: [{targets: ["%[3]s"]}]}
`

// TestPrometheus has a real Prometheus scrape kubestate in every text format,
// and asks it what it has understood.
func TestPrometheus(t *testing.T) {
	buildPrograms(t)
	still, changing := startDemo(t, "--churn=0"), startDemo(t, "--churn=100")
	server := startPrometheus(t, fmt.Sprintf(configuration,
		host(still.Main), host(changing.Main), host(still.Telemetry)))
	server.wait(t, "every job is scraped", `count(up == 1)`, 7)

	want := wantSeries(t, still)
	for _, job := range []string{"text", "text1", "openmetrics", "openmetrics0", "default"} {
		if got := server.series(t, job); !slices.Equal(got, want) {
			t.Errorf("job %s: Prometheus has %d series that are not the %d of /metrics, or differ from them:\n%s",
				job, len(got), len(want), firstDifference(got, want))
		}
	}
	for job, name := range map[string]string{
		"text": "kube_pod_container_status_restarts_total", "text1": "kube_pod_container_status_restarts_total",
		"openmetrics": "kube_pod_container_status_restarts", "openmetrics0": "kube_pod_container_status_restarts",
	} {
		if typ := server.metricType(t, job, name); typ != "counter" {
			t.Errorf("job %s: family %s has type %q, not counter: is it scraped in another format?", job, name, typ)
		}
	}
	server.wait(t, "every pod has a series", `count(kube_pod_info{job="text"})`, pods)
	server.wait(t, "every pod is in one phase", `count(sum by (namespace, pod) (kube_pod_status_phase{job="text"}) == 1)`, pods)
	server.wait(t, "a join as dashboards have it works",
		`count(kube_pod_info{job="text"} * on (namespace, pod) group_left (phase) (kube_pod_status_phase{job="text"} == 1))`, pods)
	server.wait(t, "kubestate tells of all its watches", `min(kubestate_watch_up{job="telemetry"})`, 1)
	server.wait(t, "series of pods that are gone end",
		`count(count_over_time(kube_pod_info{job="changing"}[10m])) > bool count(kube_pod_info{job="changing"})`, 1)
	server.wait(t, "no scrape has failed", `min(min_over_time(up[10m]))`, 1)
	server.checkLog(t)
}

// startDemo starts kubestate with a simulated cluster of its own and shows
// all families and labels.
func startDemo(t *testing.T, args ...string) *harness.Kubestate {
	t.Helper()
	k := harness.StartKubestate(t, kubestateBinary, append([]string{
		"demo", "--nodes=20", "--pods=" + strconv.Itoa(pods),
		"--metric-labels-allowlist=*=[*]", "--metric-annotations-allowlist=*=[*]", "--metric-opt-in-list=kube_",
	}, args...)...)
	k.WaitReady(t)
	return k
}

// server is a running Prometheus.
type server struct {
	*harness.Process
	url string
}

func startPrometheus(t *testing.T, config string) *server {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	address := "127.0.0.1:" + strconv.Itoa(harness.FreePort(t))
	s := &server{url: "http://" + address, Process: harness.Start(t, "prometheus", prometheusBinary,
		"--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)}
	harness.Eventually(t, time.Minute, "Prometheus is ready", func() error {
		response, err := harness.Get(t.Context(), s.url+"/-/ready")
		if err == nil && response.Status != http.StatusOK {
			err = fmt.Errorf("status %d", response.Status)
		}
		return err
	})
	return s
}

// point is one element of the answer to an instant query.
type point struct {
	Metric map[string]string
	Value  [2]any // time, and the number as a string
}

func (s *server) query(t *testing.T, query string) ([]point, error) {
	var data struct{ Result []point }
	err := s.get(t, "query?query="+url.QueryEscape(query), &data)
	return data.Result, err
}

// metricType returns the type of a family, as the TYPE lines of a job's scrapes
// name it; empty if there is none of the name.
func (s *server) metricType(t *testing.T, job, family string) string {
	t.Helper()
	var data []struct{ Type string }
	target := url.QueryEscape(fmt.Sprintf("{job=%q}", job))
	if err := s.get(t, "targets/metadata?metric="+family+"&match_target="+target, &data); err != nil {
		t.Fatal(err)
	}
	if len(data) == 0 {
		return ""
	}
	return data[0].Type
}

// get decodes the data of an answer of the HTTP API.
func (s *server) get(t *testing.T, path string, data any) error {
	t.Helper()
	response, err := harness.Get(t.Context(), s.url+"/api/v1/"+path)
	if err != nil {
		return err
	}
	answer := struct {
		Status, Error string
		Data          any
	}{Data: data}
	if err := json.Unmarshal([]byte(response.Body), &answer); err != nil {
		return fmt.Errorf("get %s: %w", path, err)
	}
	if answer.Status != "success" {
		return fmt.Errorf("get %s: %s", path, answer.Error)
	}
	return nil
}

// wait returns when the query has one element of the value.
func (s *server) wait(t *testing.T, what, query string, want int) {
	t.Helper()
	harness.Eventually(t, time.Minute, what, func() error {
		points, err := s.query(t, query)
		switch {
		case err != nil:
			return err
		case len(points) != 1 || points[0].Value[1] != strconv.Itoa(want):
			return fmt.Errorf("query %s: %v, not %d", query, points, want)
		}
		return nil
	})
}

// series returns what Prometheus has of a job, sorted, without the labels and
// series that it adds itself.
func (s *server) series(t *testing.T, job string) []string {
	t.Helper()
	points, err := s.query(t, fmt.Sprintf(`{job=%q,__name__=~"kube_.+"}`, job))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, p := range points {
		delete(p.Metric, "job")
		delete(p.Metric, "instance")
		value, err := strconv.ParseFloat(fmt.Sprint(p.Value[1]), 64)
		if err != nil {
			t.Fatalf("series %v: %v", p.Metric, err)
		}
		all = append(all, fmt.Sprintf("%s %v", labels.FromMap(p.Metric), value))
	}
	slices.Sort(all)
	return all
}

// wantSeries returns the series of /metrics in the form of server.series.
func wantSeries(t *testing.T, k *harness.Kubestate) []string {
	t.Helper()
	samples, err := parse([]byte(k.Scrape(t)), acceptText)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, s := range samples {
		// For Prometheus an empty label is one that is not there.
		all = append(all, fmt.Sprintf("%s %v", s.labels.WithoutEmpty(), s.value))
	}
	slices.Sort(all)
	return all
}

// checkLog fails the test if Prometheus has complained about what it scraped.
func (s *server) checkLog(t *testing.T) {
	t.Helper()
	var complaints []error
	for line := range strings.Lines(s.Log()) {
		if strings.Contains(line, "level=ERROR") || strings.Contains(line, "level=WARN") {
			complaints = append(complaints, errors.New(strings.TrimSpace(line)))
		}
	}
	if err := errors.Join(complaints...); err != nil {
		t.Errorf("Prometheus complains:\n%v", err)
	}
}

func host(address string) string { return strings.TrimPrefix(address, "http://") }

func firstDifference(got, want []string) string {
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			return fmt.Sprintf("got  %s\nwant %s", at(got, i), at(want, i))
		}
	}
	return ""
}

func at(s []string, i int) string {
	if i < len(s) {
		return s[i]
	}
	return "nothing"
}
