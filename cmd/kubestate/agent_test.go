package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubestate/kubestate/internal/sim/apiserver"
)

// Of two agents with one Lease only the leader sends. The other watches, and sends
// when the leader has ended.
func TestOnlyTheLeaderSends(t *testing.T) {
	store, _, api := newAPIServer(t, pod("a", "n1"))
	replica := func(name string) (*program, *net.UDPConn) {
		to := receiver(t)
		config := filepath.Join(t.TempDir(), "agent.yaml")
		text := fmt.Sprintf(`agent:
  interval: 1s
  leaderElection: {enabled: true, namespace: monitoring, identity: %s, leaseDuration: 30s, retryPeriod: 200ms}
  sinks: [{type: dogstatsd, address: "udp://%s"}]
`, name, to.LocalAddr())
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return startProgram(t, "agent", "--config", config, "--apiserver", api, "--resources", "pods",
			"--telemetry-host", "127.0.0.1", "--telemetry-port", "0"), to
	}
	first, toFirst := replica("first")
	if got := receive(t, toFirst); !strings.Contains(got, "kube_pod_") {
		t.Errorf("received %q", got)
	}
	second, toSecond := replica("second")
	second.awaitLine("/readyz", "OK") // it watches
	for range 3 {
		receive(t, toFirst)
	}
	second.awaitLine("/metrics", "kubestate_agent_leader 0")
	second.awaitLine("/metrics", `kubestate_agent_runs_total{result="success",sink="dogstatsd"} 0`)
	first.awaitLine("/metrics", "kubestate_agent_leader 1")
	if code := first.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	receive(t, toSecond)
	second.awaitLine("/metrics", "kubestate_agent_leader 1")
	second.awaitLine("/metrics", "kubestate_agent_elections_total 1")
	if got := leaseHolder(t, store); got != "second" {
		t.Errorf("the Lease is that of %q", got)
	}
	if code := second.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if got := leaseHolder(t, store); got != "" {
		t.Errorf("the Lease is still that of %q", got)
	}
}

func leaseHolder(t *testing.T, store *apiserver.Store) string {
	t.Helper()
	e, found := store.Get("leases", "monitoring", "kubestate-agent")
	if !found {
		t.Fatal("there is no Lease")
	}
	o, err := e.Decode()
	if err != nil {
		t.Fatal(err)
	}
	return *o.(*coordinationv1.Lease).Spec.HolderIdentity
}

// With --once a kind that is refused for a moment is sent, and one that stays refused
// is left out with a warning.
func TestAgentOnceRefused(t *testing.T) {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1", UID: "un"}, Status: corev1.NodeStatus{NodeInfo: corev1.NodeSystemInfo{KernelVersion: "6"}}}
	for _, c := range []struct {
		times int
		sent  bool
	}{{1, true}, {0, false}} {
		_, server, api := newAPIServer(t, pod("a", "n1"), node)
		fault := apiserver.Forbidden("nodes")
		fault.Times = c.times
		server.Inject(fault)
		config := filepath.Join(t.TempDir(), "config.yaml")
		if err := os.WriteFile(config, []byte("agent: {resources: [pods, nodes]}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		var sent, log bytes.Buffer
		code := run(t.Context(), []string{"agent", "--config", config, "--sink", "stdout", "--once", "--apiserver", api}, nil, &sent, &log)
		if code != 0 || !strings.Contains(sent.String(), "kube_pod_info") {
			t.Errorf("exit code %d, sent:\n%s", code, &sent)
		}
		if got := strings.Contains(sent.String(), "kube_node_info"); got != c.sent {
			t.Errorf("refused %d times: Nodes are sent: %v", c.times, got)
		}
		if warned := strings.Contains(log.String(), `msg="some resources are not served; deploy/clusterrole.yaml has the rules that they need" resources="nodes (forbidden)"`); warned == c.sent {
			t.Errorf("refused %d times, the log says:\n%s", c.times, &log)
		}
	}
}

// Exporter and agent in one process read each kind once, and each gets what it
// would get alone, although they want different fields.
func TestExporterAndAgent(t *testing.T) {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1", UID: "un"}, Status: corev1.NodeStatus{NodeInfo: corev1.NodeSystemInfo{KernelVersion: "6"}}}
	_, server, api := newAPIServer(t, pod("a", "n1"), node)
	dir := t.TempDir()
	config, lines := filepath.Join(dir, "config.yaml"), filepath.Join(dir, "lines")
	text := "agent:\n  interval: 1m\n  resources: [pods, nodes]\n  sinks: [{type: file, path: " + lines + "}]\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var alone bytes.Buffer
	if code := run(t.Context(), []string{"agent", "--config", config, "--sink", "stdout", "--once", "--apiserver", api}, nil, &alone, io.Discard); code != 0 || alone.Len() == 0 {
		t.Fatalf("exit code %d", code)
	}
	p := startProgram(t, "--config", config, "--apiserver", api, "--resources", "pods,services", "--metric-allowlist", "^kube_pod_info$|^kube_service_info$",
		"--host", "127.0.0.1", "--port", "0", "--telemetry-host", "127.0.0.1", "--telemetry-port", "0")
	p.awaitLine("/metrics", `kubestate_agent_runs_total{result="success",sink="file"} 1`)
	got, err := os.ReadFile(lines)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(alone.String(), string(got[:min(len(got), alone.Len())])); diff != "" {
		t.Errorf("the agent alone and beside the exporter (-alone +beside):\n%s", diff)
	}
	body := fetch(t, "http://"+p.address("metrics")+"/metrics")
	if strings.Count(body, "\nkube_pod_info{") != 1 || strings.Contains(body, "kube_pod_status_phase") || strings.Contains(body, "kube_node") {
		t.Errorf("/metrics is\n%s", body)
	}
	for _, resource := range []string{"pods", "nodes", "services"} {
		if err := server.AwaitWatches(t.Context(), resource, 1); err != nil {
			t.Error(err)
		}
	}
	if n := server.Count(apiserver.VerbWatchList, "pods"); n != 2 { // of the agent alone, and of both together
		t.Errorf("Pods were read %d times", n)
	}
	if code := p.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
