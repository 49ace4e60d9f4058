package prometheus

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/kubestate/kubestate/test/e2e/harness"
)

const pods = 300 // of the simulated cluster

// configuration scrapes a static cluster, %[1]s, in each format, a changing cluster,
// %[2]s, and the telemetry port of the first, %[3]s. The interval, which is the maximum
// timeout, allows for a busy machine.
const configuration = `
global: {scrape_interval: 3s, scrape_timeout: 3s}
scrape_configs:
- {job_name: text, scrape_protocols: [PrometheusText0.0.4], static_configs: [{targets: ["%[1]s"]}]}
- {job_name: text1, scrape_protocols: [PrometheusText1.0.0], static_configs: [{targets: ["%[1]s"]}]}
- {job_name: openmetrics, scrape_protocols: [OpenMetricsText1.0.0], static_configs: [{targets: ["%[1]s"]}]}
- {job_name: openmetrics0, scrape_protocols: [OpenMetricsText0.0.1], static_configs: [{targets: ["%[1]s"]}]}
- {job_name: default, static_configs: [{targets: ["%[1]s"]}]}
- {job_name: changing, static_configs: [{targets: ["%[2]s"]}]}
- {job_name: telemetry, static_configs: [{targets: ["%[3]s"]}]}
`

// A real Prometheus scrapes kubestate in every text format, and is queried for the
// result.
func TestPrometheus(t *testing.T) {
	buildPrograms(t)
	still, changing := startDemo(t, "--churn=0"), startDemo(t, "--churn=100")
	server := Start(t, prometheusBinary, fmt.Sprintf(configuration,
		host(still.Main), host(changing.Main), host(still.Telemetry)))
	server.Wait(t, "every job is scraped", `count(up == 1)`, 7)

	want, err := Series([]byte(still.Scrape(t)), ContentTypeText)
	if err != nil {
		t.Fatal(err)
	}
	for _, job := range []string{"text", "text1", "openmetrics", "openmetrics0", "default"} {
		server.CheckSeries(t, job, want)
	}
	for job, name := range map[string]string{
		"text": "kube_pod_container_status_restarts_total", "text1": "kube_pod_container_status_restarts_total",
		"openmetrics": "kube_pod_container_status_restarts", "openmetrics0": "kube_pod_container_status_restarts",
	} {
		if typ := server.MetricType(t, job, name); typ != "counter" {
			t.Errorf("job %s: family %s has type %q, not counter: is it scraped in another format?", job, name, typ)
		}
	}
	server.Wait(t, "every pod has a series", `count(kube_pod_info{job="text"})`, pods)
	server.Wait(t, "every pod is in one phase", `count(sum by (namespace, pod) (kube_pod_status_phase{job="text"}) == 1)`, pods)
	server.Wait(t, "a join as dashboards have it works",
		`count(kube_pod_info{job="text"} * on (namespace, pod) group_left (phase) (kube_pod_status_phase{job="text"} == 1))`, pods)
	server.Wait(t, "kubestate tells of all its watches", `min(kubestate_watch_up{job="telemetry"})`, 1)
	server.Wait(t, "series of deleted pods end",
		`count(count_over_time(kube_pod_info{job="changing"}[10m])) > bool count(kube_pod_info{job="changing"})`, 1)
	// A scrape that timed out on a busy machine is ignored if others succeed.
	server.Wait(t, "no scrape has failed",
		`count(count_over_time((up == 0 and on (job, instance) scrape_duration_seconds < 2.9)[10m:1s])) or vector(0)`, 0)
	server.Wait(t, "every job is scraped in the end", `count(up == 1)`, 7)
	server.CheckLog(t)
}

// startDemo starts kubestate with its own simulated cluster, all families and all
// labels.
func startDemo(t *testing.T, args ...string) *harness.Kubestate {
	t.Helper()
	k := harness.StartKubestate(t, kubestateBinary, append([]string{
		"demo", "--nodes=20", "--pods=" + strconv.Itoa(pods),
		"--metric-labels-allowlist=*=[*]", "--metric-annotations-allowlist=*=[*]", "--metric-opt-in-list=kube_",
	}, args...)...)
	k.WaitReady(t)
	return k
}

func host(address string) string { return strings.TrimPrefix(address, "http://") }
