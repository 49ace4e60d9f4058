package prometheus

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
	"github.com/kubestate/kubestate/internal/sim/cluster"
	"github.com/kubestate/kubestate/test/e2e/harness"
)

const mixin = "../../deploy/mixin/"

// Every alert fires on its fault, and is quiet otherwise.
func TestAlertRules(t *testing.T) {
	buildPrograms(t)
	for _, args := range [][]string{
		{"check", "rules", "--lint=all", "--lint-fatal", mixin + "rendered/alerts.yaml"},
		{"test", "rules", mixin + "tests.yaml"},
	} {
		if out, err := exec.CommandContext(t.Context(), promtoolBinary, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", args, err, out)
		}
	}
}

const mixinConfiguration = `
global: {scrape_interval: 2s, scrape_timeout: 2s, evaluation_interval: 1s}
rule_files: [%q]
scrape_configs:
- {job_name: kube-state-metrics, honor_labels: true, static_configs: [{targets: [%q, %q]}]}
`

// immediateRules returns a file with the alerts of the mixin, which fire at once.
func immediateRules(t *testing.T) string {
	t.Helper()
	rules, err := os.ReadFile(mixin + "rendered/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "alerts.yaml")
	rules = regexp.MustCompile(`(?m)^( *for): .*$`).ReplaceAll(rules, []byte("$1: 0s"))
	if err := os.WriteFile(file, rules, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// A fault of the API server makes the alert about it fire, and its end ends the
// alert.
func TestAlertFires(t *testing.T) {
	buildPrograms(t)
	store, err := apiserver.NewStore(apiserver.StoreConfig{Resources: apiserver.Resources()})
	if err != nil {
		t.Fatal(err)
	}
	if err := cluster.Generate(store, cluster.Config{Nodes: 3, Pods: 10, Seed: 1, Time: time.Now()}); err != nil {
		t.Fatal(err)
	}
	api := apiserver.New(store, apiserver.Config{})
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	remove := api.Inject(apiserver.Forbidden("pods"))
	k := harness.StartKubestate(t, kubestateBinary, "--apiserver", server.URL, "--resources", "pods,nodes",
		"--host=127.0.0.1", "--port=0", "--telemetry-host=127.0.0.1", "--telemetry-port=0")
	prometheus := Start(t, prometheusBinary, fmt.Sprintf(mixinConfiguration, immediateRules(t), host(k.Main), host(k.Telemetry)))
	prometheus.Wait(t, "the alert fires", `count(ALERTS{alertname="KubestateForbidden", alertstate="firing", resource="pods"})`, 1)
	prometheus.Wait(t, "no other alert fires", `count(ALERTS{alertname!="KubestateForbidden", alertstate="firing"}) or vector(0)`, 0)
	remove()
	prometheus.Wait(t, "the alert ends", `count(ALERTS{alertstate="firing"}) or vector(0)`, 0)
	prometheus.Wait(t, "pods have metrics", `count(kube_pod_info)`, 10)
	prometheus.CheckLog(t)
}

// Every query of every panel parses and returns data of a simulated cluster, and so do
// expressions of kubernetes-mixin.
func TestDashboards(t *testing.T) {
	buildPrograms(t)
	k := startDemo(t, "--churn=20")
	prometheus := Start(t, prometheusBinary, fmt.Sprintf(mixinConfiguration, immediateRules(t), host(k.Main), host(k.Telemetry)))
	prometheus.Wait(t, "both ports are scraped", `count(up == 1)`, 2)
	files, err := filepath.Glob(mixin + "rendered/*.json")
	if err != nil || len(files) != 2 {
		t.Fatalf("%d dashboards: %v", len(files), err)
	}
	for _, file := range files {
		queries := dashboardQueries(t, file)
		if len(queries) < 10 {
			t.Errorf("%s has %d queries", file, len(queries))
		}
		for title, query := range queries {
			prometheus.Eventually(t, time.Minute, filepath.Base(file)+", "+title+": data of "+query, func() error {
				points, err := prometheus.query(t, query)
				if err == nil && len(points) == 0 {
					err = errors.New("no data")
				}
				return err
			})
		}
	}
	for name, query := range publicExpressions() {
		prometheus.Eventually(t, time.Minute, name+": data", func() error {
			points, err := prometheus.query(t, query)
			if err == nil && len(points) == 0 {
				err = errors.New("no data")
			}
			return err
		})
	}
	prometheus.CheckLog(t)
}

// publicExpressions are idioms of kubernetes-mixin, by the rule or alert that has
// them, without the thresholds that a healthy cluster does not cross.
func publicExpressions() map[string]string {
	return map[string]string{
		"node_namespace_pod:kube_pod_info:": `topk by (cluster, namespace, pod) (1, max by (cluster, node, namespace, pod) (
			label_replace(kube_pod_info{job="kube-state-metrics", node!=""}, "pod", "$1", "pod", "(.*)")))`,
		"cluster:namespace:pod_memory:active:kube_pod_container_resource_requests": `
			kube_pod_container_resource_requests{resource="memory", job="kube-state-metrics"}
			* on (namespace, pod, cluster) group_left () max by (namespace, pod, cluster) (
				(kube_pod_status_phase{phase=~"Pending|Running"} == 1))`,
		"namespace_cpu:kube_pod_container_resource_requests:sum": `sum by (namespace, cluster) (sum by (namespace, pod, cluster) (
			max by (namespace, pod, container, cluster) (kube_pod_container_resource_requests{resource="cpu", job="kube-state-metrics"})
			* on (namespace, pod, cluster) group_left () max by (namespace, pod, cluster) (kube_pod_status_phase{phase=~"Pending|Running"} == 1)))`,
		"KubePodNotReady": `sum by (namespace, pod, job, cluster) (
			max by (namespace, pod, job, cluster) (kube_pod_status_phase{job="kube-state-metrics", phase=~"Pending|Unknown"})
			* on (namespace, pod, cluster) group_left (owner_kind) topk by (namespace, pod, cluster) (
				1, max by (namespace, pod, owner_kind, cluster) (kube_pod_owner{owner_kind!="Job"})))`,
		"KubeNodeNotReady": `kube_node_status_condition{job="kube-state-metrics", condition="Ready", status="true"}
			and on (cluster, node) kube_node_spec_unschedulable{job="kube-state-metrics"} == 0`,
		"KubeMemoryOvercommit": `sum by (job, cluster) (kube_node_status_allocatable{resource="memory", job="kube-state-metrics"})
			- max by (job, cluster) (kube_node_status_allocatable{resource="memory", job="kube-state-metrics"})`,
		"KubeDeploymentGenerationMismatch": `kube_deployment_status_observed_generation{job="kube-state-metrics"}
			== kube_deployment_metadata_generation{job="kube-state-metrics"}`,
		"KubeStateMetricsListErrors": `sum(rate(kube_state_metrics_list_total{job="kube-state-metrics"}[5m])) by (cluster)`,
		"KubeStateMetricsShardsMissing": `2 ^ max(kube_state_metrics_total_shards{job="kube-state-metrics"}) by (cluster) - 1
			- sum(2 ^ max by (cluster, shard_ordinal) (kube_state_metrics_shard_ordinal{job="kube-state-metrics"})) by (cluster)`,
	}
}

// dashboardQueries returns the queries of the panels of a dashboard by their titles,
// with values for its variables.
func dashboardQueries(t *testing.T, file string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr, RefID string }
		}
	}
	if err := json.Unmarshal(data, &dashboard); err != nil {
		t.Fatal(err)
	}
	variables := strings.NewReplacer("$instance", ".*", "$namespace", ".*", "$__rate_interval", "30s")
	queries := map[string]string{}
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			queries[panel.Title+" "+target.RefID] = variables.Replace(target.Expr)
		}
	}
	return queries
}
